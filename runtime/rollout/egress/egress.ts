import { canonicalJson } from "../../base/canonical-json.ts";
import { pause, withDeadline } from "../../base/deadline.ts";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { BoxProcess, Engine, Sandbox } from "../../engine/engine.ts";
import { LineSplitter } from "../../mcp/link/json-lines.ts";
import { AppendFile } from "../../mcp/record/append-file.ts";
import {
  EGRESS_REQUESTS_MAX,
  type EgressLine,
  egressLineSchema,
  readEgressLines,
} from "../../store/egress-lines.ts";
import type { Task } from "../../task/task.ts";
import { rolloutFault } from "../faults.ts";
import type { RolloutParts } from "../parts.ts";
import { EGRESS_PORT } from "./egress-servers.ts";

/** Who runs the forwarder in the main box. No server of a task can have a name that begins so. */
export const FORWARDER_USER = "_egress";
/** Who runs the proxy in the outlet. */
export const OUTLET_USER = "_outlet";

const NODE = ["/usr/local/bin/node", "--max-semi-space-size=1", "--max-old-space-size=96"];
const PROGRAMS = "/opt/cloche/servers";
const LIMITS = {
  connections: 128,
  requests: EGRESS_REQUESTS_MAX,
  bytes: 256 * 1024 * 1024,
  idleMs: 60_000,
};
/** From the sandbox, with frames and what is no request and so counts nowhere else. */
const CARRIED_MAX = 4 * LIMITS.bytes;
const START_MS = 30_000;
const AFTERMATH_MS = 3_000;
const LINE_BYTES_MAX = 16 * 1024;

/** @throws Fault `rollout/egress-not-allowed` for a task that asks where nobody has allowed it */
export function requireEgress(
  { id, egress }: Pick<Task, "id" | "egress">,
  { allowEgress = false }: Pick<RolloutParts, "allowEgress">,
): void {
  if (egress.length === 0 || allowEgress) return;
  const message =
    `task ${id} asks for hosts outside (${egress.join(", ")}), which is not allowed here; ` +
    "allow it with --allow-egress, or CLOCHE_ALLOW_EGRESS=1, if you trust the task with them";
  throw rolloutFault("egress-not-allowed", message, { detail: { hosts: egress } });
}

/** A sandbox's way out. Disposing it ends it, and waits until what it has to say was written. */
export interface Egress extends AsyncDisposable {
  /** Why it is gone, in a sentence; undefined while it is there. */
  readonly lost: string | undefined;
}

export interface EgressParts extends Pick<RolloutParts, "clock"> {
  readonly engine: Pick<Engine, "hostAddresses">;
  readonly log: Log;
  /** Where requests are recorded: `egress.jsonl`. What is in it stays. */
  readonly file: string;
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Opens a way from loopback of the sandbox to the hosts of the list. A forwarder in the sandbox
 * carries connections over its standard streams, which are held here, to those of a proxy in the
 * outlet; neither can be reached otherwise. What goes by is not looked at and not kept: each
 * connection has a window, so that both ends always read. Rejects with `rollout/egress-failed`, or
 * as `Box.open`.
 */
export async function openEgress(sandbox: Sandbox, parts: EgressParts): Promise<Egress> {
  const { engine, hosts, signal, file } = parts;
  const { outlet } = sandbox;
  if (outlet === undefined) throw failed(sandbox, "its outlet is gone");
  const before = await readEgressLines(file);
  const deny = await engine.hostAddresses({ signal });
  const settings = JSON.stringify({ hosts, deny, ...LIMITS });
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(
    await outlet.open([...NODE, `${PROGRAMS}/egress-outlet.mjs`, settings], {
      ...{ user: OUTLET_USER, signal },
    }),
  );
  const argv = [...NODE, `${PROGRAMS}/egress-forwarder.mjs`];
  const forwarder = stack.use(
    await sandbox.open([...argv, String(EGRESS_PORT), String(LIMITS.connections)], {
      ...{ user: FORWARDER_USER, writes: [], signal },
    }),
  );
  await whenListening(sandbox, forwarder, signal);
  const way = new EgressLink(proxy, forwarder, parts, before);
  stack.move();
  return way;
}

class EgressLink implements Egress {
  lost: string | undefined;
  readonly #proxy: BoxProcess;
  readonly #forwarder: BoxProcess;
  readonly #parts: EgressParts;
  readonly #file: AppendFile;
  readonly #recorded: Promise<void>;
  readonly #first: number;
  #lines: number;
  #disposed: Promise<void> | undefined;

