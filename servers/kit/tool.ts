import { type CallToolResult, McpServer } from "@modelcontextprotocol/server";
import type * as z from "zod";
import { shortly } from "./short-schema.ts";
import { ToolError } from "./tool-error.ts";

/** A tool of a surface: what a model reads of it, and what it does. */
export interface Tool {
  /** Unique among all surfaces: `find_events`, not `find`. */
  readonly name: string;
  readonly title: string;
  /** What it does, when to use it, what comes back; two or three sentences. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  readonly hints: ToolHints;
  readonly run: (input: never, call: Call) => Promise<Answer>;
}

export interface ToolHints {
  readonly readOnly: boolean;
  /** It may overwrite or remove what is there. Default: not. */
  readonly destructive?: boolean;
  /** A second time with the same arguments changes nothing more. Default: not. */
  readonly idempotent?: boolean;
}

export interface Call {
  /** The caller gave up. */
  readonly signal: AbortSignal;
}

/** What a tool answers: text for a reader, data that follows the output schema, maybe pictures. */
export interface Answer {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly images?: readonly { readonly data: Buffer; readonly mimeType: "image/png" }[];
  /** What stands for the text, where the answer is none. */
  readonly blocks?: CallToolResult["content"];
}

/** Ties the types of a tool's schemas to its work. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(spec: {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly hints: ToolHints;
  readonly run: (
    input: z.output<Input>,
    call: Call,
  ) => Promise<Omit<Answer, "data"> & { readonly data: z.input<Output> }>;
}): Tool {
  return spec as unknown as Tool;
}

export interface ServerFacts {
  readonly name: string;
  readonly title: string;
  /** Told to every client that connects: what this server is for, how its tools belong together. */
  readonly instructions: string;
  readonly tools: readonly Tool[];
}

/** An MCP server of these tools, for one connection of either era. */
export function serverOf({ name, title, instructions, tools }: ServerFacts): McpServer {
  const server = new McpServer({ name, title, version: "1.0.0" }, { instructions });
  for (const one of tools) {
    const { title: label, description } = one;
    const [inputSchema, outputSchema] = [shortly(one.input), shortly(one.output)];
    const annotations = annotationsOf(one.hints);
    const config = { title: label, description, inputSchema, outputSchema, annotations };
    server.registerTool(one.name, config, async (input: unknown, context) => {
      try {
        return result(await one.run(input as never, { signal: context.mcpReq.signal }));
      } catch (error) {
        return failure(one.name, error);
      }
    });
  }
  return server;
}

/** For what only reads, the other hints mean nothing. */
function annotationsOf({ readOnly, destructive = false, idempotent = false }: ToolHints) {
  if (readOnly) return { readOnlyHint: true, openWorldHint: false };
  return {
    readOnlyHint: false,
    destructiveHint: destructive,
    ...(idempotent ? { idempotentHint: true } : {}),
    openWorldHint: false,
  };
}

function result({ text, data, images = [], blocks }: Answer) {
  if (blocks !== undefined) return { content: [...blocks], structuredContent: data };
  const pictures = images.map(({ data: bytes, mimeType }) => {
    return { type: "image" as const, data: bytes.toString("base64"), mimeType };
  });
  return { content: [{ type: "text" as const, text }, ...pictures], structuredContent: data };
}

function failure(tool: string, error: unknown) {
  if (!(error instanceof ToolError)) {
    process.stderr.write(`${tool}: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
  const bug = `${tool} failed inside (${error instanceof Error ? error.message : String(error)}).`;
  const text = error instanceof ToolError ? error.message : `${bug} Try another way.`;
  return { content: [{ type: "text" as const, text }], isError: true };
}
