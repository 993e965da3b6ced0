import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { processIdentity } from "../../base/process-identity.ts";
import { Regrader } from "../../rollout/regrader.ts";
import { openBundle } from "../../store/bundle-reader.ts";
import { openDataFolder } from "../../store/data-folder.ts";
import { benchFault } from "./faults.ts";
import type { Samples } from "./figures.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const LANES = 2;
const BATCH = 60;

/** How many stored bundles of one task are graded again in a second, in one box, two at a time. */
export async function benchRegrade(world: World): Promise<readonly Samples[]> {
  const { quick, rounds } = world.options;
  const batch = quick ? 4 : BATCH;
  const { data, bundle } = await oneBundle(world);
  const parts = { engine: world.engine, data, graderImage: world.images.grader };
  const rest = { clock: systemClock, process: processIdentity() };
  await using regrader = await Regrader.open(bundle, { ...parts, ...rest }, LANES, world.signal);
  const grade = () => regrader.grade(bundle, world.signal);
  await Promise.all(Array.from({ length: LANES }, grade)); // Their Python starts.
  const values: number[] = [];
  for (const _ of turns(world, "regrade", quick ? 1 : rounds)) {
    const fromMs = performance.now();
    await Promise.all(Array.from({ length: batch }, grade));
    values.push((1000 * batch) / (performance.now() - fromMs));
  }
  const what = "bundles of one task, graded again in one box by two processes";
  return [{ name: "regrade.rate", what, unit: "per second", values }];
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
