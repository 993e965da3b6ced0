import { lookup } from "node:dns/promises";
import { Channels } from "./channels.ts";
import { EgressProxy } from "./proxy.ts";
import type { EgressRecord } from "./record.ts";

/**
 * Runs outside of the sandbox, in a box with a network: `node egress-outlet.mjs <settings>`. It
 * speaks on its standard streams alone and listens nowhere: connections come and go in frames, each
 * request is said on stderr as a line of JSON.
 */
interface Settings {
  readonly hosts: readonly string[];
  /** Addresses of the engine's own machine. */
  readonly deny: readonly string[];
  readonly connections: number;
  readonly requests: number;
  readonly bytes: number;
  readonly idleMs: number;
}

/** How long those that were broken off may take to say so. */
const AFTERMATH_MS = 500;

const settings = JSON.parse(process.argv[2] ?? "") as Settings;
const { connections, requests, bytes, idleMs } = settings;

const proxy = new EgressProxy({
  hosts: settings.hosts,
  rules: { deny: settings.deny },
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  onRecord: (record: EgressRecord) => process.stderr.write(`${JSON.stringify(record)}\n`),
  limits: { connections, requests, bytes, idleMs },
});

const channels = new Channels(process.stdout, {
  max: connections,
  idleMs,
  onOpen: (channel) => proxy.serve(channel),
});

process.stdin.on("data", (chunk: Buffer) => {
  try {
    channels.push(chunk);
  } catch {
    leave();
  }
});
process.stdin.on("end", leave);

function leave(): void {
  channels.close();
  setTimeout(() => process.exit(0), AFTERMATH_MS);
}
