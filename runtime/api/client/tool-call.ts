import { ClocheError } from "./cloche-error.ts";

export interface ToolCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A tool's result, or a protocol error: the call reached no tool. */
export type ToolAnswer =
  | { readonly result: ToolResult }
  | { readonly error: { readonly code: number; readonly message: string } };

/** A tool's result as MCP says it. A tool that failed says so in `isError`: that is a result. */
export interface ToolResult {
  readonly content?: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
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

/** The result of a call; throws `client/tool-protocol-error` if there was none. */
export function resultOf(tool: string, answer: ToolAnswer | undefined): ToolResult {
  if (answer !== undefined && "result" in answer) return answer.result;
  const error = answer?.error ?? { code: 0, message: "no answer came" };
  const detail = `the call of "${tool}" reached no tool: ${error.message} (JSON-RPC ${error.code})`;
  const problem = { jsonrpc: error };
  throw new ClocheError({ code: "client/tool-protocol-error", status: 200, detail, problem });
}
