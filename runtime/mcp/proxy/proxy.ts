import type { Json } from "../../base/canonical-json.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Box } from "../../engine/engine.ts";
import type { AgentConnection, AgentDoor, AgentPeer } from "../agent-peer.ts";
import type { Manifest } from "../link/manifest.ts";
import { lostServer, type StartedServers, startServers } from "../link/start-servers.ts";
import type { Upstream } from "../link/upstream.ts";
import { openRecord, type RecordFiles, recordInterrupted } from "../record/record-files.ts";
import type { Budget, Ending, Step } from "../record/step.ts";
import type { ServerSpec } from "../server-spec.ts";
import { type CalledTool, callDirectly } from "./direct-caller.ts";
import { type Handlers, makeHandlers } from "./handlers.ts";
import { type JoinedServers, joinServers, type ToolSurface } from "./surface.ts";

export interface McpProxyOptions {
  readonly rolloutId: string;
  readonly box: Box;
  /** In the order in which their tools are shown. */
  readonly servers: readonly ServerSpec[];
  /** The servers, if they are up already (`startServers`); the proxy takes them over. */
  readonly started?: StartedServers;
  readonly budget: Budget;
  /** Where `steps.jsonl` and `wire.jsonl` are written; made if absent. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted before the proxy is open: `open` rejects. Afterwards: the rollout ends as cancelled. */
  readonly signal: AbortSignal;
  /** Hears that a call arrived, whatever becomes of it: the agent is alive. */
  readonly onCall?: () => void;
  /** Hears of each step once it is on disk, before its reply leaves. */
  readonly onStep?: (step: Step) => void;
  /** A server changed its tools. Agents are shown the pinned ones all the same. */
  readonly onSurfaceChange?: (server: string) => void;
  /** What servers are told of the client; they show other tools to other clients. Default: none. */
  readonly clientCapabilities?: Readonly<Record<string, Json>>;
  /** What shipped servers said of themselves when the box's image was built; see `startServers`. */
  readonly manifest?: Manifest;
  /** For a server to start and answer. Default 30,000. */
  readonly startTimeoutMs?: number;
  /** How long `finish` waits for calls under way. Default 2,000. */
  readonly drainMs?: number;
}

interface ProxyParts {
  readonly options: McpProxyOptions;
  readonly started: StartedServers;
  readonly record: RecordFiles;
  readonly resources: AsyncDisposableStack;
}

const BOX_CHECKS_MS = [0, 250, 1_000, 3_000];
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The agent's tools in one rollout: the servers of its sandbox behind one door, joined. Every call
 * of a tool is a step on disk before its reply leaves.
 */
export class McpProxy implements AgentDoor, AsyncDisposable {
  readonly rolloutId: string;
  /** The tools that the agent is shown. */
  readonly surface: ToolSurface;
  readonly headerParams: AgentDoor["headerParams"];
  /**
   * Why the agent's turn was over, whatever comes first: a budget used up, the sandbox's death, an
   * aborted signal, or `finish`. Calls under way may outlast it: `finish` waits for them. Rejects
   * with a Fault if the rollout cannot go on: `mcp/record-failed`, `engine/…`.
   */
  readonly ended: Promise<Ending>;
  /** Once it is over: a server whose streams the engine had lost by then. */
  lost: string | undefined;
  readonly #parts: ProxyParts;
  readonly #handlers: Handlers;
  readonly #peers = new Set<AgentPeer>();
  readonly #end = Promise.withResolvers<Ending>();
  readonly #wall: NodeJS.Timeout;
  readonly #onAbort = () => this.#end.resolve({ kind: "cancelled" });
  #finished: Promise<void> | undefined;
  #failed = false;
  #checking = false;
  #ownCalls = 0;

  /**
   * Starts the servers in the box, all at once, and greets them, unless they are up already. Either
   * all of them serve or none is left and this rejects: `mcp/server-start-failed`,
   * `mcp/server-not-speaking-mcp`, `mcp/tools-refused`, `mcp/tool-name-collision`,
   * `mcp/record-failed`, a fault of the engine, or the signal's reason.
   */
  static async open(options: McpProxyOptions): Promise<McpProxy> {
    return await McpProxy.#open(options, false);
  }

