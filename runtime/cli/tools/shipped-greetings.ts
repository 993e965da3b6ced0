import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { Box } from "../../engine/engine.ts";
import { openEngine } from "../../engine/engines.ts";
import type { SandboxImage } from "../../image/sandbox-image.ts";
import { serverFiles } from "../../image/server-files.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { startServers } from "../../mcp/link/start-servers.ts";
import { imageOf, type ServerSpec, SHIPPED_SERVERS } from "../../mcp/server-spec.ts";
import { recordManifest } from "../set-up/record-manifest.ts";
import { requireImages } from "../set-up/require-images.ts";

export interface ShippedGreetings {
  /** Of the wanted servers and maybe others, in the order of `SHIPPED_SERVERS`. */
  readonly greetings: Manifest;
  /** Where they are from: the images that rollouts use, or the servers' sources on this machine. */
  readonly source: "images" | "sources";
}

/**
 * What shipped servers say of themselves: as it is written on the images, or else, without an
 * engine or images, from the servers themselves, bundled and started on this machine (seconds).
 */
export async function shippedGreetings(
  wanted: readonly ServerSpec[],
  env: NodeJS.ProcessEnv,
): Promise<ShippedGreetings> {
  const written = await fromImages(env);
  const isWhole = wanted.every(({ name, kind }) => {
    return kind === "terminal" || Object.hasOwn(written, name);
  });
  return isWhole
    ? { greetings: inOrder({ ...written, ...(await terminalGreeting()) }), source: "images" }
    : { greetings: await greetingsFromSources(imageOf(wanted)), source: "sources" };
}

/** The same from the sources, whatever the images say: of the servers in images up to this one. */
export async function greetingsFromSources(upTo: SandboxImage): Promise<Manifest> {
  const recorded = await recordManifest(upTo, await serverFiles(upTo));
  return inOrder({ ...recorded, ...(await terminalGreeting()) });
}

async function fromImages(env: NodeJS.ProcessEnv): Promise<Manifest> {
  try {
    await using engine = await openEngine("docker", { env });
    const { manifests } = await requireImages(engine, env);
    return Object.assign({}, ...Object.values(manifests));
  } catch {
    return {};
  }
}

/** Its server is part of this process and touches no box before its first command. */
async function terminalGreeting(): Promise<Manifest> {
  const specs = Object.values(SHIPPED_SERVERS).filter(({ kind }) => kind === "terminal");
  const { signal } = new AbortController();
  const options = { box: NO_BOX, clock: systemClock, log: silentLog, signal };
  await using started = await startServers(specs, options);
  return Object.fromEntries(
    started.servers.map(({ upstream, greeting }) => [upstream.name, greeting]),
  );
}

function inOrder(greetings: Manifest): Manifest {
  const specs: readonly ServerSpec[] = Object.values(SHIPPED_SERVERS);
  return Object.fromEntries(
    specs.flatMap(({ name }) => {
      const greeting = greetings[name];
      return greeting === undefined ? [] : [[name, greeting] as const];
    }),
  );
}

const nothing = async (): Promise<never> => {
  throw new Error("there is no box here");
};
const NO_BOX: Box = {
  exec: nothing,
  open: nothing,
  putArchive: nothing,
  getArchive: nothing,
  state: nothing,
};
