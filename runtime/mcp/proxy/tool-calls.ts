import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { AgentPeer } from "../agent-peer.ts";
import {
  isObject,
  type JsonRpcRequest,
  progressTokenOf,
  type RequestId,
  RPC_ERROR,
} from "../json-rpc.ts";
import type { JsonRpcMessage, LinkClosed } from "../link/server-link.ts";
import type { Upstream } from "../link/upstream.ts";
import type { Budget, BudgetPart, Step, StepOutcome } from "../record/step.ts";
import type { StepLog } from "../record/step-log.ts";
import type { WireLog } from "../record/wire-log.ts";
import { CallTimer, DEFAULT_CALL_MS } from "./call-timer.ts";
import type { RoutedTool } from "./surface.ts";
import {
  type CallReply,
  callProblem,
  newCall,
  overCalls,
  type Refusal,
  readyReply,
  stepOf,
  type ToolCall,
  toolError,
} from "./tool-call.ts";
import { likelier, type Underway, withoutEnvelope } from "./underway.ts";

export interface ToolCallParts {
  readonly rolloutId: string;
  readonly routes: ReadonlyMap<string, RoutedTool>;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly log: Log;
  readonly wire: WireLog;
  readonly steps: StepLog;
  /** Calls that were made before, by a process that died: numbering and budget go on after them. */
  readonly past: number;
  /** A call arrived, whatever becomes of it. */
  readonly onCall: () => void;
  /** After the step is on disk and before its reply leaves. */
  readonly onStep: (step: Step) => void;
  /** The agent asked for more calls than the budget has. */
  readonly onOverBudget: () => void;
  /** Progress of a call, under the agent's own token. */
  readonly toAgent: (peer: AgentPeer, message: JsonRpcMessage, relatesTo: RequestId) => void;
  readonly onOver: (underway: Underway) => void;
  /** The record broke while a call was ended for its time. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Every `tools/call` of a rollout, whichever session it came from: routed, queued, counted,
 * answered, and on disk as a step before the answer leaves.
 */
export class ToolCalls {
  readonly #parts: ToolCallParts;
  readonly #queue: ToolCall[] = [];
  readonly #active = new Set<ToolCall>();
  readonly #idle: (() => void)[] = [];
  #refusal: Refusal | undefined;
  #count: number;

  constructor(parts: ToolCallParts) {
    this.#parts = parts;
    this.#count = parts.past;
  }

