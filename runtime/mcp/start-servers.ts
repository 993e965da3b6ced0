import type { Json } from "../base/canonical-json.ts";
import { Fault, messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Box } from "../engine/engine.ts";
import { mcpFault } from "./faults.ts";
import { greet, nameOf } from "./handshake.ts";
import type { ServerLink } from "./server-link.ts";
import type { ServerSpec } from "./server-spec.ts";
import { stdioLink } from "./stdio-link.ts";
import type { GreetedServer } from "./surface.ts";
import { Upstream } from "./upstream.ts";
import type { WireLog } from "./wire-log.ts";

export interface StartOptions {
  readonly box: Box;
  readonly wire: WireLog;
  readonly log: Log;
  readonly clientCapabilities: Readonly<Record<string, Json>>;
  readonly startTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Takes over what was started, at once, so that it is ended whatever comes after. */
  readonly keep: (link: ServerLink) => void;
}

/**
 * Starts and greets all servers at the same time. The first failure stops the others and is what
 * this rejects with: a fault of `greet`, of the engine, or the signal's reason.
 */
export async function startServers(
  specs: readonly ServerSpec[],
  options: StartOptions,
): Promise<readonly GreetedServer[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const starts = specs.map(async (spec) => {
    try {
      return await startServer(spec, { ...options, signal });
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const settled = await Promise.allSettled(starts);
  options.signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return settled.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
}

async function startServer(spec: ServerSpec, options: StartOptions): Promise<GreetedServer> {
  const { box, wire, log, clientCapabilities, startTimeoutMs, signal, keep } = options;
  const link = await openLink(spec, box, log.child({ server: spec.name }), signal);
  keep(link);
  const upstream = new Upstream(spec.name, link, wire);
  const wish = { capabilities: clientCapabilities, timeoutMs: startTimeoutMs, signal };
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
