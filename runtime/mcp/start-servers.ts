import type { Json } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { Fault, messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Box } from "../engine/engine.ts";
import { mcpFault } from "./faults.ts";
import { greet, nameOf } from "./handshake.ts";
import type { ServerLink } from "./server-link.ts";
import type { ServerSpec } from "./server-spec.ts";
import { stdioLink } from "./stdio-link.ts";
import { type GreetedServer, joinServers, type ToolSurface } from "./surface.ts";
import { Upstream } from "./upstream.ts";
import { WireLog } from "./wire-log.ts";

export interface StartOptions {
  readonly box: Box;
  readonly clock: Clock;
  readonly log: Log;
  /** What servers are told of the client; they show other tools to other clients. Default: none. */
  readonly clientCapabilities?: Readonly<Record<string, Json>>;
  /** For a server to start and answer. Default 30,000. */
  readonly startTimeoutMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Servers that are up and were greeted, and belong to no rollout yet: a pool may hold them. Who
 * opens a proxy on them (`McpProxy.open({…, started})`) hands them over; otherwise disposing ends
 * them. Their frames so far are held in memory and become the first ones of the rollout's wire log.
 */
export interface StartedServers extends AsyncDisposable {
  readonly servers: readonly GreetedServer[];
  readonly wire: WireLog;
  /** The tools that an agent would be shown. */
  readonly surface: ToolSurface;
  /** Why one of them is gone by now, in a sentence; undefined while all are there. */
  readonly lost: string | undefined;
}

/**
 * Starts and greets all servers at the same time. Either all of them serve or none is left and this
 * rejects with the first failure: `mcp/server-start-failed`, `mcp/server-not-speaking-mcp`,
 * `mcp/tools-refused`, `mcp/tool-name-collision`, a fault of the engine, or the signal's reason.
 * Afterwards the signal means nothing to them.
 */
export async function startServers(
  specs: readonly ServerSpec[],
  options: StartOptions,
): Promise<StartedServers> {
  const links = new Set<ServerLink>();
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await Promise.all([...links].map((link) => link[Symbol.asyncDispose]()));
  });
  const wire = new WireLog(options.clock);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const keep = (link: ServerLink) => void links.add(link);
  const isJoined = specs.length > 1;
  const starts = specs.map(async (spec) => {
    try {
      return await startServer(spec, { ...options, signal, wire, keep, isJoined });
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
  const parts = stack.move();
  return {
    servers,
    wire,
    surface,
    get lost() {
      const gone = servers.find(({ upstream }) => upstream.lost !== undefined)?.upstream;
      return gone && `the server "${gone.name}" is gone: ${gone.lost?.reason}`;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

interface StartOneOptions extends StartOptions {
  readonly wire: WireLog;
  /** Takes over what was started, at once, so that it is ended whatever comes after. */
  readonly keep: (link: ServerLink) => void;
  readonly isJoined: boolean;
}

async function startServer(spec: ServerSpec, options: StartOneOptions): Promise<GreetedServer> {
  const { box, wire, log, signal, keep, isJoined } = options;
  const { clientCapabilities = {}, startTimeoutMs = 30_000 } = options;
  const link = await openLink(spec, box, log.child({ server: spec.name }), signal);
  keep(link);
  const upstream = new Upstream(spec.name, link, wire);
  const wish = { capabilities: clientCapabilities, timeoutMs: startTimeoutMs, signal, isJoined };
  return { upstream, greeting: await greet(upstream, spec, wish) };
}

async function openLink(
  spec: ServerSpec,
  box: Box,
  log: Log,
  signal: AbortSignal,
): Promise<ServerLink> {
  if (spec.kind === "terminal") {
    const { openTerminal } = await import("./terminal/terminal-link.ts");
    // Its life is the link's: nothing of it waits on the engine before the first command.
    const never = new AbortController().signal;
    return await openTerminal(box, { user: "agent", cwd: "/workspace", log, signal: never });
  }
  const { argv, user, env } = spec;
  try {
    return stdioLink(await box.open(argv, { user, env, signal }), { log });
  } catch (error) {
    // The engine cannot know that the program is the task's; that it isn't there is the task's fault.
    if (!(error instanceof Fault) || error.code !== "engine/exec-refused") throw error;
    const message = `${nameOf(spec)} could not be started: ${messageOf(error)}`;
    throw mcpFault("server-start-failed", message, { cause: error });
  }
}