  /**
   * Takes a call; `frame` is its number in the wire log, `known` why it must not be made, if that is
   * known by now.
   */
  accept(peer: AgentPeer, message: JsonRpcRequest, frame: number, known?: string): void {
    const { budget, onOverBudget, rolloutId, routes, clock } = this.#parts;
    this.#count += 1;
    const step = { number: this.#count, callId: `${rolloutId}-${this.#count}` };
    const call = newCall({ peer, message }, step, { frame, routes, clock });
    this.#heard();
    if (this.#refusal === undefined && call.step > budget.calls) {
      this.refuse(overCalls(budget));
      onOverBudget();
    }
    if (this.#refusal !== undefined) {
      this.#deny(call, this.#refusal);
      return;
    }
    const problem = known ?? callProblem(call, this.#parts.routes.keys());
    if (problem !== undefined) {
      const error = { code: RPC_ERROR.invalidParams, message: problem };
      this.#end(call, "invalid_args", { kind: "error", error });
      return;
    }
    call.state = "queued";
    call.queuedMs = this.#parts.clock.monotonicMs();
    this.#queue.push(call);
    this.#fill();
  }

  /** The call that this server most likely works on. */
  underwayAt(upstream: Upstream): Underway | undefined {
    const here = [...this.#active].filter((call) => call.route?.server.upstream === upstream);
    return here.reduce<Underway | undefined>(likelier, undefined);
  }

  /** The agent cancels one of its calls. Returns whether there is such a call. */
  cancel(peer: AgentPeer, id: unknown, reason: string): boolean {
    const isMeant = (call: ToolCall) => call.peer === peer && call.message.id === id;
    const call = this.#queue.find(isMeant) ?? [...this.#active].find(isMeant);
    if (call === undefined) return false;
    this.#cancelUpstream(call, reason);
    const error = { code: RPC_ERROR.server, message: "the agent cancelled the call" };
    this.#end(call, "cancelled", { kind: "none", error });
    return true;
  }

  /** From now on every call is answered with this; those under way go on. */
  refuse(refusal: Refusal): void {
    this.#refusal = refusal;
  }

  /** Refuses the calls that wait for a slot. */
  denyQueued(): void {
    for (const call of [...this.#queue]) {
      if (this.#refusal !== undefined) this.#deny(call, this.#refusal);
    }
  }

  /** Ends all calls under way or waiting, as the outcome says. */
  endAll(outcome: StepOutcome, message: string, budgetUsed?: BudgetPart): void {
    for (const call of [...this.#queue, ...this.#active]) {
      this.#cancelUpstream(call, message);
      this.#end(call, outcome, toolError(RPC_ERROR.server, message, budgetUsed));
    }
  }

  /** A slot became free: a call is parked. */
  makeRoom(): void {
    this.#fill();
  }

  /** Gives a parked call up; its agent never came back. */
  abandon(underway: Underway): boolean {
    const call = underway as ToolCall;
    if (!this.#active.has(call)) return false;
    const message = "the agent did not come back with the input that the call needs";
    this.#cancelUpstream(call, message);
    this.#end(call, "cancelled", { kind: "none", error: { code: RPC_ERROR.server, message } });
    return true;
  }

  /** Resolves as soon as no call is under way or waiting. */
  whenIdle(): Promise<void> {
    if (this.#active.size + this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #fill(): void {
    for (;;) {
      const busy = [...this.#active].filter(({ isParked }) => !isParked).length;
      if (busy >= this.#parts.budget.concurrentCalls) return;
      const call = this.#queue.shift();
      if (call === undefined) return;
      this.#send(call);
    }
  }

  #send(call: ToolCall): void {
    const { route, message, exposedName } = call;
    if (route === undefined) return;
    for (const other of this.#active) {
      other.overlaps.add(call.step);
      call.overlaps.add(other.step);
    }
    this.#active.add(call);
    call.state = "sent";
    call.since = this.#parts.wire.seq;
    call.sentMs = this.#parts.clock.monotonicMs();
    const { upstream } = route.server;
    const wasLost = upstream.lost !== undefined;
    const params = { ...message.params, name: route.tool };
    const renamed = route.tool === exposedName ? message : { ...message, params };
    const asked = call.peer.era === "modern" ? withoutEnvelope(renamed) : renamed;
    call.upstreamId = upstream.request(asked, {
      answered: (response) => this.#answered(call, response),
      lost: (closed) => this.#lost(call, closed, wasLost),
      progress: (progress) => this.#progress(call, progress),
    });
    if (call.state === "sent") this.#limit(call);
  }

  #limit(call: ToolCall): void {
    const { budget, onFailure } = this.#parts;
    call.timer = new CallTimer(call, budget.callMs ?? DEFAULT_CALL_MS, (message) => {
      try {
        this.#cancelUpstream(call, message);
        this.#end(call, "timeout", toolError(RPC_ERROR.server, message));
      } catch (error) {
        onFailure(error);
      }
    });
  }

  #answered(call: ToolCall, { result, error }: JsonRpcMessage): void {
    call.answeredMs = this.#parts.clock.monotonicMs();
    if (error !== undefined) {
      const wrong = error.code === RPC_ERROR.invalidParams;
      this.#end(call, wrong ? "invalid_args" : "protocol_error", { kind: "error", error });
      return;
    }
    if (!isObject(result)) {
      const message = `the server "${call.route?.server.upstream.name}" sent no object as result`;
      const error = { code: RPC_ERROR.internal, message };
      this.#end(call, "protocol_error", { kind: "error", error });
      return;
    }
    const failed = result["isError"] === true;
    this.#end(call, failed ? "tool_error" : "ok", { kind: "result", result, instead: null });
  }

  #lost(call: ToolCall, { reason }: LinkClosed, wasLost: boolean): void {
    const name = call.route?.server.upstream.name;
    const effect = wasLost
      ? "This call was not made."
      : "Whether this call had an effect is not known.";
    const message = `The server "${name}" is gone: ${reason}. It is not started again. ${effect}`;
    this.#end(call, "upstream_lost", toolError(RPC_ERROR.server, message));
  }

  #progress(call: ToolCall, message: JsonRpcMessage): void {
    const progressToken = progressTokenOf(call.message);
    if (progressToken === undefined) return;
    const params = { ...message.params, progressToken };
    this.#parts.toAgent(call.peer, { ...message, params }, call.message.id);
  }

  #deny(call: ToolCall, { outcome, message, budgetUsed }: Refusal): void {
    this.#end(call, outcome, toolError(RPC_ERROR.server, message, budgetUsed));
  }

  #cancelUpstream(call: ToolCall, reason: string): void {
    if (call.state !== "sent" || call.upstreamId === undefined) return;
    call.route?.server.upstream.cancel(call.upstreamId, reason);
  }

  /** The one place where a call ends: frame, step, listeners, reply, in this order. */
  #end(call: ToolCall, outcome: StepOutcome, reply: CallReply): void {
    if (call.state === "over") return;
    call.state = "over";
    call.timer?.stop();
    this.#active.delete(call);
    const waiting = this.#queue.indexOf(call);
    if (waiting !== -1) this.#queue.splice(waiting, 1);
    this.#parts.onOver(call);
    const ready = readyReply(call, outcome, reply, this.#parts.budget.resultBytes);
    this.#record(call, ready);
    if (ready.frame === undefined) call.peer.drop(call.message.id);
    else call.peer.reply(call.message.id, ready.frame);
    this.#fill();
    if (this.#active.size + this.#queue.length > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #heard(): void {
    try {
      this.#parts.onCall();
    } catch (error) {
      this.#parts.log.error({ error: messageOf(error) }, "a listener for calls failed");
    }
  }

  #record(call: ToolCall, ready: ReturnType<typeof readyReply>): void {
    const { steps, wire, clock, log, onStep } = this.#parts;
    if (!steps.isOpen) {
      log.warn({ tool: call.exposedName }, "a call came after the rollout's record was closed");
      return;
    }
    const { frame } = ready;
    const last = frame === undefined ? wire.flush() : wire.write("out", call.peer.name, frame);
    const step = steps.append(stepOf(call, ready, last, clock), ready.resultJson);
    try {
      onStep(step);
    } catch (error) {
      log.error({ error: messageOf(error) }, "a listener for steps failed");
    }
  }
}
