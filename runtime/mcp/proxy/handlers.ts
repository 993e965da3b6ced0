import type { AgentPeer } from "../agent-peer.ts";
import type { StepLog } from "../record/step-log.ts";
import type { WireLog } from "../record/wire-log.ts";
import { Inquiries } from "./inquiries.ts";
import { Listeners } from "./listeners.ts";
import { LogLevels } from "./log-levels.ts";
import { OtherRequests } from "./other-requests.ts";
import type { McpProxyOptions } from "./proxy.ts";
import { Pump } from "./pump.ts";
import { Replies } from "./replies.ts";
import { Router } from "./routing.ts";
import { ServerRequests } from "./server-requests.ts";
import type { GreetedServer, JoinedServers } from "./surface.ts";
import { ToolCalls } from "./tool-calls.ts";
import type { Underway } from "./underway.ts";

export interface HandlersOptions {
  readonly options: McpProxyOptions;
  readonly servers: readonly GreetedServer[];
  readonly joined: JoinedServers;
  readonly wire: WireLog;
  readonly steps: StepLog;
  readonly pastCalls: number;
  readonly peers: () => Iterable<AgentPeer>;
  readonly onOverBudget: () => void;
  /** The agents have said more than they may; further calls are refused by then. */
  readonly onTooMuch: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** Between the agents and the servers of one rollout: who handles what. */
export interface Handlers {
  readonly pump: Pump;
  readonly calls: ToolCalls;
  readonly requests: ServerRequests;
  readonly listeners: Listeners;
}

/** Puts the parts together; each knows of the others only what it is handed here. */
export function makeHandlers(handlers: HandlersOptions): Handlers {
  const { options, servers, joined, wire, peers } = handlers;
  const { log } = options;
  const replies = new Replies(wire);
  const router = new Router(servers);
  const inquiries: Inquiries = new Inquiries({
    wire,
    onParked: () => calls.makeRoom(),
    onAbandoned: (underway) => {
      if (!calls.abandon(underway)) others.abandon(underway, "the agent did not come back");
    },
    onFailure: handlers.onFailure,
  });
  const onOver = (underway: Underway) => inquiries.over(underway);
  const calls: ToolCalls = toolCalls(handlers, replies, onOver);
  const others: OtherRequests = new OtherRequests({
    router,
    replies,
    seq: () => wire.seq,
    onOver,
  });
  const capabilities = joined.initializeResult["capabilities"] as Record<string, unknown>;
  const watch = (uri: string, wanted: boolean) => router.watch(uri, wanted);
  const listeners = new Listeners({ wire, capabilities: capabilities ?? {}, peers, watch });
  const requests: ServerRequests = new ServerRequests({
    wire,
    log,
    inquiries,
    listeners,
    underway: (upstream) => pump.underway(upstream),
    peers,
    onSurfaceChange: (server) => options.onSurfaceChange?.(server),
    onFailure: handlers.onFailure,
  });
  const levels = new LogLevels(servers);
  const pump: Pump = new Pump({
    servers,
    joined,
    calls,
    others,
    inquiries,
    serverRequests: requests,
    listeners,
    levels,
    replies,
    peers,
    wire,
    log,
    onTooMuch: (message) => {
      calls.refuse({ outcome: "denied_budget", message, budgetUsed: "bytes" });
      handlers.onTooMuch();
    },
  });
  return { pump, calls, requests, listeners };
}

function toolCalls(
  { options, joined, wire, steps, pastCalls, onOverBudget, onFailure }: HandlersOptions,
  replies: Replies,
  onOver: (underway: Underway) => void,
): ToolCalls {
  const { rolloutId, budget, clock, log } = options;
  return new ToolCalls({
    rolloutId,
    routes: joined.routes,
    budget,
    clock,
    log,
    wire,
    steps,
    past: pastCalls,
    onCall: () => options.onCall?.(),
    onStep: (step) => options.onStep?.(step),
    onOverBudget,
    toAgent: (peer, message, relatesTo) => replies.tell(peer, message, relatesTo),
    onOver,
    onFailure,
  });
}
