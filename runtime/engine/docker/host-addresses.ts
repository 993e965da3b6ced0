import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { messageOf } from "../../base/fault.ts";
import type { EngineCall } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed } from "./docker-api.ts";

interface ListedNetwork {
  readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string }[] | null } | null;
}

/**
 * Addresses of the machine that Docker is on: its interfaces, or what the name leads to by which
 * Docker is reached there, and its end of each of Docker's networks.
 */
export async function hostAddresses(
  api: DockerApi,
  { signal }: EngineCall,
): Promise<readonly string[]> {
  const ask = { what: "list networks", method: "GET", path: "/networks", signal } as const;
  try {
    const networks = await api.json<readonly ListedNetwork[]>(ask);
    const gateways = networks
      .flatMap(({ IPAM }) => IPAM?.Config ?? [])
      .flatMap(({ Gateway = "" }) => Gateway.split("/")[0] ?? []);
    const all = [...gateways, ...(await machineAddresses(api))];
    return [...new Set(all)].filter((address) => isIP(address) !== 0).sort();
  } catch (error) {
    throw failed(error);
  }
}

async function machineAddresses({ address }: DockerApi): Promise<readonly string[]> {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  // What this machine's programs listen on is not for agents either, wherever Docker is.
  const here = own.map((one) => one.address.split("%")[0] ?? "");
  if (address.host === undefined) return here;
  try {
    const found = await lookup(address.host.replace(/^\[|\]$/g, ""), { all: true });
    return [...here, ...found.map((one) => one.address)];
  } catch (cause) {
    const message = `the addresses of Docker's machine ${address.host}: ${messageOf(cause)}`;
    throw engineFault("failed", message, { cause });
  }
}
