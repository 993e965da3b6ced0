import type { Manifest } from "../../mcp/link/manifest.ts";
import { listIn, type ToolFormat } from "../../mcp/tool-formats.ts";

/** The encoding that tokens are counted in; each model has one of its own, and most are near it. */
export const ENCODING = "o200k_base";

export interface ServerTools {
  readonly name: string;
  readonly version: string;
  /** Told to every client that connects; "" if it says nothing. */
  readonly instructions: string;
  /** Of the tools' JSON and the instructions. */
  readonly tokens: number;
  /** Of the tools' JSON. */
  readonly bytes: number;
  readonly tools: readonly ToolCost[];
}

export interface ToolCost {
  readonly name: string;
  readonly description: string;
  readonly tokens: number;
  readonly definition: unknown;
}

/** What an agent is given of these servers in a format, and what it costs, in their order. */
export async function toolCosts(
  greetings: Manifest,
  format: ToolFormat,
): Promise<readonly ServerTools[]> {
  const { countTokens } = await tokenizer();
  return Object.entries(greetings).map(([name, { initializeResult, tools }]) => {
    const { instructions, serverInfo } = initializeResult;
    const said = typeof instructions === "string" ? instructions : "";
    const definitions = listIn(format, tools);
    const costs = tools.map((tool, index) => {
      const definition = definitions[index];
      const description = typeof tool["description"] === "string" ? tool["description"] : "";
      const tokens = countTokens(JSON.stringify(definition));
      return { name: tool.name, description, tokens, definition };
    });
    return {
      name,
      version: String((serverInfo as { readonly version?: unknown } | undefined)?.version ?? ""),
      instructions: said,
      tokens: costs.reduce((sum, one) => sum + one.tokens, countTokens(said)),
      bytes: Buffer.byteLength(JSON.stringify(definitions)),
      tools: costs,
    };
  });
}

/** How many tokens a text is. */
export async function countTokens(text: string): Promise<number> {
  return (await tokenizer()).countTokens(text);
}

/** 2 MB of ranks, loaded when they are first needed. */
function tokenizer() {
  return import("gpt-tokenizer/encoding/o200k_base");
}
