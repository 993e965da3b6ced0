import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { pause } from "../runtime/base/deadline.ts";
import { messageOf } from "../runtime/base/fault.ts";
import type { Samples } from "./figures.ts";
import { StatelessCaller } from "./mcp-clients.ts";
import type { OpenRollout, Served } from "./served.ts";
import type { World } from "./world.ts";

const LOOKS = 5;
const LOOK_MS = 300;
const REST_MS = 2_000;
const WIDTH = 8;
const BOXES = 10;

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
  for (const level of levels) {
    world.say(`memory: ${level} rollouts open`);
    await openUntil(level, served, open, world.signal);
    samples.push(await serviceMemory(world, served, { open: level, anchor }));
  }
  const boxes = await sandboxMemory(world, served, open.slice(0, BOXES));
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

/**
 * As Docker's own program says it: the cgroup's memory without file pages that can be dropped.
 * Servers sleep until they are called, so it is looked at before and after.
 */
async function sandboxMemory(
  world: World,
  served: Served,
  open: readonly OpenRollout[],
): Promise<readonly Samples[]> {
  const anchor = "memory.sandbox-asleep";
  const asleep = "the agent's box of a sandbox that nobody has called: its servers sleep";
  const main = "the same at rest after a call: file server and terminal up";
  const second = "the keeper of a sandbox, in which nothing runs before the grading";
  try {
    const before = await boxBytes(open, world.env);
    await inParallel(open, (rollout) => wake(served, rollout));
    await pause(REST_MS, world.signal);
    const after = await boxBytes(open, world.env);
    return [
      { name: anchor, what: asleep, unit: "MB", values: before.agent },
      { name: "memory.sandbox", what: main, unit: "MB", anchor, values: after.agent },
      { name: "memory.sandbox-keeper", what: second, unit: "MB", values: after.keeper },
    ];
  } catch (error) {
    world.signal.throwIfAborted();
    world.say(`memory: no figure of sandboxes, docker stats gave none: ${messageOf(error)}`);
    return [];
  }
}

async function wake(served: Served, { mcp }: OpenRollout): Promise<void> {
  const caller = new StatelessCaller(served.http, mcp);
  await caller.call("list_allowed_directories", {});
  await caller.call("run_command", { command: "true" });
}

/** There is no pool, so boxes are named after their rollouts. */
async function boxBytes(open: readonly OpenRollout[], env: NodeJS.ProcessEnv) {
  const docker = { env, extendEnv: false, timeout: 60_000 } as const;
  const names = open.flatMap(({ id }) => [`cloche-${id}`, `cloche-${id}-keeper`]);
  const format = "{{.Name}} {{.MemUsage}}";
  const words = ["stats", "--no-stream", "--format", format, ...names];
  const { stdout } = await execa("docker", words, docker);
  const megabytes = { agent: [] as number[], keeper: [] as number[] };
  for (const line of stdout.split("\n")) {
    const [name = "", used = ""] = line.split(" ");
    megabytes[name.endsWith("-keeper") ? "keeper" : "agent"].push(bytesOf(used) / 1e6);
  }
  return megabytes;
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
