import type { Context } from "hono";
import type { RolloutService, RolloutView } from "../service/service.ts";
import type { ApiEnv } from "./api-parts.ts";

/** What a Prefer header (RFC 7240) asks for; what it holds besides is ignored, as the RFC says. */
export interface Preference {
  /** Seconds, at most 600. */
  readonly wait: number | undefined;
  readonly respondAsync: boolean;
}

const WAIT_MAX_S = 600;

export function preferenceOf(header: string | undefined): Preference {
  const parts = (header ?? "").split(",").map((part) => part.split(";", 1)[0]?.trim() ?? "");
  const seconds = parts.map((part) => /^wait\s*=\s*"?(\d{1,6})"?$/i.exec(part)?.[1]).find(Boolean);
  return {
    wait: seconds === undefined ? undefined : Math.min(Number(seconds), WAIT_MAX_S),
    respondAsync: parts.some((part) => /^respond-async$/i.test(part)),
  };
}

/**
 * The rollouts as they are once all of them serve or have ended, if the caller would wait for that;
 * as they are when its time is up or it has gone away.
 */
export async function served(
  c: Context<ApiEnv>,
  service: RolloutService,
  prefer: string | undefined,
  views: readonly RolloutView[],
): Promise<readonly RolloutView[]> {
  const { wait } = preferenceOf(prefer);
  if (wait === undefined) return views;
  c.header("preference-applied", `wait=${wait}`);
  const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(wait * 1000)]);
  const caller = c.get("caller");
  return Promise.all(views.map(({ id }) => service.untilServing(id, caller, signal)));
}
