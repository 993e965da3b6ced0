import { type Samples, timed } from "./figures.ts";
import { StatelessCaller } from "./mcp-clients.ts";
import type { Served } from "./served.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

/**
 * From asking for a rollout to the answer of `tools/list`: with a sandbox held ready, without one,
 * and what the engine alone takes to create and start the same boxes. The list is told from the
 * image's manifest, so the first call comes after: without a pool it waits for its server to start.
 * One at a time, in turns, the services at rest before each.
 */
export async function benchStart(world: World): Promise<readonly Samples[]> {
  const rounds = world.options.quick ? 1 : world.options.rounds;
  await using warm = await world.serve({ pool: 2, maxOpen: 16 });
  await using cold = await world.serve({ pool: 0, maxOpen: 16 });
  world.say("start: one of each that is not counted");
  for (const served of [warm, cold]) await untilCalled(served);
  const times = { warm: emptyTimes(), cold: emptyTimes() };
  const engine = { create: [] as number[], remove: [] as number[] };
  for (const _ of turns(world, "start", rounds)) {
    await Promise.all([warm.untilQuiet(), cold.untilQuiet()]);
    const fromMs = performance.now();
    await using sandbox = await world.createSandbox();
    engine.create.push(performance.now() - fromMs);
    engine.remove.push(await timed(() => sandbox[Symbol.asyncDispose]()));
    append(times.cold, await untilCalled(cold));
    await Promise.all([warm.untilQuiet(), cold.untilQuiet()]);
    append(times.warm, await untilCalled(warm));
  }
  const [unit, anchor, coldCall] = ["ms" as const, "start.engine", "start.call-cold"];
  const bare = "the engine alone: create and start of the same two boxes";
  return [
    { name: anchor, what: bare, unit, values: engine.create },
    { name: "start.engine-remove", what: "and their removal", unit, values: engine.remove },
    { name: "start.cold", what: listed("no pool"), unit, anchor, values: times.cold.list },
    { name: "start.warm", what: listed("from the pool"), unit, anchor, values: times.warm.list },
    {
      name: coldCall,
      what: "then the first call: its server starts",
      unit,
      values: times.cold.call,
    },
    {
      ...{ name: "start.call-warm", what: "the same where the pool has started it", unit },
      ...{ anchor: coldCall, values: times.warm.call },
    },
  ];
}

const listed = (how: string) => `request to tools/list, which the manifest answers; ${how}`;

interface Times {
  readonly list: number[];
  readonly call: number[];
}

function emptyTimes(): Times {
  return { list: [], call: [] };
}

function append({ list, call }: Times, { listMs, callMs }: { listMs: number; callMs: number }) {
  list.push(listMs);
  call.push(callMs);
}

/** How long the list takes, and then a call of the file server; the rollout is given up afterwards. */
async function untilCalled(served: Served): Promise<{ listMs: number; callMs: number }> {
  const fromMs = performance.now();
  const rollout = await served.open();
  const caller = new StatelessCaller(served.http, rollout.mcp);
  await caller.listTools();
  const listMs = performance.now() - fromMs;
  const callMs = await timed(() => caller.call("list_allowed_directories", {}));
  await served.cancel(rollout);
  return { listMs, callMs };
}
