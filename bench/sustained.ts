import type { Samples } from "./figures.ts";
import { StatelessCaller } from "./mcp-clients.ts";
import type { Served } from "./served.ts";
import type { World } from "./world.ts";

interface Level {
  readonly inFlight: number;
  readonly counted: number;
}

const LEVELS: readonly Level[] = [
  { inFlight: 1, counted: 6 },
  { inFlight: 8, counted: 24 },
  { inFlight: 32, counted: 48 },
];
const QUICK: readonly Level[] = [{ inFlight: 2, counted: 2 }];
const POOL = 8;
/** On a busy machine fewer are counted: after this no further one is begun. */
const BEGIN_MS = 8_000;

/**
 * Whole rollouts a second (asked for, tools listed, finished, graded, gone), against how often the
 * engine alone can create, start and remove the same boxes with as many under way.
 */
export async function benchSustained(world: World): Promise<readonly Samples[]> {
  const samples: Samples[] = [];
  const passes = Math.max(1, Math.floor(world.options.rounds / 10));
  await using served = await world.serve({ pool: POOL, maxOpen: 64 });
  await playOne(served);
  for (const level of world.options.quick ? QUICK : LEVELS) {
    const { inFlight } = level;
    const [ceilings, rates]: [number[], number[]] = [[], []];
    for (let pass = 0; pass < passes; pass++) {
      world.say(`sustained: the engine alone, ${inFlight} in flight`);
      await prepared(served, inFlight);
      const bare = async () => {
        await using _sandbox = await world.createSandbox();
      };
      ceilings.push(await rateOf(level, world.signal, bare));
      world.say(`sustained: rollouts, ${inFlight} in flight`);
      // What the pool held is no gift: the clock stops when it holds as much again.
      const held = await served.untilSettled();
      const refilled = () => served.untilHeld(held);
      rates.push(await rateOf(level, world.signal, () => playOne(served), refilled));
    }
    const anchor = `sustained.engine-${inFlight}`;
    const unit = "per second" as const;
    const bare = `create, start, remove by the engine alone, ${inFlight} at once`;
    const what = `whole rollouts, graded, ${inFlight} in flight`;
    samples.push({ name: anchor, what: bare, unit, values: ceilings });
    samples.push({
      ...{ name: `sustained.rollouts-${inFlight}`, what, unit, anchor },
      values: rates,
    });
  }
  return samples;
}

/** Brings the pool to what it holds for so many at once. */
async function prepared(served: Served, inFlight: number): Promise<void> {
  const wanted = Math.min(inFlight, POOL);
  if ((await served.untilSettled()) >= wanted) return;
  await Promise.all(Array.from({ length: wanted }, () => playOne(served)));
  await served.untilSettled();
}

/** How many are done a second, from the first one's begin to the last one's end, and `after` it. */
async function rateOf(
  { inFlight, counted }: Level,
  signal: AbortSignal,
  work: () => Promise<void>,
  after: () => Promise<void> = async () => {},
): Promise<number> {
  let begun = 0;
  const fromMs = performance.now();
  const worker = async () => {
    while (begun < counted && !signal.aborted && performance.now() - fromMs < BEGIN_MS) {
      begun += 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await after();
  signal.throwIfAborted();
  return (begun * 1000) / (performance.now() - fromMs);
}

async function playOne(served: Served): Promise<void> {
  const rollout = await served.open();
  await new StatelessCaller(served.http, rollout.mcp).listTools();
  await served.finish(rollout);
}
