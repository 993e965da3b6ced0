import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/**
 * Whether a request may come from a program on this machine. A web page can make a browser send
 * requests here, but only under the page's own name: so the Host must be this listener's address,
 * and an Origin, if there is one, as well. Returns what is wrong, or undefined.
 */
export function originProblem(request: IncomingMessage, port: number): string | undefined {
  const hosts = request.headersDistinct["host"] ?? [];
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1 || !isLocal(host, port)) {
    return "the Host header does not name this listener";
  }
  const { origin } = request.headers;
  if (origin === undefined) return undefined;
  const allowed = origin.startsWith("http://") && isLocal(origin.slice("http://".length), port);
  return allowed ? undefined : "the Origin header does not name this listener";
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

function isLocal(host: string, port: number): boolean {
  const names = ["127.0.0.1", "localhost", "[::1]"];
  return names.some((name) => host.toLowerCase() === `${name}:${port}`);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
