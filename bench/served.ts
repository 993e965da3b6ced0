import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { pause } from "../runtime/base/deadline.ts";
import { LineSplitter } from "../runtime/mcp/link/json-lines.ts";
import type { RolloutView } from "../runtime/service/service.ts";
import { BENCH_TASK } from "./bench-task.ts";
import { benchFault } from "./faults.ts";
import { HttpClient } from "./http-client.ts";
import type { Endpoint } from "./mcp-clients.ts";

export interface ServedOptions {
  readonly data: string;
  readonly root: string;
  /** Sandboxes held ready. */
  readonly pool: number;
  readonly maxOpen: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** A rollout that serves. */
export interface OpenRollout {
  readonly id: string;
  readonly mcp: Endpoint;
}

const MAIN = fileURLToPath(new URL("../runtime/cli/main.ts", import.meta.url));
const START_MS = 60_000;
const STOP_MS = 60_000;
const LEASE_MS = 900_000;
const LOOK_MS = 25;
/** For longer than the pool waits before it fills what was taken. */
const SETTLED_LOOKS = 20;
const STDERR_KEPT = 4_000;

/**
 * `cloche serve` in a process of its own, on a data folder of its own, so that it shares no event
 * loop with who measures it. Disposing ends it and waits until it has removed its sandboxes.
 */
export class Served implements AsyncDisposable {
  /** Path of its data folder. */
  readonly data: string;
  readonly url: string;
  readonly pid: number;
  readonly http: HttpClient;
  readonly #child: ChildProcess;
  readonly #pool: number;
  readonly #signal: AbortSignal;

  static async start(options: ServedOptions): Promise<Served> {
    const { data, root, pool, maxOpen, env, signal } = options;
    signal.throwIfAborted();
    const words = [MAIN, "serve", "--json", "--port", "0", "--grace", "0", "--data", data];
    const numbers = ["--pool", String(pool), "--max-open", String(maxOpen)];
    // In a group of its own: Ctrl-C is for us, and we tell it.
    const child = spawn(process.execPath, [...words, "--root", root, ...numbers], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
      env,
    });
    try {
      const { url } = JSON.parse(await firstLine(child)) as { url: string };
      return new Served(url, child, options);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  private constructor(url: string, child: ChildProcess, { data, pool, signal }: ServedOptions) {
    this.url = url;
    this.data = data;
    this.pid = child.pid ?? 0;
    this.http = new HttpClient(signal);
    this.#child = child;
    this.#pool = pool;
    this.#signal = signal;
  }

  /** Asks for a rollout and resolves once it serves. */
  async open(task: string = BENCH_TASK): Promise<OpenRollout> {
    const { text } = await this.http.ask(`${this.url}/v1/rollouts`, {
      method: "POST",
      headers: { prefer: "wait=600" },
      body: { task, policy: "null", leaseMs: LEASE_MS },
    });
    const { id, mcp, phase, record } = JSON.parse(text) as RolloutView;
    if (mcp !== null) return { id, mcp };
    const why = record?.fault?.message ?? "no fault is recorded";
    throw benchFault("failed", `rollout ${id} does not serve but is ${phase}: ${why}`);
  }

  /** Resolves once it is graded and its sandbox is gone. */
  async finish({ id }: OpenRollout): Promise<void> {
    const path = `${this.url}/v1/rollouts/${id}/finish`;
    const { text } = await this.http.ask(path, { method: "POST", body: {} });
    const { outcome, record } = JSON.parse(text) as RolloutView;
    if (outcome === "graded") return;
    const why = record?.fault?.message ?? "no fault is recorded";
    throw benchFault("failed", `rollout ${id} ended as ${outcome}: ${why}`);
  }

  /** Resolves once its sandbox is gone. */
  async cancel({ id }: OpenRollout): Promise<void> {
    await this.http.ask(`${this.url}/v1/rollouts/${id}`, { method: "DELETE" });
  }

  /** Waits until it does nothing: no rollout is open, the pool is as it should be. */
  async untilQuiet(): Promise<void> {
    await this.#until((value) => {
      const isOpen = value("rollouts_open") + value("pool_filling") > 0;
      return !isOpen && value("pool_ready") >= Math.min(1, this.#pool);
    });
  }

  /** Waits until its pool holds the same for a while and fills nothing, and says how many. */
  async untilSettled(): Promise<number> {
    let held = -1;
    let looks = 0;
    await this.#until((value) => {
      const isSame = value("rollouts_open") + value("pool_filling") === 0;
      looks = isSame && value("pool_ready") === held ? looks + 1 : 0;
      held = value("pool_ready");
      return looks >= SETTLED_LOOKS;
    });
    return held;
  }

  /** Waits until it holds at least so many. */
  async untilHeld(count: number): Promise<void> {
    await this.#until((value) => value("pool_ready") >= count);
  }

  async #until(isSo: (value: (name: string) => number) => boolean): Promise<void> {
    for (;;) {
      const text = await this.#metrics();
      if (isSo((name) => sumOf(text, `cloche_${name}`))) return;
      await pause(LOOK_MS, this.#signal);
    }
  }

  async #metrics(): Promise<string> {
    return (await this.http.ask(`${this.url}/metrics`, { method: "GET" })).text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http[Symbol.dispose]();
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, "exit");
    // Twice: nothing that is open is worth a grade.
    this.#child.kill("SIGTERM");
    const second = setTimeout(() => this.#child.kill("SIGTERM"), 200);
    const last = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(second);
    clearTimeout(last);
  }
}

/** What the service says once it serves; rejects with what it said instead. */
async function firstLine(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  const lines = new LineSplitter({ lineBytes: 65_536 }, resolve);
  child.stdout?.on("data", (chunk: Buffer) => lines.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-STDERR_KEPT);
  });
  const fail = (what: string) =>
    reject(benchFault("failed", `cloche serve ${what}; it said:\n${said.trim()}`));
  child.once("error", (error) => fail(`could not be started: ${error.message}`));
  child.once("exit", (code) => fail(`ended with ${code} before it served`));
  const timer = setTimeout(() => fail(`did not serve within ${START_MS / 1000} s`), START_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Of all series of a metric in Prometheus' text format. */
function sumOf(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(name));
  const own = lines.filter((line) => [" ", "{"].includes(line.charAt(name.length)));
  return own.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
