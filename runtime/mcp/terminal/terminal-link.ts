import { type JSONRPCMessage, McpServer, type Transport } from "@modelcontextprotocol/server";
import { withDeadline } from "../../base/deadline.ts";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Box } from "../../engine/engine.ts";
import type { JsonRpcMessage, LinkClosed, ServerLink } from "../link/server-link.ts";
import { TERMINAL_ENV } from "./driver.ts";
import type { Place } from "./framed-process.ts";
import { Terminal } from "./terminal.ts";
import { registerTools } from "./tools.ts";

export interface TerminalOptions {
  /** Whose the shells are: one of the box's users, and nobody else's. */
  readonly user: string;
  /** Where sessions begin. */
  readonly cwd: string;
  /** Added to the environment of every shell. */
  readonly env?: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Sessions and jobs of a process that died ran in this box: the first answer of each session says so. */
  readonly isResumed?: boolean;
  /** Closes the link when it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * The terminal's MCP server, in this process, for one box. Nothing starts in the box before the
 * first command. If the box is gone, or its engine fails, the link closes with the reason and
 * requests under way stay unanswered; what the agent's commands do is always an answer.
 */
export async function openTerminal(box: Box, options: TerminalOptions): Promise<ServerLink> {
  const { user, cwd, env = {}, log, isResumed = false, signal } = options;
  const over = new AbortController();
  const place: Place = {
    box,
    user,
    cwd,
    env: { ...TERMINAL_ENV, ...env },
    log,
    signal: AbortSignal.any([signal, over.signal]),
  };
  const link: TerminalLink = new TerminalLink(
    new Terminal(place, (reason, isLoss) => link.end(reason, isLoss), isResumed),
    over,
    log,
  );
  const server = new McpServer({ name: "cloche-terminal", version: VERSION });
  registerTools(server, link.terminal);
  await server.connect(link.transport);
  const close = () => void link[Symbol.asyncDispose]();
  signal.addEventListener("abort", close, { once: true, signal: over.signal });
  if (signal.aborted) await link[Symbol.asyncDispose]();
  return link;
}

/** Changes with the tools: it is part of what an agent is shown. */
const VERSION = "1.1.0";
const DISPOSE_MS = 5_000;

class TerminalLink implements ServerLink {
  readonly closed: Promise<LinkClosed>;
  readonly stderrTail = "";
  readonly terminal: Terminal;
  /** The server's end. */
  readonly transport: Transport;
  readonly #over: AbortController;
  readonly #log: Log;
  readonly #settle: (closed: LinkClosed) => void;
  readonly #early: JsonRpcMessage[] = [];
  #listener: ((message: JsonRpcMessage) => void) | undefined;
  #isClosed = false;
  #disposed: Promise<void> | undefined;

  constructor(terminal: Terminal, over: AbortController, log: Log) {
    const { promise, resolve } = Promise.withResolvers<LinkClosed>();
    this.closed = promise;
    this.terminal = terminal;
    this.#settle = resolve;
    this.#over = over;
    this.#log = log;
    this.transport = {
      start: async () => {},
      close: async () => {},
      send: async (message) => this.#deliver(message as JsonRpcMessage),
    };
  }

  send(message: JsonRpcMessage): void {
    // The SDK reads messages, it does not change them; ours are read-only in name alone.
    if (!this.#isClosed) this.transport.onmessage?.(message as JSONRPCMessage);
  }

  onMessage(listener: (message: JsonRpcMessage) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  break(reason: string): void {
    this.end(reason);
  }

  /** Nothing can be answered any more; whether that is the engine's doing. */
  end(reason: string, isLoss = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle({ reason, exitCode: null, isLoss });
    void this[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.end("it was stopped");
    const late = () => new Error(`no answer within ${DISPOSE_MS} ms`);
    try {
      await withDeadline(DISPOSE_MS, undefined, late, () => this.terminal[Symbol.asyncDispose]());
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, "a terminal could not be ended");
    }
    // Ends what the server still waits for.
    this.transport.onclose?.();
    this.#over.abort(new Error("the terminal was stopped"));
  }

  #deliver(message: JsonRpcMessage): void {
    if (this.#isClosed) return;
    if (this.#listener === undefined) this.#early.push(message);
    else this.#listener(message);
  }
}
