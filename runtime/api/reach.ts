import { hostname, networkInterfaces } from "node:os";
import type { Reachable } from "../mcp/door/http-guard.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** Whether only programs on this machine reach what listens on this address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether an address of a listener stands for all of the machine's: nobody can call it. */
export function isEveryAddress(address: string): boolean {
  return /^(?:::|::ffff:0\.0\.0\.0|0\.0\.0\.0)$/.test(address);
}

/**
 * Under which names a service is called that listens on `host` and `port`: loopback, the address
 * itself (each of the machine's for "every address") and those in `more`, "name" or "name:port".
 */
export function reachOf(host: string, port: number, more: readonly string[] = []): Reachable {
  const own = isEveryAddress(host) ? [...addresses(), hostname()] : [host];
  const names = [...LOOPBACK, ...own.map(bracketed)].map((name) => `${name}:${port}`);
  const others = more.flatMap((name) => [name, `${name}:${port}`]);
  const hosts = [...new Set([...names, ...others].map((name) => name.toLowerCase()))];
  return { hosts, origins: hosts.flatMap((name) => [`http://${name}`, `https://${name}`]) };
}

/** Where programs on this machine reach a listener on every address. */
export function loopbackFor(every: string): string {
  return every === "::" ? "[::1]" : "127.0.0.1";
}

/** As it stands in a URL. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** As it stands outside of a URL. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all = []) => all.map((one) => one.address));
}
