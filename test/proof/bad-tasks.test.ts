import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { keepProof, standingOf } from "../../runtime/proof/kept-proofs.ts";
import type { Proof, RuleName } from "../../runtime/proof/proof.ts";
import { proofPage } from "../../runtime/proof/proof-page.ts";
import { proveTask } from "../../runtime/proof/prove.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { openTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { slice } from "../support/slow.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** By its folder: which rule a bad task breaks, and the words by which it is told. */
const BAD: Readonly<Record<string, readonly [RuleName, RegExp]>> = {
  "unsound-solution": ["sound", /the solution does not earn 1 on variant 1: "totals.csv has/],
  "luck-when-failing": [
    "deterministic",
    /the grader judges ".*" on variant 1 otherwise under ".*": totals\.csv has the right lines/,
  ],
  "pays-for-damage": [
    "sturdy",
    /^".*" of workspace\/totals\.csv on the untouched state of variant 1 earns sparse 1/,
  ],
  "equal-variants": ["distinct", /^variants 1, 2, 3 are equal: instruction, files and state are/],
  "clock-in-grader": ["deterministic", /the grader judges variant 1 otherwise under "another day"/],
  "unsteady-generator": [
    "deterministic",
    /makes variant 1 otherwise \(again\): fixture\/counts.csv/,
  ],
  "ignores-extra-rows": ["sharp", /of the mutants are noticed, not 90 %/],
  "overlooks-added-sheet": [
    "sharp",
    /no criterion notices workspace\/totals.xlsx Helper: sheet added/,
  ],
  "swallows-exceptions": ["sharp", /no criterion notices workspace\/totals.csv file gone/],
  "one-shape-only": ["fair", /^crlf in workspace\/totals.csv, variant 1 .* is refused by "totals/],
  "says-nothing": [
    "telling",
    /"totals.csv has the right lines" fails and says only "does not hold"/,
  ],
  "leaking-fixture": ["sealed", /^workspace\/last-time.txt of variant 1 holds 6 of the 7 lines/],
  "unstated-demand": ["sealed", /rests on "The items are sorted .*", which the instruction of/],
  "too-short": ["long", /the solution uses 4 calls; task.toml asks for 50/],
};

describe("a proof", () => {
  let runtime: TestRuntime;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.[Symbol.asyncDispose]();
  });

  it("holds for a sound task, is kept by its hash, and makes a page", async () => {
    const { proof, task } = await proofOf(runtime);
    assert.deepEqual(
      proof.findings.flatMap(({ problems }) => problems),
      [],
    );
    assert(proof.holds);
    assert(proof.mutation.mutants >= 25, `only ${proof.mutation.mutants} mutants`);
    assert(proof.mutation.score >= 0.9, `score ${proof.mutation.score}`);
    const { grader } = runtime.images;
    assert.equal(await standingOf(runtime.data, task, grader), "unproven");
    await keepProof(runtime.data, proof);
    assert.equal(await standingOf(runtime.data, task, grader), "proven");
    assert.equal(await standingOf(runtime.data, task, "another image"), "unproven");
    assert.equal(await standingOf(runtime.data, { sha256: "0".repeat(64) }, grader), "unproven");
    const page = proofPage([proof]);
    assert.match(page, /1 of 1 tasks proven/);
    assert.doesNotMatch(page, /<script|https?:/);
    await runtime.assertNothingLeft();
  });

  for (const [folder, [rule, words]] of slice(Object.entries(BAD), 3)) {
    it(`refuses the task ${folder} by the rule "${rule}" and says why`, async () => {
      const { proof } = await proofOf(runtime, folder);
      const broken = proof.findings.find((finding) => finding.rule === rule);
      assert.equal(proof.holds, false);
      assert.equal(broken?.holds, false, JSON.stringify(proof.findings, null, 1));
      assert(
        broken.problems.some((problem) => words.test(problem)),
        broken.problems.join("\n"),
      );
    });
  }
});

/** The good task, with the files of a bad one in their places. */
async function proofOf(runtime: TestRuntime, bad?: string) {
  const root = await mkdtemp(join(tmpdir(), "cloche-root-"));
  try {
    const folder = join(root, "tasks", "test", "stock");
    await cp(join(HERE, "good-task"), folder, { recursive: true });
    if (bad !== undefined) {
      await cp(join(HERE, "bad-tasks", bad), folder, { recursive: true });
    }
    const task = await findTask(root, "test/stock");
    const isOfVariants = bad !== undefined && BAD[bad]?.[0] === "distinct";
    const compared = isOfVariants ? [1, 2, 3] : [];
    const options = { variants: [1], compared, jobs: 2, mutants: 60, poisons: 24, countTokens };
    const { signal } = new AbortController();
    const proof: Proof = await proveTask(task, runtime, options, signal, { say: () => {} });
    return { proof, task };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A word is as good as a token here. */
function countTokens(text: string): number {
  return text.split(/\s+/).length;
}
