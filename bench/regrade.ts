import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "../runtime/base/clock.ts";
import { processIdentity } from "../runtime/base/process-identity.ts";
import { Regrader } from "../runtime/rollout/regrade/regrader.ts";
import type { Bundle } from "../runtime/store/bundle.ts";
import { openBundle } from "../runtime/store/bundle-reader.ts";
import { type DataFolder, openDataFolder } from "../runtime/store/data-folder.ts";
import { benchFault } from "./faults.ts";
import type { Samples } from "./figures.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const MAIN = fileURLToPath(new URL("../runtime/cli/main.ts", import.meta.url));
const LANES = 2;
const BATCH = 60;
/** Their graders read workbooks, mails and calendars. */
const REAL = ["library/catalogue-update", "office/mileage-list", "office/absence-cover"];

/** How many stored bundles are graded again: of a small task, and of tasks of this repository. */
export async function benchRegrade(world: World): Promise<readonly Samples[]> {
  const { data, bundle } = await oneBundle(world);
  const small = await rateOf(world, data, bundle);
  const what = "bundles of a small task, graded again in two boxes";
  const samples: Samples[] = [{ name: "regrade.rate", what, unit: "per second", values: small }];
  for (const task of world.options.quick ? [] : REAL) {
    const solved = await solvedBundle(world, task);
    const values = await rateOf(world, solved.data, solved.bundle);
    const whatOf = `bundles of the solution of ${task}, graded again in two boxes`;
    samples.push({ name: `regrade.${basename(task)}`, what: whatOf, unit: "per second", values });
  }
  return samples;
}

async function rateOf(world: World, data: DataFolder, bundle: Bundle): Promise<number[]> {
  const { quick, rounds } = world.options;
  const batch = quick ? 4 : BATCH;
  const parts = { engine: world.engine, data, graderImage: world.images.grader };
  const rest = { clock: systemClock, process: processIdentity() };
  await using regrader = await Regrader.open(bundle, { ...parts, ...rest }, LANES);
  const grade = () => regrader.grade(bundle, world.signal);
  await Promise.all(Array.from({ length: LANES }, grade)); // Their Python starts.
  const values: number[] = [];
  for (const _ of turns(world, "regrade", quick ? 1 : rounds)) {
    const fromMs = performance.now();
    await Promise.all(Array.from({ length: batch }, grade));
    values.push((1000 * batch) / (performance.now() - fromMs));
  }
  return values;
}

/** A rollout of the task by its solution. */
async function solvedBundle({ folder, env, signal }: World, task: string) {
  const data = await openDataFolder(join(folder, `regrade-${basename(task)}`));
  const words = [MAIN, "run", task, "--json", "--data", data.path];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, signal });
  const { rollouts } = JSON.parse(stdout) as { rollouts: readonly { bundle: string | null }[] };
  const path = rollouts[0]?.bundle;
  if (!path) throw benchFault("failed", `the solution of ${task} left no bundle`);
  return { data, bundle: await openBundle(path) };
}

/** A rollout of the task that costs nothing, finished and stored. */
async function oneBundle(world: World) {
  await using served = await world.serve({ pool: 0, maxOpen: 4 });
  await served.finish(await served.open());
  const data = await openDataFolder(served.data);
  const [name] = await readdir(data.bundles);
  if (name === undefined) throw benchFault("failed", "a finished rollout left no bundle");
  return { data, bundle: await openBundle(join(data.bundles, name)) };
}
