import { keepDigits } from "../base/exact-json.ts";
import { isObject } from "./json-rpc.ts";
import type { ToolInfo } from "./link/handshake.ts";
import { membersOf, modelSchema } from "./model-schema.ts";

export type ToolFormat = "mcp" | "openai" | "anthropic";

/** What models' APIs take as the name of a tool; MCP allows dots and 128 letters. */
const TOOL_NAME: NameRule = { letters: "A-Za-z0-9_-", most: 64 };
/** What Anthropic's takes as the name of an argument; of those within arguments it asks nothing. */
const ARGUMENT_NAME: NameRule = { letters: "A-Za-z0-9_.-", most: 64 };

interface NameRule {
  /** As between the brackets of a regular expression. */
  readonly letters: string;
  readonly most: number;
}

/** The tools as a model's API takes them; in "mcp" they stand as their servers describe them. */
export function listIn(format: ToolFormat, tools: readonly ToolInfo[]): readonly unknown[] {
  if (format === "mcp") return tools;
  const names = shownNames(tools);
  return tools.map((tool) => {
    const name = names.get(tool.name) ?? tool.name;
    const description = typeof tool["description"] === "string" ? tool["description"] : "";
    const given = tool["inputSchema"];
    if (format === "anthropic") {
      return { name, description, input_schema: modelSchema(given, shownArguments(given)) };
    }
    return { type: "function", function: { name, description, parameters: modelSchema(given) } };
  });
}

/** From the names that models are shown to the tools' own, where the two differ. */
export function realNames(tools: readonly ToolInfo[]): ReadonlyMap<string, string> {
  return inverse(shownNames(tools));
}

/** The arguments under the tool's own names, where a model was shown others; else as they are. */
export function realArguments(tool: ToolInfo | undefined, args: unknown): unknown {
  const real = inverse(shownArguments(tool?.["inputSchema"]));
  if (real.size === 0 || !isObject(args)) return args;
  const nameOf = (shown: string) => {
    const name = real.get(shown);
    return name === undefined || Object.hasOwn(args, name) ? shown : name;
  };
  if (Object.keys(args).every((name) => nameOf(name) === name)) return args;
  keepDigits(args, []);
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [nameOf(name), value]));
}

function shownNames(tools: readonly ToolInfo[]): ReadonlyMap<string, string> {
  const names = tools.map(({ name }) => name);
  return standIns(names, TOOL_NAME);
}

function shownArguments(schema: unknown): ReadonlyMap<string, string> {
  return standIns(membersOf(schema), ARGUMENT_NAME);
}

function inverse(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...names].map(([real, shown]) => [shown, real]));
}

/** The names that are refused, and what stands for each, unlike every other name. */
function standIns(names: readonly string[], { letters, most }: NameRule): Map<string, string> {
  const isFine = new RegExp(`^[${letters}]{1,${most}}$`);
  const others = new RegExp(`[^${letters}]`, "g");
  const taken = new Set(names);
  const shown = new Map<string, string>();
  for (const name of names) {
    if (isFine.test(name)) continue;
    const plain = name.replace(others, "_") || "_";
    let candidate = plain.slice(0, most);
    for (let n = 2; taken.has(candidate); n++) {
      candidate = `${plain.slice(0, most - String(n).length - 1)}_${n}`;
    }
    taken.add(candidate);
    shown.set(name, candidate);
  }
  return shown;
}
