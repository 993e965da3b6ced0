import { createHash } from "node:crypto";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { nextNumber } from "./store.ts";

/** What a site knows of one browser. A row is made when there is something to remember. */
export interface Session {
  readonly key: string;
}

const COOKIE = "visit";

/** The browser's session, if it sent the key of one. */
export function sessionOf<Row extends Session>(c: Context, rows: readonly Row[]): Row | undefined {
  const key = getCookie(c, COOKIE);
  return key === undefined ? undefined : rows.find((row) => row.key === key);
}

/**
 * The key of a new session: the same in every run of the same site, as all ids here are. It
 * guards nothing beyond what the agent itself signed in to.
 */
export function newSessionKey(site: string, counters: Record<string, number>): string {
  const number = nextNumber(counters, "session");
  return createHash("sha256").update(`${site}/${number}`).digest("hex").slice(0, 32);
}

export function rememberSession(c: Context, { key }: Session): void {
  setCookie(c, COOKIE, key, { path: "/", httpOnly: true, sameSite: "Lax" });
}
