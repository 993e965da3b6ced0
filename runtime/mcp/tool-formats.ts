import type { ToolInfo } from "./link/handshake.ts";
import { modelSchema } from "./model-schema.ts";

export type ToolFormat = "mcp" | "openai" | "anthropic";

const NAME_MAX = 64;

/** The tools as a model's API takes them; in "mcp" they stand as their servers describe them. */
export function listIn(format: ToolFormat, tools: readonly ToolInfo[]): readonly unknown[] {
  if (format === "mcp") return tools;
  const names = shownNames(tools);
  return tools.map((tool) => {
    const name = names.get(tool.name) ?? tool.name;
    const description = typeof tool["description"] === "string" ? tool["description"] : "";
    const schema = modelSchema(tool["inputSchema"]);
    if (format === "anthropic") return { name, description, input_schema: schema };
    return { type: "function", function: { name, description, parameters: schema } };
  });
}

/** From the names that models are shown to the tools' own, where the two differ. */
export function realNames(tools: readonly ToolInfo[]): ReadonlyMap<string, string> {
  return new Map([...shownNames(tools)].map(([real, shown]) => [shown, real]));
}

/**
 * The names that model APIs refuse (MCP allows dots and 128 letters), and what stands for them:
 * letters, digits, "_" and "-", at most 64, unlike every other name.
 */
function shownNames(tools: readonly ToolInfo[]): Map<string, string> {
  const taken = new Set(tools.map(({ name }) => name));
  const shown = new Map<string, string>();
  for (const { name } of tools) {
    if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) continue;
    const plain = name.replace(/[^A-Za-z0-9_-]/g, "_");
    let candidate = plain.slice(0, NAME_MAX);
    for (let n = 2; taken.has(candidate); n++) {
      candidate = `${plain.slice(0, NAME_MAX - String(n).length - 1)}_${n}`;
    }
    taken.add(candidate);
    shown.set(name, candidate);
  }
  return shown;
}
