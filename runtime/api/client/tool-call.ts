import { ClocheError } from "./cloche-error.ts";

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** As the service gives it. */
export type ToolAnswer =
  | { readonly result: ToolResult; readonly budgetUsed?: BudgetUsed }
  | { readonly error: ProtocolError };

/** What of a rollout's budget is used up. */
export type BudgetUsed = "calls" | "wall" | "bytes";

/** A JSON-RPC error: the call reached no tool. */
export interface ProtocolError {
  readonly code: number;
  readonly message: string;
}

/**
 * What a call came to, as MCP says it. A tool that failed says so in `isError`; so does a call that
 * reached no tool: then `error` says why, and the text with it.
 */
export interface ToolResult {
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly error?: ProtocolError;
  /** No further call of the rollout will be made. */
  readonly budgetUsed?: BudgetUsed;
  readonly [member: string]: unknown;
}

export interface ContentBlock {
  readonly type: string;
  readonly text?: string;
  readonly [member: string]: unknown;
}

/** A tool as MCP lists it. */
export interface McpTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

/** A tool as the chat completions API of OpenAI, and those like it, are told of it. */
export interface OpenAiTool {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

/** A tool as the messages API of Anthropic is told of it. */
export interface AnthropicTool {
  readonly name: string;
  readonly description: string;
  readonly input_schema: Readonly<Record<string, unknown>>;
}

export interface ToolFormats {
  readonly mcp: McpTool;
  readonly openai: OpenAiTool;
  readonly anthropic: AnthropicTool;
}

/** All text of a result, its blocks joined by line ends. */
export function textOf(result: ToolResult): string {
  const texts = (result.content ?? []).filter(({ type }) => type === "text");
  return texts.map(({ text }) => text ?? "").join("\n");
}

export function resultOf(answer: ToolAnswer): ToolResult {
  if ("result" in answer) {
    const { result, budgetUsed } = answer;
    return budgetUsed === undefined ? result : { ...result, budgetUsed };
  }
  const { error } = answer;
  return { content: [{ type: "text", text: error.message }], isError: true, error };
}

/** The result; throws `client/tool-protocol-error` if the call reached no tool. */
export function requireTool(tool: string, result: ToolResult | undefined): ToolResult {
  if (result !== undefined && result.error === undefined) return result;
  const error = result?.error ?? { code: 0, message: "no answer came" };
  const detail = `the call of "${tool}" reached no tool: ${error.message} (JSON-RPC ${error.code})`;
  const problem = { jsonrpc: error };
  throw new ClocheError({ code: "client/tool-protocol-error", status: 200, detail, problem });
}
