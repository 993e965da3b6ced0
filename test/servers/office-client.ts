import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CallToolResult, Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { tempFolder } from "../support/temp-folder.ts";

/** A surface of ours as an agent has it: the real program, the official client, folders of its own. */
export interface OfficeClient extends AsyncDisposable {
  readonly client: Client;
  /** What the surface takes for the workspace; empty at first. */
  readonly workspace: string;
  /** What it takes for /state: `join(state, "calendar")` and so on; empty at first. */
  readonly state: string;
  /** The process, for its memory. */
  readonly pid: number;
  /** What it wrote to standard error so far. */
  readonly stderr: string;
  /** A call of a tool: its result, an error result too. Rejects on a protocol error. */
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<CallToolResult>;
  /** The texts of a result that must not be an error. */
  text(tool: string, args?: Readonly<Record<string, unknown>>): Promise<string>;
  /** The structured content of a result that must not be an error. */
  data(tool: string, args?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /** The text of a result that must be an error. */
  refusal(tool: string, args?: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface OfficeClientOptions {
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node, such as `--import`. */
  readonly nodeOptions?: readonly string[];
  /** The program. Default: the one of the sources. */
  readonly main?: string;
}

const MAIN = fileURLToPath(new URL("../../servers/office-process.ts", import.meta.url));

/** Starts `office/main.ts <surface>`; at the end of the scope it is gone, and its folders with it. */
export async function officeClient(
  surface: string,
  { env = {}, nodeOptions = [], main = MAIN }: OfficeClientOptions = {},
): Promise<OfficeClient> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempFolder());
  const [workspace, state] = [join(path, "workspace"), join(path, "state")];
  await Promise.all([mkdir(workspace), mkdir(state, { mode: 0o700 })]);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...nodeOptions, main, surface],
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...places(workspace, state), ...env },
    stderr: "pipe",
  });
  let stderr = "";
  transport.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-64 * 1024);
  });
  const client = new Client({ name: "office-test", version: "1.0.0" });
  stack.defer(() => client.close());
  try {
    await client.connect(transport);
  } catch (cause) {
    throw new Error(`the server "${surface}" did not start: ${stderr}`, { cause });
  }
  const parts = stack.move();
  const calls = callsOf(client);
  return {
    ...{ client, workspace, state, ...calls },
    pid: transport.pid ?? 0,
    get stderr() {
      return stderr;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function places(workspace: string, state: string): Readonly<Record<string, string>> {
  return { CLOCHE_WORKSPACE: workspace, CLOCHE_STATE: state };
}

function callsOf(client: Client): Pick<OfficeClient, "call" | "text" | "data" | "refusal"> {
  const call = async (tool: string, args: Readonly<Record<string, unknown>> = {}) =>
    await client.callTool({ name: tool, arguments: { ...args } }, { timeout: 120_000 });
  const good: typeof call = async (tool, args) => {
    const result = await call(tool, args);
    if (result.isError) throw new Error(`${tool}: ${textOf(result)}`);
    return result;
  };
  return {
    call,
    text: async (tool, args) => textOf(await good(tool, args)),
    data: async (tool, args) =>
      (await good(tool, args)).structuredContent as Record<string, unknown>,
    refusal: async (tool, args) => {
      const result = await call(tool, args);
      if (!result.isError) throw new Error(`${tool} was not refused: ${textOf(result)}`);
      return textOf(result);
    },
  };
}

/** The texts of a result, one after the other. */
export function textOf(result: CallToolResult): string {
  return result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}
