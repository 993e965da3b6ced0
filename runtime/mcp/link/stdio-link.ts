import { exactJson } from "../../base/exact-json.ts";
import type { BoxProcess } from "../../engine/engine.ts";
import { markRepaired, RPC_ERROR, readMessage } from "../json-rpc.ts";
import type { LongLine } from "./json-lines.ts";
import { LineProcess, type LineProcessOptions } from "./line-process.ts";
import type { JsonRpcMessage, LinkClosed, ServerLink } from "./server-link.ts";

/** Speaks JSON-RPC, a message a line, with a program in a box. Takes the process over. */
export function stdioLink(process: BoxProcess, options: LineProcessOptions): ServerLink {
  const lines: LineProcess = new LineProcess(process, options, {
    line: (line, isRepaired) => link.take(line, line, isRepaired),
    longLine: (line) => link.takeLong(line),
  });
  const link = new StdioLink(lines, "", () => lines[Symbol.asyncDispose]());
  return link;
}

/**
 * Several servers in one program, a link for each: lines are led by the name of the server that
 * they are for or from, and a tab. The program's end is each one's end; it is ended when all of the
 * links are disposed. Takes the process over.
 */
export function sharedLinks(
  process: BoxProcess,
  names: readonly string[],
  options: LineProcessOptions,
): ReadonlyMap<string, ServerLink> {
  const links = new Map<string, StdioLink>();
  const ledBy = (line: string) => {
    const tab = line.indexOf("\t");
    const link = links.get(line.slice(0, Math.max(0, tab)));
    if (link === undefined) lines.garbage(line, "it is led by no server's name");
    return { link, rest: line.slice(tab + 1) };
  };
  const lines: LineProcess = new LineProcess(process, options, {
    line: (line, isRepaired) => {
      const { link, rest } = ledBy(line);
      link?.take(rest, line, isRepaired);
    },
    longLine: (line) => {
      const { link, rest } = ledBy(line.head);
      link?.takeLong({ ...line, head: rest });
    },
  });
  const open = new Set(names);
  for (const name of names) {
    const dispose = async () => {
      open.delete(name);
      if (open.size === 0) await lines[Symbol.asyncDispose]();
    };
    links.set(name, new StdioLink(lines, `${name}\t`, dispose));
  }
  return links;
}

/** An answer's id in front of the answer or, as many write it, behind it. */
const FIRST_ID = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"(?:result|error)":/;
const IS_ANSWER = /^\{(?:"jsonrpc":"2\.0",)?"(?:result|error)":/;
const LAST_ID = /,"id":(\d{1,15})(?:,"jsonrpc":"2\.0")?\}$/;

class StdioLink implements ServerLink {
  readonly closed: Promise<LinkClosed>;
  readonly #lines: LineProcess;
  readonly #lead: string;
  readonly #dispose: () => Promise<void>;
  readonly #stopped = Promise.withResolvers<LinkClosed>();
  #isClosed = false;
  #early: [JsonRpcMessage, string | undefined][] = [];
  #listener: ((message: JsonRpcMessage, text?: string) => void) | undefined;

  constructor(lines: LineProcess, lead: string, dispose: () => Promise<void>) {
    this.#lines = lines;
    this.#lead = lead;
    this.#dispose = dispose;
    this.closed = Promise.race([this.#stopped.promise, lines.closed]);
  }

  get stderrTail(): string {
    return this.#lines.stderrTail;
  }

  send(message: JsonRpcMessage, text = exactJson(message)): void {
    if (!this.#isClosed) this.#lines.write(`${this.#lead}${oneLine(text)}`);
  }

  onMessage(listener: (message: JsonRpcMessage, text?: string) => void): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const [message, text] of early) listener(message, text);
  }

  /** A line of the server's; `whole` is as the program wrote it. */
  take(line: string, whole: string, isRepaired: boolean): void {
    if (this.#isClosed) return;
    const read = readMessage(line);
    if (read.kind === "refused") {
      this.#lines.garbage(whole, read.reason);
      this.#withhold(line.slice(0, 1_024), line.slice(-1_024), read.reason);
      return;
    }
    if (isRepaired) markRepaired(read.message);
    this.#hand(read.message, line);
  }

  /** A line of the server's that was too long to be kept. */
  takeLong({ bytes, sha256, head, tail }: LongLine): void {
    if (this.#isClosed) return;
    const reason = `it has ${bytes} bytes (sha256 ${sha256})`;
    if (!this.#withhold(head, tail, reason)) this.#lines.garbage(head, reason);
  }

  break(reason: string): void {
    this.#lines.break(reason);
  }

  /**
   * Whoever waits for an answer that cannot be handed on is told so, if the line says whose it is.
   * Quotes in a JSON text are escaped, so nothing inside of the answer reads like this.
   */
  #withhold(head: string, tail: string, reason: string): boolean {
    const id = FIRST_ID.exec(head)?.[1] ?? (IS_ANSWER.test(head) && LAST_ID.exec(tail)?.[1]);
    if (!id) return false;
    const message = `The server's answer was withheld: ${reason}. The request itself was made.`;
    const error = { code: RPC_ERROR.server, message };
    this.#hand({ jsonrpc: "2.0", id: Number(id), error });
    return true;
  }

  #hand(message: JsonRpcMessage, text?: string): void {
    if (this.#listener === undefined) this.#early.push([message, text]);
    else this.#listener(message, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#stopped.resolve({ reason: "it was stopped", exitCode: null });
    await this.#dispose();
  }
}

/**
 * U+2028 and U+2029 are no line ends to MCP, but they are to Node's readline, which servers use.
 * They occur in JSON's texts only, where their escapes mean the same.
 */
function oneLine(text: string): string {
  if (!text.includes("\u2028") && !text.includes("\u2029")) return text;
  return text.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
