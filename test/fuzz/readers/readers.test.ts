import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  missingOf,
  POPPLER,
  PYTHON_CALENDARS,
  PYTHON_LXML,
} from "../../servers/debian-programs.ts";
import { fuzzReader, READERS } from "./readers.ts";

/** A short run of each; `npm run test:fuzz` gives each a million, with a seed of its own. */
const CASES: Readonly<Record<string, number>> = {
  workbook: 60,
  pdf: 40,
  calendar: 200,
  steps: 200,
};
const skip = await missingOf(PYTHON_CALENDARS, PYTHON_LXML, POPPLER);

describe("a grader's reader", { skip, concurrency: 2 }, () => {
  for (const reader of READERS) {
    it(`of ${reader} ends by Failed alone, in time and in little memory`, async (t) => {
      const cases = CASES[reader] ?? 500;
      const found = await fuzzReader(reader, { cases, seed: 20_424 });
      assert.deepEqual(found.failures, []);
      assert.equal(found.cases, cases);
      assert.ok(found.accepted > 0);
      t.diagnostic(`${found.accepted} read, ${found.refused} refused`);
    });
  }
});
