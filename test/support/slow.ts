/** Whether all is to be tested, as `npm run test:slow` does; `npm test` takes slices of what is long. */
export const IS_SLOW = process.env["CLOCHE_TEST_SLOW"] !== undefined;

/** Why the cheats of a task are not played once more by its own test. */
export const PROVEN = IS_SLOW ? false : "proven.test.ts plays it too; here with npm run test:slow";

/** The first so many of them, the same on each day; all with `npm run test:slow`. */
export function slice<T>(all: readonly T[], count: number): readonly T[] {
  return IS_SLOW ? all : all.slice(0, count);
}
