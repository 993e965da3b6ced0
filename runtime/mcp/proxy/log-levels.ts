import type { AgentPeer } from "../agent-peer.ts";
import type { GreetedServer } from "./surface.ts";

/** As RFC 5424 has them, the least severe first. */
const LEVELS: readonly unknown[] = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
];

/** Whether this agent wants to hear a log message of that level. */
export function wantsLog(peer: AgentPeer, level: unknown): boolean {
  if (peer.logLevel === undefined) return peer.era === "legacy";
  const rank = LEVELS.indexOf(level);
  return rank === -1 || rank >= LEVELS.indexOf(peer.logLevel);
}

/**
 * How much servers are told to log: as much as the agent that wants the most. Each agent is then
 * shown what it asked for.
 */
export class LogLevels {
  readonly #servers: readonly GreetedServer[];
  #told: string | undefined;

  constructor(servers: readonly GreetedServer[]) {
    this.#servers = servers.filter(
      ({ greeting }) => greeting.capabilities["logging"] !== undefined,
    );
  }

  /** A session sets its level. Returns what servers are to be told: the level, or a lower one. */
  set(peer: AgentPeer, level: unknown, peers: Iterable<AgentPeer>): unknown {
    if (typeof level !== "string" || !LEVELS.includes(level)) return level;
    peer.logLevel = level;
    const ranks = [...peers].flatMap(({ logLevel }) =>
      logLevel === undefined ? [] : [LEVELS.indexOf(logLevel)],
    );
    this.#told = String(LEVELS[Math.min(LEVELS.indexOf(level), ...ranks)]);
    return this.#told;
  }

  /** A request wants to hear this much while it lasts. */
  need(level: string | undefined): void {
    if (level === undefined || !LEVELS.includes(level)) return;
    const isEnough =
      this.#told !== undefined && LEVELS.indexOf(this.#told) <= LEVELS.indexOf(level);
    if (isEnough) return;
    this.#told = level;
    for (const { upstream } of this.#servers) {
      const message = { jsonrpc: "2.0", method: "logging/setLevel", params: { level } } as const;
      upstream.request(message, { answered: () => {}, lost: () => {} });
    }
  }
}
