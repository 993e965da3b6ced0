import { type Samples, timed } from "./figures.ts";
import { StatelessCaller } from "./mcp-clients.ts";
import { officeTask, TYPICAL_CALLS } from "./office-task.ts";
import type { OpenRollout, Served } from "./served.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const ANCHOR = "filesystem";
const BURSTS = 3;
const BURST_MS = 1_500;
const QUICK_BURST_MS = 100;
/** In so many, to show that it works. */
const QUICK_SERVERS = ["filesystem", "spreadsheet", "calendar"];

/**
 * What an agent meets in a rollout that has one server, which nobody has asked anything: the answer
 * of `tools/list`, which the image's manifest gives, and its first call, for which the server wakes (but
 * for one that listens, which is up before anybody is there).
 */
export async function benchFirstAnswers(world: World, served: Served): Promise<readonly Samples[]> {
  const { quick, rounds } = world.options;
  const names = quick ? QUICK_SERVERS : Object.keys(TYPICAL_CALLS);
  const times = new Map(
    names.map((name) => [name, { list: [] as number[], call: [] as number[] }]),
  );
  world.say("surfaces, first answers: one that is not counted");
  const first = await served.open(officeTask(names[0]));
  await new StatelessCaller(served.http, first.mcp).listTools();
  await served.cancel(first);
  for (const _ of turns(world, "surfaces, first answers", quick ? 1 : Math.ceil(rounds / 2))) {
    for (const [name, { list, call }] of times) {
      const rollout = await served.open(officeTask(name));
      const caller = new StatelessCaller(served.http, rollout.mcp);
      list.push(await timed(() => caller.listTools()));
      call.push(await timed(() => typicalCall(caller, name)));
      await served.cancel(rollout);
      world.signal.throwIfAborted();
    }
  }
  return [...times].flatMap(([name, { list, call }]) => [
    figure("list", name, { what: "tools/list, while nothing is up", unit: "ms", values: list }),
    figure("first", name, { what: "then the first call", unit: "ms", values: call }),
  ]);
}

/** Calls a second through the endpoint, one at a time, all servers up. */
export async function benchRates(world: World, served: Served): Promise<readonly Samples[]> {
  const rollout: OpenRollout = await served.open(officeTask());
  const caller = new StatelessCaller(served.http, rollout.mcp);
  const rates = new Map(Object.keys(TYPICAL_CALLS).map((name) => [name, [] as number[]]));
  const ms = world.options.quick ? QUICK_BURST_MS : BURST_MS;
  for (const name of rates.keys()) await typicalCall(caller, name);
  for (const _ of turns(world, "surfaces, calls", world.options.quick ? 1 : BURSTS)) {
    for (const [name, values] of rates) values.push(await rateOf(caller, name, ms));
  }
  await served.cancel(rollout);
  return [...rates].map(([name, values]) => {
    const { tool = "" } = TYPICAL_CALLS[name] ?? {};
    return figure("rate", name, { what: `${tool}, one at a time`, unit: "per second", values });
  });
}

async function rateOf(caller: StatelessCaller, name: string, ms: number): Promise<number> {
  const fromMs = performance.now();
  let done = 0;
  while (performance.now() - fromMs < ms) {
    await typicalCall(caller, name);
    done += 1;
  }
  return (done * 1000) / (performance.now() - fromMs);
}

async function typicalCall(caller: StatelessCaller, name: string): Promise<void> {
  const { tool = "", args = {} } = TYPICAL_CALLS[name] ?? {};
  await caller.call(tool, args);
}

function figure(
  kind: string,
  name: string,
  { what, unit, values }: Pick<Samples, "what" | "unit" | "values">,
): Samples {
  const anchor = name === ANCHOR ? {} : { anchor: `surfaces.${kind}-${ANCHOR}` };
  return { name: `surfaces.${kind}-${name}`, what: `${name}: ${what}`, unit, values, ...anchor };
}
