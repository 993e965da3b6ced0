import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { pause } from "../../base/deadline.ts";
import { messageOf } from "../../base/fault.ts";
import type { Samples } from "./figures.ts";
import type { OpenRollout, Served } from "./served.ts";
import type { World } from "./world.ts";

const LOOKS = 5;
const LOOK_MS = 300;
const REST_MS = 2_000;
const WIDTH = 8;

/** What the service takes with so many rollouts open, and what a sandbox takes that nobody uses. */
export async function benchMemory(world: World): Promise<readonly Samples[]> {
  const { quick, full } = world.options;
  const levels = quick ? [1] : full ? [10, 100, 300] : [10, 100];
  const maxOpen = levels.at(-1) ?? 1;
  await using served = await world.serve({ pool: 0, maxOpen });
  await served.cancel(await served.open());
  const anchor = "memory.service-0";
  const samples = [await serviceMemory(world, served, { open: 0 })];
  const open: OpenRollout[] = [];
  let boxes: readonly Samples[] = [];
  for (const level of levels) {
    world.say(`memory: ${level} rollouts open`);
    await openUntil(level, served, open, world.signal);
    samples.push(await serviceMemory(world, served, { open: level, anchor }));
    if (boxes.length === 0) boxes = await sandboxMemory(world, open);
  }
  world.say(`memory: removing ${open.length} sandboxes`);
  await inParallel(open, (rollout) => served.cancel(rollout));
  return [...samples, ...boxes];
}

async function openUntil(
  count: number,
  served: Served,
  open: OpenRollout[],
  signal: AbortSignal,
): Promise<void> {
  const missing = Array.from({ length: count - open.length }, (_, index) => index);
  await inParallel(missing, async () => {
    signal.throwIfAborted();
    open.push(await served.open());
  });
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}

async function serviceMemory(
  { signal }: World,
  { pid }: Served,
  { open, anchor }: { readonly open: number; readonly anchor?: string },
): Promise<Samples> {
  await pause(REST_MS, signal);
  const values: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    values.push((await residentBytes(pid)) / 1e6);
    await pause(LOOK_MS, signal);
  }
  const what = `resident memory of the service, ${open} rollouts open`;
  return { name: `memory.service-${open}`, what, unit: "MB", values, ...(anchor && { anchor }) };
}

async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  } catch {
    const { stdout } = await execa("ps", ["-o", "rss=", "-p", String(pid)]);
    return Number(stdout.trim()) * 1024;
  }
}

/** As Docker's own program says it: the cgroup's memory without file pages that can be dropped. */
async function sandboxMemory(
  world: World,
  open: readonly OpenRollout[],
): Promise<readonly Samples[]> {
  try {
    const agent: number[] = [];
    const keeper: number[] = [];
    for (const [name, bytes] of await boxBytes(open, world.env)) {
      (name.endsWith("-keeper") ? keeper : agent).push(bytes / 1e6);
    }
    const main = "a sandbox at rest: the agent's box, file server and terminal up";
    const second = "the same: the keeper, in which nothing runs yet";
    return [
      { name: "memory.sandbox", what: main, unit: "MB", values: agent },
      { name: "memory.sandbox-keeper", what: second, unit: "MB", values: keeper },
    ];
  } catch (error) {
    world.signal.throwIfAborted();
    world.say(`memory: no figure of sandboxes, docker stats gave none: ${messageOf(error)}`);
    return [];
  }
}

/** There is no pool, so boxes are named after their rollouts. */
async function boxBytes(
  open: readonly OpenRollout[],
  env: NodeJS.ProcessEnv,
): Promise<[string, number][]> {
  const docker = { env, extendEnv: false, timeout: 60_000 } as const;
  const names = open.flatMap(({ id }) => [`cloche-${id}`, `cloche-${id}-keeper`]);
  const format = "{{.Name}} {{.MemUsage}}";
  const words = ["stats", "--no-stream", "--format", format, ...names];
  const stats = await execa("docker", words, docker);
  return stats.stdout.split("\n").map((line) => {
    const [name = "", used = ""] = line.split(" ");
    return [name, bytesOf(used)];
  });
}

const FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

function bytesOf(text: string): number {
  const [, number, unit] = /^([\d.]+)([A-Za-z]+)$/.exec(text) ?? [];
  return Number(number) * (FACTORS[unit ?? ""] ?? Number.NaN);
}
