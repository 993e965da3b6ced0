import { hostname, networkInterfaces } from "node:os";
import type { Reachable } from "../mcp/door/http-guard.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const EVERY_ADDRESS = ["0.0.0.0", "::"];

/** Whether only programs on this machine reach what listens on this address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Under which names a service is called that listens on `host` and `port`: loopback, the address
 * itself (each of the machine's for "every address") and those in `more`, "name" or "name:port".
 */
export function reachOf(host: string, port: number, more: readonly string[] = []): Reachable {
  const own = EVERY_ADDRESS.includes(host) ? [...addresses(), hostname()] : [host];
  const names = [...LOOPBACK, ...own.map(bracketed)].map((name) => `${name}:${port}`);
  const others = more.flatMap((name) => [name, `${name}:${port}`]);
  const hosts = [...new Set([...names, ...others].map((name) => name.toLowerCase()))];
  return { hosts, origins: hosts.flatMap((name) => [`http://${name}`, `https://${name}`]) };
}

/** As it stands in a URL. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map((one) => one.address));
}
