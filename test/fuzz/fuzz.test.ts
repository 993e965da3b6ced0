import assert from "node:assert/strict";
import { test } from "node:test";
import { tempFolder } from "../support/temp-folder.ts";
import { useFilesDirectly } from "./direct-fs.ts";
import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** A short run of each; `node test/run-fuzz.ts` gives each a million, with a seed of its own. */
const CASES: Readonly<Record<string, number>> = {
  tar: 3000,
  "json-rpc": 4000,
  "step-log": 3000,
  bundle: 1000,
  verdict: 4000,
  frames: 4000,
};
useFilesDirectly();
const seed = 20_424;

for (const [name, target] of Object.entries(TARGETS)) {
  test(`no bytes make the ${name} parser crash, hang or accept what it must not`, async () => {
    await using folder = await tempFolder();
    const { failure, tally, cases } = await fuzz(target, folder.path, {
      cases: CASES[name] ?? 1000,
      seed,
    });
    assert.equal(failure, undefined, failure);
    assert.ok(cases >= 250);
    const all = [...tally.counts.values()].reduce((sum, count) => sum + count, 0);
    const refused = [...tally.counts].filter(
      ([ending]) =>
        !/^(accepted|written|re(quest|sponse)|notification|line not kept|frames)/.test(ending),
    );
    const refusals = refused.reduce((sum, [, count]) => sum + count, 0);
    // A run in which everything ends one way has tested one way only.
    assert.ok(refusals > 0 && refusals < all, String(tally));
  });
}