  /**
   * Goes on with a rollout whose process died, in the folder that it left. What it wrote is checked
   * and continued: numbers, the chain of hashes, calls used of the budget. Calls that were under way
   * become steps with the outcome `interrupted`. Servers are started anew, or handed over as
   * `started`, as those of the dead process lost their streams with it. `budget.calls` is that of
   * the whole rollout; `budget.wallMs` is what is left. Rejects as `open` does, and with
   * `mcp/record-broken`.
   */
  static async resume(options: McpProxyOptions): Promise<McpProxy> {
    return await McpProxy.#open(options, true);
  }

  static async #open(options: McpProxyOptions, isResumed: boolean): Promise<McpProxy> {
    await using stack = new AsyncDisposableStack();
    if (options.started !== undefined) stack.use(options.started);
    const record = openRecord(options.folder, isResumed, stack);
    const starting = { ...options, isResumed };
    const started = options.started ?? stack.use(await startServers(options.servers, starting));
    options.signal.throwIfAborted();
    if (started.lost !== undefined) throw started.lost;
    started.wire.attach(record.wireFile, record.past?.lastFrame ?? 0);
    const joined = joinServers(started.servers);
    const onStep = (step: Step) => options.onStep?.(step);
    recordInterrupted(record, options.rolloutId, joined, onStep);
    return new McpProxy({ options, started, record, resources: stack.move() }, joined);
  }

  private constructor(parts: ProxyParts, joined: JoinedServers) {
    const { options, started, record } = parts;
    const { rolloutId, budget, signal } = options;
    this.#parts = parts;
    this.rolloutId = rolloutId;
    this.surface = joined.surface;
    this.headerParams = joined.headerParams;
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
    this.#handlers = makeHandlers({
      options,
      servers: started.servers,
      wire: started.wire,
      joined,
      steps: record.steps,
      pastCalls: record.past?.calls ?? 0,
      peers: () => this.#peers,
      onOverBudget: () => this.#end.resolve({ kind: "budget", which: "calls" }),
      onTooMuch: () => this.#end.resolve({ kind: "budget", which: "bytes" }),
      onFailure: (error) => this.#fail(error),
    });
    this.#wall = setTimeout(() => this.#wallOver(), Math.min(budget.wallMs, LONGEST_TIMER_MS));
    signal.addEventListener("abort", this.#onAbort, { once: true });
    for (const { upstream } of started.servers) this.#watch(upstream);
  }

  /** Steps written so far. */
  get stepCount(): number {
    return this.#parts.record.steps.count;
  }

  /** By server: the end of what it wrote to its standard error, at most 16 KiB. */
  get stderrTails(): Readonly<Record<string, string>> {
    const { servers } = this.#parts.started;
    return Object.fromEntries(
      servers.map(({ upstream: { name, stderrTail } }) => [name, stderrTail]),
    );
  }

  connect(peer: AgentPeer): AgentConnection {
    this.#peers.add(peer);
    return {
      receive: (read) => this.#guard(() => this.#handlers.pump.fromAgent(peer, read)),
      cancel: (id, reason) => this.#guard(() => this.#handlers.pump.cancel(peer, id, reason)),
      close: () => {
        this.#peers.delete(peer);
        this.#guard(() => {
          this.#handlers.requests.forget(peer);
          this.#handlers.listeners.forget(peer);
        });
      },
    };
  }

  /**
   * Calls a tool for an agent that speaks no MCP. The same steps, budgets and records as through the
   * endpoint, and as many at once as the caller likes; `problem` says why it must not be made. An
   * aborted signal cancels the call; rejects with the signal's reason, or with what broke the record.
   */
  async callTool(
    name: string,
    args: unknown,
    options: { readonly signal?: AbortSignal; readonly problem?: string } = {},
  ): Promise<CalledTool> {
    this.#ownCalls += 1;
    const id = this.#ownCalls;
    const broken = this.ended.then(() => new Promise<never>(() => {}));
    return await Promise.race([callDirectly(this, id, { name, arguments: args }, options), broken]);
  }

  /**
   * Ends the agent's turn. Later calls are refused and reach no server; those under way get a
   * moment, then are given up. When it resolves, `steps.jsonl` and `wire.jsonl` are complete and
   * on disk. Idempotent. @throws Fault `mcp/record-failed`
   */
  finish(ending: Ending): Promise<void> {
    this.#finished ??= this.#finish(ending);
    return this.#finished;
  }

  /** Ends the turn if need be, then the servers. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { log } = this.#parts.options;
    try {
      await this.finish({ kind: "cancelled" });
    } catch (error) {
      log.error({ error: messageOf(error) }, "the record of a rollout could not be closed");
    }
    await this.#parts.resources.disposeAsync();
  }

  async #finish(ending: Ending): Promise<void> {
    const { drainMs = 2_000, signal } = this.#parts.options;
    signal.removeEventListener("abort", this.#onAbort);
    clearTimeout(this.#wall);
    this.#end.resolve(ending);
    const message = `The rollout is over (${ending.kind}): this call was not made.`;
    const budgetUsed = ending.kind === "budget" ? ending.which : undefined;
    this.#handlers.calls.refuse({ outcome: "denied_policy", message, budgetUsed });
    this.#handlers.pump.stop(`the rollout is over (${ending.kind})`);
    this.#handlers.calls.denyQueued();
    await Promise.race([this.#handlers.calls.whenIdle(), unrefSleep(drainMs)]);
    this.#handlers.calls.endAll(
      "cancelled",
      "The rollout is over: this call was not waited for any longer.",
    );
    const { servers } = this.#parts.started;
    this.lost = servers.find(({ upstream }) => upstream.lost?.isLoss)?.upstream.name;
    this.#parts.record.wireFile.close();
    this.#parts.record.stepFile.close();
  }

  #wallOver(): void {
    const seconds = this.#parts.options.budget.wallMs / 1_000;
    const message = `The rollout's time of ${seconds} s is over.`;
    this.#guard(() => {
      const denied = `${message} This call was not made.`;
      this.#handlers.calls.refuse({
        outcome: "denied_budget",
        message: denied,
        budgetUsed: "wall",
      });
      this.#handlers.pump.stop(message);
      this.#handlers.calls.endAll("timeout", `${message} This call had not ended by then.`, "wall");
    });
    this.#end.resolve({ kind: "budget", which: "wall" });
  }

  #watch(upstream: Upstream): void {
    const { log } = this.#parts.options;
    upstream.listen(this.#handlers.requests);
    void upstream.closed.then(async ({ reason, isLoss }) => {
      if (this.#finished !== undefined) return;
      const { name, stderrTail } = upstream;
      log.warn({ server: name, reason, stderr: stderrTail.slice(-2_000) }, "a server is gone");
      await this.#checkBox();
      // Nothing that an agent does: it has lost a tool that others have.
      if (isLoss && this.#finished === undefined) this.#fail(lostServer(name));
    });
  }

  /** An engine may hear of a box's death later than the streams of its programs break. */
  async #checkBox(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      for (const waitMs of BOX_CHECKS_MS) {
        await unrefSleep(waitMs);
        if (this.#finished !== undefined) return;
        const { running, outOfMemory } = await this.#parts.options.box.state();
        if (running) continue;
        this.#end.resolve({ kind: "sandbox_died", outOfMemory });
        return;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#checking = false;
    }
  }

  /** Runs what may fail for the record's sake. Once it has failed nothing leaves any more. */
  #guard(work: () => void): void {
    if (this.#failed) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#finished !== undefined) return;
    this.#failed = true;
    this.#parts.options.log.error({ error: messageOf(error) }, "the proxy of a rollout failed");
    this.#end.reject(error);
  }
}

function unrefSleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
