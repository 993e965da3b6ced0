import { join } from "node:path";
import type { Json } from "../base/canonical-json.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Box } from "../engine/engine.ts";
import type { AgentConnection, AgentDoor, AgentPeer } from "./agent-peer.ts";
import { AppendFile } from "./append-file.ts";
import { Pump } from "./pump.ts";
import type { ServerLink } from "./server-link.ts";
import { ServerRequests } from "./server-requests.ts";
import type { ServerSpec } from "./server-spec.ts";
import { startServers } from "./start-servers.ts";
import type { Budget, Ending, Step } from "./step.ts";
import { StepLog } from "./step-log.ts";
import { type GreetedServer, joinServers, type ToolSurface } from "./surface.ts";
import { ToolCalls } from "./tool-calls.ts";
import type { Upstream } from "./upstream.ts";
import { WireLog } from "./wire-log.ts";

export interface McpProxyOptions {
  readonly rolloutId: string;
  readonly box: Box;
  /** In the order in which their tools are shown. */
  readonly servers: readonly ServerSpec[];
  readonly budget: Budget;
  /** Where `steps.jsonl` and `wire.jsonl` are written; made if absent. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted before the proxy is open: `open` rejects. Afterwards: the rollout ends as cancelled. */
  readonly signal: AbortSignal;
  /** Hears of each step once it is on disk, before its reply leaves. */
  readonly onStep?: (step: Step) => void;
  /** What servers are told of the client; they show other tools to other clients. Default: none. */
  readonly clientCapabilities?: Readonly<Record<string, Json>>;
  /** For a server to start and answer. Default 30,000. */
  readonly startTimeoutMs?: number;
  /** How long `finish` waits for calls under way. Default 2,000. */
  readonly drainMs?: number;
}

interface ProxyParts {
  readonly options: McpProxyOptions;
  readonly servers: readonly GreetedServer[];
  readonly wireFile: AppendFile;
  readonly stepFile: AppendFile;
  readonly wire: WireLog;
  readonly links: AsyncDisposableStack;
}

const BOX_CHECKS_MS = [0, 250, 1_000, 3_000];
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The agent's hands in one rollout: the servers of its sandbox behind one door, joined. Every call
 * of a tool is a step on disk before its reply leaves.
 */
export class McpProxy implements AgentDoor, AsyncDisposable {
  readonly rolloutId: string;
  /** The tools that the agent is shown. */
  readonly surface: ToolSurface;
  /**
   * Why the agent's turn was over, whatever comes first: a budget used up, the sandbox's death, an
   * aborted signal, or `finish`. Calls under way may outlast it: `finish` waits for them. Rejects
   * with a Fault if the rollout cannot go on: `mcp/record-failed`, `engine/…`.
   */
  readonly ended: Promise<Ending>;
  readonly #parts: ProxyParts;
  readonly #steps: StepLog;
  readonly #calls: ToolCalls;
  readonly #pump: Pump;
  readonly #requests: ServerRequests;
  readonly #peers = new Set<AgentPeer>();
  readonly #end = Promise.withResolvers<Ending>();
  readonly #wall: NodeJS.Timeout;
  readonly #onAbort = () => this.#end.resolve({ kind: "cancelled" });
  #finished: Promise<void> | undefined;
  #failed = false;
  #checking = false;

  /**
   * Starts the servers in the box, all at once, and greets them. Either all of them serve or none
   * is left and this rejects: `mcp/server-start-failed`, `mcp/server-not-speaking-mcp`,
   * `mcp/tools-refused`, `mcp/tool-name-collision`, `mcp/record-failed`, a fault of the engine, or
   * the signal's reason.
   */
  static async open(options: McpProxyOptions): Promise<McpProxy> {
    const { folder, clock, clientCapabilities = {}, startTimeoutMs = 30_000 } = options;
    await using stack = new AsyncDisposableStack();
    const wireFile = stack.use(new AppendFile(join(folder, "wire.jsonl")));
    const stepFile = stack.use(new AppendFile(join(folder, "steps.jsonl")));
    const wire = new WireLog(wireFile, clock);
    const links = new Set<ServerLink>();
    stack.defer(async () => {
      await Promise.all([...links].map((link) => link[Symbol.asyncDispose]()));
    });
    const start = { ...options, clientCapabilities, startTimeoutMs, wire };
    const keep = (link: ServerLink) => void links.add(link);
    const servers = await startServers(options.servers, { ...start, keep });
    const joined = joinServers(servers);
    return new McpProxy(
      { options, servers, wireFile, stepFile, wire, links: stack.move() },
      joined,
    );
  }

