import { createInterface } from "node:readline";

/** A JSON-RPC message, loosely: fixture servers also send what is none. */
export interface Raw {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: unknown;
}

export interface RawTool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: object;
}

/** Writes one line to the client. */
export function say(message: Raw | string): void {
  const text =
    typeof message === "string" ? message : JSON.stringify({ jsonrpc: "2.0", ...message });
  process.stdout.write(`${text}\n`);
}

/** A tool's text as a whole result. */
export function textResult(text: string): object {
  return { content: [{ type: "text", text }] };
}

/**
 * Speaks MCP by hand, so that a test may see and send exactly what it wants: answers the handshake
 * and gives every other message to `handle`.
 */
export function serveRaw(
  tools: readonly RawTool[],
  handle: (message: Raw) => void,
  capabilities: object = { tools: { listChanged: true } },
): void {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line) as Raw;
    if (message.method === "initialize") {
      const serverInfo = { name: "raw", version: "1" };
      const result = { protocolVersion: "2025-11-25", capabilities, serverInfo };
      say({ id: message.id, result });
    } else if (message.method === "tools/list") {
      say({ id: message.id, result: { tools } });
    } else if (message.method !== "notifications/initialized") {
      handle(message);
    }
  });
  process.stdin.on("end", () => process.exit(0));
}

/** A tool that takes anything. */
export function tool(name: string): RawTool {
  return { name, description: `The tool ${name}.`, inputSchema: { type: "object" } };
}
