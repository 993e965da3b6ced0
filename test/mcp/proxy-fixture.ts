import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "../../runtime/base/canonical-json.ts";
import { systemClock } from "../../runtime/base/clock.ts";
import { secret } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { McpListener } from "../../runtime/mcp/door/listener.ts";
import { connectClient, type McpClient } from "../../runtime/mcp/mcp-client.ts";
import { McpProxy, type McpProxyOptions } from "../../runtime/mcp/proxy/proxy.ts";
import type { Budget, Step } from "../../runtime/mcp/record/step.ts";
import type { ServerSpec } from "../../runtime/mcp/server-spec.ts";
import { LocalBox } from "../support/local-process.ts";
import { RawAgent, type RawReply } from "./raw-agent.ts";

export const ROOMY: Budget = {
  calls: 100,
  wallMs: 60_000,
  resultBytes: 1_000_000,
  concurrentCalls: 4,
};

/** One of the servers in test/mcp/servers, run by this Node. */
export function fixtureServer(
  file: string,
  name = "odd",
  args: readonly string[] = [],
): ServerSpec {
  const path = fileURLToPath(new URL(`./servers/${file}`, import.meta.url));
  return { name, kind: "stdio", argv: [process.execPath, path, ...args], env: {}, user: "agent" };
}

/** A frame of wire.jsonl. */
export interface Frame {
  readonly seq: number;
  readonly direction: "in" | "out";
  readonly peer: string;
  readonly message: Record<string, Json> & { readonly params?: Record<string, Json> };
}

/** A proxy over local servers, mounted at a listener; everything goes with it. */
export class Serving implements AsyncDisposable {
  readonly proxy: McpProxy;
  readonly box: LocalBox;
  readonly folder: string;
  readonly url: string;
  readonly token: string;
  readonly #stack: AsyncDisposableStack;

  static async open(
    servers: readonly ServerSpec[],
    options: Partial<McpProxyOptions> = {},
    forwardedPorts: readonly number[] = [],
  ): Promise<Serving> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), "cloche-proxy-"));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const box = stack.use(new LocalBox());
    const listener = stack.use(await McpListener.open({ log: silentLog, forwardedPorts }));
    const own = { rolloutId: "r1", box, servers, folder, clock: systemClock, log: silentLog };
    const signal = new AbortController().signal;
    const proxy = stack.use(await McpProxy.open({ ...own, budget: ROOMY, signal, ...options }));
    const token = secret();
    const { url } = stack.use(listener.mount("r1", token, proxy));
    return new Serving(proxy, box, folder, url, token, stack.move());
  }

  private constructor(
    proxy: McpProxy,
    box: LocalBox,
    folder: string,
    url: string,
    token: string,
    stack: AsyncDisposableStack,
  ) {
    this.proxy = proxy;
    this.box = box;
    this.folder = folder;
    this.url = url;
    this.token = token;
    this.#stack = stack;
  }

  async client(): Promise<McpClient> {
    return this.#stack.use(await connectClient(this.url, this.token, new AbortController().signal));
  }

  steps(): Step[] {
    return lines(join(this.folder, "steps.jsonl")) as Step[];
  }

  frames(): Frame[] {
    return lines(join(this.folder, "wire.jsonl")) as Frame[];
  }

  /** Frames that the proxy sent, with this method. */
  sent(method: string): Frame[] {
    return this.frames().filter(({ direction, message }) => {
      return direction === "out" && message["method"] === method;
    });
  }

  /** Waits until there is what is looked for. */
  until<T>(look: () => T | undefined): Promise<T> {
    return until(look);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function lines(path: string): unknown[] {
  const text = readFileSync(path, "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

/** The first text of a result. */
export function textOf(called: unknown): string {
  const { result } = called as { result: { content: { text: string }[] } };
  return result.content[0]?.text ?? "";
}

/** A raw agent with an open session. */
export async function agentOf(serving: Serving): Promise<RawAgent> {
  const agent = new RawAgent(serving.url, serving.token);
  await agent.initialize();
  return agent;
}

export function callTool(
  agent: RawAgent,
  name: string,
  args: object,
  id: unknown,
  meta?: object,
): Promise<RawReply> {
  return agent.ask("tools/call", { name, arguments: args, ...(meta && { _meta: meta }) }, id);
}

/** The structured content of the last message of a reply. */
export function structuredOf(reply: RawReply): unknown {
  const result = reply.messages.at(-1)?.["result"];
  return (result as { structuredContent: unknown } | undefined)?.structuredContent;
}

/** Waits until a frame with this method was written. */
export async function untilFrame(
  serving: Serving,
  method: string,
  direction: "in" | "out",
): Promise<Frame> {
  return await until(() => {
    return serving.frames().find((frame) => {
      return frame.message["method"] === method && frame.direction === direction;
    });
  });
}

/** Waits until so many steps were written; returns the last of them. */
export async function untilStep(serving: Serving, count: number): Promise<Step> {
  return await until(() => serving.steps()[count - 1]);
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
