import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Under which names clients may reach a listener. */
export interface Reachable {
  /** What a Host header may say, in lower case: "127.0.0.1:8080". */
  readonly hosts: readonly string[];
  /** What an Origin header may say, in lower case: "http://127.0.0.1:8080". */
  readonly origins: readonly string[];
}

/** For programs on this machine, at these ports. */
export function localReach(ports: readonly number[]): Reachable {
  const names = ["127.0.0.1", "localhost", "[::1]"];
  const hosts = ports.flatMap((port) => names.map((name) => `${name}:${port}`));
  return { hosts, origins: hosts.map((host) => `http://${host}`) };
}

/**
 * Whether a request may come from a program that means us. A web page can make a browser send
 * requests here, but only under the page's own name: so the Host must be one of this listener's,
 * and an Origin, if there is one, as well. Returns what is wrong, or undefined.
 */
export function originProblem(request: IncomingMessage, reach: Reachable): string | undefined {
  const hosts = request.headersDistinct["host"] ?? [];
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1 || !reach.hosts.includes(host.toLowerCase())) {
    return "the Host header does not name this listener";
  }
  const { origin } = request.headers;
  if (origin === undefined || reach.origins.includes(origin.toLowerCase())) return undefined;
  return "the Origin header does not name this listener";
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(request: IncomingMessage): string | undefined {
  const match = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? "");
  return match?.[1];
}

/** Compares two secrets in a time that tells nothing about where they differ or how long they are. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
