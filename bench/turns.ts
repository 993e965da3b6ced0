import type { World } from "./world.ts";

/** A round may take so long on average, or there are fewer: a busy machine shall not take hours. */
const ROUND_MS = 3_000;
const AT_LEAST = 3;

/** Counts turns from 1, says now and then how far it is, and ends on Ctrl-C. */
export function* turns(world: World, suite: string, count: number): Generator<number> {
  const untilMs = performance.now() + ROUND_MS * world.options.rounds;
  const each = Math.ceil(count / 10);
  for (let turn = 1; turn <= count; turn++) {
    world.signal.throwIfAborted();
    if (turn > AT_LEAST && performance.now() > untilMs) return;
    if (turn % each === 0 || turn === 1) world.say(`${suite}: turn ${turn} of ${count}`);
    yield turn;
  }
}
