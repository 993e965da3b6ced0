import type { Json } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Box } from "../../engine/engine.ts";
import { engineFault } from "../../engine/faults.ts";
import { mcpFault } from "../faults.ts";
import { type GreetedServer, joinServers, type ToolSurface } from "../proxy/surface.ts";
import { WireLog } from "../record/wire-log.ts";
import type { ServerSpec } from "../server-spec.ts";
import { type Greeting, greet, nameOf } from "./handshake.ts";
import { type Manifest, promisedGreeting, requireAsPromised } from "./manifest.ts";
import { LinkOpener } from "./open-links.ts";
import { Upstream } from "./upstream.ts";

export interface StartOptions {
  readonly box: Box;
  readonly clock: Clock;
  readonly log: Log;
  /** What servers are told of the client; they show other tools to other clients. Default: none. */
  readonly clientCapabilities?: Readonly<Record<string, Json>>;
  /** What shipped servers said of themselves when the box's image was built. Default: nothing. */
  readonly manifest?: Manifest;
  /** Starts also those that nobody has asked anything yet, in the background. Default: not. */
  readonly wake?: boolean;
  /** In this box servers of a process ran that died; those of their sessions are gone. Default: none. */
  readonly isResumed?: boolean;
  /** For a server to start and answer. Default 30,000. */
  readonly startTimeoutMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Servers that belong to no rollout yet: a pool may hold them. Who opens a proxy on them
 * (`McpProxy.open({…, started})`) hands them over; otherwise disposing ends them. Their frames so
 * far are held in memory and become the first ones of the rollout's wire log.
 */
export interface StartedServers extends AsyncDisposable {
  readonly servers: readonly GreetedServer[];
  readonly wire: WireLog;
  /** The tools that an agent would be shown. */
  readonly surface: ToolSurface;
  /** Why one of them is gone by now; undefined while all are there. */
  readonly lost: Fault | undefined;
}

/**
 * Greets all servers at the same time, and starts them, but for those that the manifest speaks for:
 * they sleep until they are asked something, and are then held to it. Either all of them serve or
 * none is left and this rejects with the first failure: `mcp/server-start-failed`,
 * `mcp/server-not-speaking-mcp`, `mcp/tools-refused`, `mcp/tool-name-collision`, a fault of the
 * engine, or the signal's reason. Afterwards the signal means nothing to them.
 */
export async function startServers(
  specs: readonly ServerSpec[],
  options: StartOptions,
): Promise<StartedServers> {
  const wire = new WireLog(options.clock);
  await using stack = new AsyncDisposableStack();
  const links = stack.use(new LinkOpener(specs, options));
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const beginning = { ...options, signal, wire, links, isJoined: specs.length > 1 };
  const starts = specs.map(async (spec) => {
    try {
      const sleeping = asleep(spec, beginning);
      if (sleeping === undefined) return await awake(spec, beginning);
      if (spec.kind === "stdio" && spec.listens) await rouse(sleeping.upstream, spec);
      return sleeping;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(starts);
  options.signal.throwIfAborted();
  failed.signal.throwIfAborted();
  const servers = settled.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const { surface } = joinServers(servers);
  if (options.wake) for (const { upstream } of servers) void upstream.wake();
  const parts = stack.move();
  return {
    servers,
    wire,
    surface,
    get lost() {
      const gone = servers.find(({ upstream }) => upstream.lost !== undefined)?.upstream;
      if (gone?.lost === undefined || gone.lost.isLoss) return gone && lostServer(gone.name);
      return mcpFault(
        "server-start-failed",
        `the server "${gone.name}" is gone: ${gone.lost.reason}`,
      );
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

interface Beginning extends StartOptions {
  readonly wire: WireLog;
  readonly links: LinkOpener;
  readonly isJoined: boolean;
}

async function awake(spec: ServerSpec, options: Beginning): Promise<GreetedServer> {
  const { wire, links, signal, isJoined, clientCapabilities = {} } = options;
  const { startTimeoutMs: timeoutMs = 30_000 } = options;
  const upstream = new Upstream(spec.name, await links.open(spec, signal), wire);
  const request = { capabilities: clientCapabilities, timeoutMs, signal, isJoined };
  return { upstream, greeting: await greet(upstream, spec, request) };
}

/** The engine lost a server's streams: nobody else can have done it. */
export function lostServer(name: string): Fault {
  return engineFault("program-lost", `the engine lost the streams of the server "${name}"`);
}

/** Waits until a sleeping server is up. No agent is there yet: that it fails is not its doing. */
async function rouse(upstream: Upstream, spec: ServerSpec): Promise<void> {
  await upstream.wake();
  if (upstream.failure !== undefined) throw upstream.failure.error;
  if (upstream.lost === undefined) return;
  if (upstream.lost.isLoss) throw lostServer(upstream.name);
  const message = `${nameOf(spec)} could not be started: ${upstream.lost.reason}`;
  throw mcpFault("server-start-failed", `${message}\n${upstream.stderrTail}`.trim());
}

/** A server that the manifest speaks for: it does so for clients without capabilities alone. */
function asleep(spec: ServerSpec, options: Beginning): GreetedServer | undefined {
  const { manifest = {}, clientCapabilities = {}, startTimeoutMs: timeoutMs = 30_000 } = options;
  const promised = promisedGreeting(spec, manifest);
  if (promised === undefined || Object.keys(clientCapabilities).length > 0) return undefined;
  const { links, wire } = options;
  const { signal } = links;
  const hold = (said: Greeting) => requireAsPromised(spec.name, promised, said);
  const request = { capabilities: {}, timeoutMs, signal, isJoined: true };
  const upstream = new Upstream(
    spec.name,
    {
      open: () => links.open(spec, signal),
      greet: async (first) => hold(await greet(first, spec, request)),
      isFatal,
    },
    wire,
  );
  return { upstream, greeting: promised };
}

/** What an agent can bring about in its box. */
const OF_THE_BOX = ["engine/box-gone", "engine/not-started"];

/**
 * An agent may have used up what a program needs to start. That is its own doing, and it has lost a
 * tool by it; were it a fault, it could end a rollout without a grade.
 */
function isFatal(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  return error.blame !== "task" && !OF_THE_BOX.includes(error.code);
}
