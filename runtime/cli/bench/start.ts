import { type Samples, timed } from "./figures.ts";
import { StatelessCaller } from "./mcp-clients.ts";
import type { Served } from "./served.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

/**
 * From asking for a rollout to the answer of `tools/list`: with a sandbox held ready, without one,
 * and what the engine alone takes to create and start the same boxes. One at a time, in turns, the
 * services at rest before each.
 */
export async function benchStart(world: World): Promise<readonly Samples[]> {
  const rounds = world.options.quick ? 1 : world.options.rounds;
  await using warm = await world.serve({ pool: 2, maxOpen: 16 });
  await using cold = await world.serve({ pool: 0, maxOpen: 16 });
  world.say("start: one of each that is not counted");
  for (const served of [warm, cold]) await untilListed(served);
  const times = { warm: [] as number[], cold: [] as number[] };
  const engine = { create: [] as number[], remove: [] as number[] };
  for (const _ of turns(world, "start", rounds)) {
    await Promise.all([warm.untilQuiet(), cold.untilQuiet()]);
    const fromMs = performance.now();
    await using sandbox = await world.createSandbox();
    engine.create.push(performance.now() - fromMs);
    engine.remove.push(await timed(() => sandbox[Symbol.asyncDispose]()));
    times.cold.push(await untilListed(cold));
    await Promise.all([warm.untilQuiet(), cold.untilQuiet()]);
    times.warm.push(await untilListed(warm));
  }
  const [unit, anchor] = ["ms" as const, "start.engine"];
  const bare = "the engine alone: create and start of the same two boxes";
  return [
    { name: anchor, what: bare, unit, values: engine.create },
    { name: "start.engine-remove", what: "and their removal", unit, values: engine.remove },
    {
      name: "start.cold",
      what: "request to tools/list, no pool",
      unit,
      anchor,
      values: times.cold,
    },
    { name: "start.warm", what: "the same from the pool", unit, anchor, values: times.warm },
  ];
}

/** How long it takes; the rollout is given up afterwards. */
async function untilListed(served: Served): Promise<number> {
  const fromMs = performance.now();
  const rollout = await served.open();
  await new StatelessCaller(served.http, rollout.mcp).listTools();
  const ms = performance.now() - fromMs;
  await served.cancel(rollout);
  return ms;
}
