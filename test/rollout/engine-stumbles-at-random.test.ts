import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutService, ToolAnswer, ToolCall } from "../../runtime/service/service.ts";
import type { DockerMischief } from "../support/faulty-docker.ts";
import { ME, NOTE, SOLVE } from "../support/service.ts";
import { IS_SLOW } from "../support/slow.ts";
import {
  command,
  ended,
  hasSucceeded,
  LIST,
  openStumblingBench,
  type StumblingBench,
} from "./stumbling-bench.ts";

const ROLLOUTS = Number(process.env["CLOCHE_ROLLOUTS"] ?? (IS_SLOW ? 200 : 24));
const SEED = Number(process.env["CLOCHE_SEED"] ?? Date.now() % 2 ** 31);
/** One of three does nothing; one writes a file and one runs commands, which solves the task. */
const POLICIES: readonly (readonly ToolCall[])[] = [
  [],
  [LIST, ...SOLVE, LIST],
  [command("true"), command("printf 'hello-1\\n' > note.txt"), command("cat note.txt")],
];

let bench: StumblingBench;

before(async () => {
  bench = await openStumblingBench();
});

after(() => bench?.[Symbol.asyncDispose]());

describe("many rollouts while the engine stumbles at random", () => {
  it(`all end right in outcome and blame, and leave nothing: ${ROLLOUTS}, seed ${SEED}`, async (t) => {
    await using service = await bench.open({ inFlight: 16, sweepMs: 2_000 });
    const random = randomFrom(SEED);
    bench.docker.mischief = () => mischiefAt(random(), random());
    const over = new AbortController();
    const outages = outagesUntil(over.signal, random);
    const late = AbortSignal.timeout(120_000 + ROLLOUTS * 5_000);
    const lives = Array.from({ length: ROLLOUTS }, (_, n) => life(service, n, late));
    const settled = await Promise.allSettled(lives);
    over.abort();
    await outages;
    bench.docker.mischief = () => "pass";
    const ends = Object.groupBy(settled, (one) =>
      one.status === "fulfilled" ? one.value : "wrong",
    );
    for (const [end, all] of Object.entries(ends)) t.diagnostic(`${end}: ${all?.length}`);
    const wrong = settled.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    assert.deepEqual(wrong.map(String), []);
    await bench.untilEmpty();
  });

  function mischiefAt(at: number, howLong: number): DockerMischief {
    if (at < 0.01) return "cut";
    if (at < 0.02) return { status: 500, message: "the engine stumbled" };
    return at < 0.05 ? { delayMs: Math.round(howLong * 1_000) } : "pass";
  }

  /**
   * Every few seconds some connections break off, or nobody answers for a moment, at times with all
   * connections breaking off too.
   */
  async function outagesUntil(over: AbortSignal, random: () => number): Promise<void> {
    while (!over.aborted) {
      await sleep(2_000 + random() * 6_000, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      const at = random();
      if (at < 0.7) bench.docker.cut(() => at < 0.4 || random() < 0.2);
      if (at > 0.5) continue;
      await bench.docker.refuse();
      await sleep(random() * 1_000);
      await bench.docker.listen();
    }
  }

  /** Gives how a rollout ended; rejects if that is not right. */
  async function life(service: RolloutService, n: number, late: AbortSignal): Promise<string> {
    const calls = POLICIES[n % POLICIES.length] ?? [];
    const { id } = await service.request(NOTE, ME);
    await service.untilServing(id, ME, late);
    const said: (ToolAnswer | { error: unknown })[] = [];
    for (const call of calls) {
      said.push(...(await service.call(id, [call], ME).catch((error) => [{ error }])));
    }
    await service.finish(id, null, ME).catch(() => {});
    const record = await ended(service, id);
    const { outcome, fault, reward } = record;
    const shown = `rollout ${n}: ${JSON.stringify({ outcome, fault, reward, said })}`;
    if (outcome === "graded") {
      assert.ok(said.every(hasSucceeded), `graded although the engine lost its tool: ${shown}`);
      assert.equal(reward?.sparse, calls.length === 0 ? 0 : 1, shown);
      return `graded ${reward?.sparse}`;
    }
    assert.deepEqual([outcome, fault?.blame, reward], ["infra_error", "engine", null], shown);
    return fault?.code ?? "";
  }
});

/** Numbers below 1 that follow from the seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
