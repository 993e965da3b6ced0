/** Whether all is to be tested, as `npm run test:slow` does; `npm test` takes slices of what is long. */
export const IS_SLOW = process.env["CLOCHE_TEST_SLOW"] !== undefined;

/** Why the cheats of a task are not played once more by its own test. */
export const PROVEN = IS_SLOW ? false : "proven.test.ts plays it too; here with npm run test:slow";

const DAY_MS = 24 * 60 * 60_000;

/** So many of them, others each day (UTC); all with `npm run test:slow`. */
export function todays<T>(all: readonly T[], count: number): readonly T[] {
  if (IS_SLOW || all.length <= count) return all;
  const first = Math.floor(Date.now() / DAY_MS) * count;
  return Array.from({ length: count }, (_, at) => all[(first + at) % all.length] as T);
}
