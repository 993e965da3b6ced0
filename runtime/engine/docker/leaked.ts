import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { DockerApi } from "./docker-api.ts";
import { isGvisor } from "./oci-runtime.ts";

/** What runs a container beside its own programs. */
const RUNNERS = /^(runsc|containerd-shim)/;
/** gVisor's kernel, with all that runs in it; its shim stays to tell Docker of its end. */
const KERNEL = /^runsc-sandbox$/;
/** How long gVisor may take to end a box by itself. */
const PATIENCE_MS = 5_000;
const CONTAINER = /^[0-9a-f]{64}$/;

/**
 * Ends what containers left of themselves on this machine after Docker has forgotten them: a gVisor
 * sandbox that failed to start stays, with its helpers, and nobody would ever end it. Does nothing
 * where the engine is elsewhere; needs the rights of root. Says whose it was.
 */
export async function endLeaked(api: DockerApi, containers: readonly string[]): Promise<number[]> {
  return await endRunners(api, containers, RUNNERS);
}

/**
 * Does what ends these containers. A gVisor kernel that is full of forks hears of it after minutes,
 * and Docker waits for it: where the engine is on this machine it is ended from the host then.
 */
export async function hastened<T>(
  api: DockerApi,
  runtime: string | undefined,
  containers: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (!isGvisor(runtime)) return await work();
  const end = () => void endRunners(api, containers, KERNEL).catch(() => {});
  const timer = setInterval(end, PATIENCE_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function endRunners(
  api: DockerApi,
  containers: readonly string[],
  runners: RegExp,
): Promise<number[]> {
  const ids = containers.filter((id) => CONTAINER.test(id));
  if (ids.length === 0 || process.platform !== "linux") return [];
  if (!api.address.url.startsWith("unix:")) return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(async (pid) => [Number(pid), await argvOf(pid)] as const),
  );
  const leaked = lines.flatMap(([pid, argv]) => (isOf(argv, ids, runners) ? [pid] : []));
  return leaked.filter((pid) => end(pid));
}

async function argvOf(pid: string): Promise<string[]> {
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return line.split("\0");
}

/** By the whole id of the container, as an argument or as a folder in one. */
function isOf(
  [program = "", ...args]: readonly string[],
  ids: readonly string[],
  runners: RegExp,
): boolean {
  if (!runners.test(basename(program))) return false;
  const words = new Set(args.flatMap((arg) => arg.split("/")));
  return ids.some((id) => words.has(id));
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // It ended by itself, or is not ours to end.
  }
}