  private constructor(parts: ProxyParts, joined: ReturnType<typeof joinServers>) {
    const { options, servers, wire } = parts;
    const { rolloutId, budget, clock, log, signal } = options;
    this.#parts = parts;
    this.rolloutId = rolloutId;
    this.surface = joined.surface;
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
    this.#steps = new StepLog(parts.stepFile);
    this.#calls = new ToolCalls({
      rolloutId,
      routes: joined.routes,
      budget,
      clock,
      log,
      wire,
      steps: this.#steps,
      onStep: (step) => options.onStep?.(step),
      onOverBudget: () => this.#end.resolve({ kind: "budget", which: "calls" }),
      toAgent: (peer, message, relatesTo) => {
        const text = JSON.stringify(message);
        wire.write("out", peer.name, text);
        peer.send(text, relatesTo);
      },
    });
    this.#requests = new ServerRequests({
      wire,
      log,
      hearer: (upstream) => this.#pump.hearer(upstream),
      peers: () => this.#peers,
      onFailure: (error) => this.#fail(error),
    });
    const [calls, serverRequests] = [this.#calls, this.#requests];
    const onTooMuch = (message: string) => {
      calls.refuse({ outcome: "denied_budget", message });
      this.#end.resolve({ kind: "budget", which: "bytes" });
    };
    this.#pump = new Pump({ servers, joined, calls, serverRequests, wire, log, onTooMuch });
    this.#wall = setTimeout(() => this.#wallOver(), Math.min(budget.wallMs, LONGEST_TIMER_MS));
    signal.addEventListener("abort", this.#onAbort, { once: true });
    for (const { upstream } of servers) this.#watch(upstream);
  }

  /** Steps written so far. */
  get stepCount(): number {
    return this.#steps.count;
  }

  /** By server: the end of what it wrote to its standard error, at most 16 KiB. */
  get stderrTails(): Readonly<Record<string, string>> {
    const { servers } = this.#parts;
    return Object.fromEntries(
      servers.map(({ upstream: { name, stderrTail } }) => [name, stderrTail]),
    );
  }

  connect(peer: AgentPeer): AgentConnection {
    this.#peers.add(peer);
    return {
      receive: (message, text) => {
        this.#guard(() => this.#pump.fromAgent(peer, message, text));
      },
      close: () => {
        this.#peers.delete(peer);
        this.#guard(() => this.#requests.forget(peer));
      },
    };
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
    await this.#parts.links.disposeAsync();
  }

  async #finish(ending: Ending): Promise<void> {
    const { drainMs = 2_000, signal } = this.#parts.options;
    signal.removeEventListener("abort", this.#onAbort);
    clearTimeout(this.#wall);
    this.#end.resolve(ending);
    const message = `The rollout is over (${ending.kind}): this call was not made.`;
    this.#calls.refuse({ outcome: "denied_policy", message });
    this.#pump.stop(`the rollout is over (${ending.kind})`);
    this.#calls.denyQueued();
    await Promise.race([this.#calls.whenIdle(), unrefSleep(drainMs)]);
    this.#calls.endAll(
      "cancelled",
      "The rollout is over: this call was not waited for any longer.",
    );
    this.#parts.wireFile.close();
    this.#parts.stepFile.close();
  }

  #wallOver(): void {
    const seconds = this.#parts.options.budget.wallMs / 1_000;
    const message = `The rollout's time of ${seconds} s is over.`;
    this.#guard(() => {
      const denied = `${message} This call was not made.`;
      this.#calls.refuse({ outcome: "denied_budget", message: denied });
      this.#pump.stop(message);
      this.#calls.endAll("timeout", `${message} This call had not ended by then.`);
    });
    this.#end.resolve({ kind: "budget", which: "wall" });
  }

  #watch(upstream: Upstream): void {
    const { log } = this.#parts.options;
    upstream.listen(this.#requests);
    void upstream.closed.then(async ({ reason }) => {
      if (this.#finished !== undefined) return;
      const { name, stderrTail } = upstream;
      log.warn({ server: name, reason, stderr: stderrTail.slice(-2_000) }, "a server is gone");
      await this.#checkBox();
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