  constructor(
    proxy: BoxProcess,
    forwarder: BoxProcess,
    parts: EgressParts,
    before: readonly EgressLine[],
  ) {
    this.#proxy = proxy;
    this.#forwarder = forwarder;
    this.#parts = parts;
    this.#first = Math.max(0, ...before.map(({ request }) => request));
    this.#lines = before.length;
    this.#file = new AppendFile(parts.file);
    this.#recorded = this.#record();
    let words = "";
    forwarder.stderr.on("data", (chunk: Buffer) => {
      words = `${words}${chunk}`.slice(-500);
    });
    forwarder.stderr.on("error", () => {});
    for (const one of [proxy, forwarder]) {
      for (const stream of [one.stdin, one.stdout]) stream.on("error", () => {});
    }
    let carried = 0;
    forwarder.stdout.on("data", ({ length }: Buffer) => {
      carried += length;
      if (carried > CARRIED_MAX) this.#lose(`more than ${CARRIED_MAX} bytes came from the sandbox`);
    });
    forwarder.stdout.pipe(proxy.stdin);
    proxy.stdout.pipe(forwarder.stdin);
    void proxy.ended.then(() => this.#lose("its proxy ended"));
    void forwarder.ended.then(() => this.#lose(`its forwarder ended: ${words.trim()}`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  #lose(why: string): void {
    if (this.#disposed !== undefined || this.lost !== undefined) return;
    this.lost = `the way out of the sandbox is gone: ${why}`;
    this.#parts.log.warn({ lost: this.lost }, "egress was lost");
    // Connections that are open hear of it at once.
    void this[Symbol.asyncDispose]();
  }

  async #dispose(): Promise<void> {
    // The proxy says what came of what is open, and ends.
    this.#proxy.stdin.end();
    await Promise.race([this.#recorded, pause(AFTERMATH_MS)]);
    await Promise.all([this.#proxy, this.#forwarder].map((one) => one[Symbol.asyncDispose]()));
    await this.#recorded;
    try {
      this.#file.close();
    } catch (error) {
      this.#parts.log.error({ error: messageOf(error) }, "egress was not recorded to its end");
    }
  }

  /** Reading stops where it cannot be written: then nothing more goes out either. */
  async #record(): Promise<void> {
    try {
      const splitter = new LineSplitter({ lineBytes: LINE_BYTES_MAX }, (line) => this.#write(line));
      for await (const chunk of this.#proxy.stderr) splitter.push(chunk as Buffer);
    } catch (error) {
      if (this.#disposed === undefined) this.#lose(messageOf(error));
    }
  }

  #write(text: string): void {
    if (this.#lines >= 2 * EGRESS_REQUESTS_MAX) throw new Error("as many requests as may be");
    const at = this.#parts.clock.now().toISOString();
    const line = lineOf(text, at, this.#first);
    this.#file.append(canonicalJson(line));
    this.#lines += 1;
  }
}

/** @throws Error for what our proxy does not say, such as its last words */
function lineOf(text: string, at: string, first: number): EgressLine {
  try {
    const said = JSON.parse(text) as EgressLine;
    return egressLineSchema.parse({ ...said, at, request: first + said.request });
  } catch (cause) {
    throw new Error(`its proxy said: ${text.slice(0, 500)}`, { cause });
  }
}

/** Before anybody else is there who could take its port. */
async function whenListening(
  sandbox: Sandbox,
  { stderr, ended }: BoxProcess,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const splitter = new LineSplitter({ lineBytes: LINE_BYTES_MAX }, resolve);
  const onData = (chunk: Buffer) => splitter.push(chunk);
  stderr.on("data", onData);
  const late = () => failed(sandbox, `its forwarder did not start within ${START_MS} ms`);
  const said = await withDeadline(START_MS, signal, late, async () => {
    return await Promise.race([promise, ended.then(() => "it ended at once")]);
  });
  stderr.off("data", onData);
  if (said !== "listening") throw failed(sandbox, `its forwarder could not start: ${said}`);
}

function failed({ id }: Sandbox, why: string): Error {
  return rolloutFault("egress-failed", `sandbox ${id} has no way out: ${why}`);
}
