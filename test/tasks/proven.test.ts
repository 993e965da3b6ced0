import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { countTokens } from "../../runtime/cli/tools/tool-costs.ts";
import { proveTask } from "../../runtime/proof/prove.ts";
import { listTasks } from "../../runtime/task/task-list.ts";
import { openTestRuntime, type TestRuntime } from "../support/runtime.ts";
import { IS_SLOW } from "../support/slow.ts";

/** One of files and documents, one of a service with state; all with `npm run test:slow`. */
const EACH_RUN: readonly string[] = ["library/catalogue-update", "office/mileage-list"];

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { tasks, broken } = await listTasks(ROOT);

describe("the tasks of this repository", () => {
  let runtime: TestRuntime;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.[Symbol.asyncDispose]();
  });

  it("are all there", () => {
    assert.deepEqual(broken, []);
    assert(tasks.length >= 2);
  });

  for (const task of tasks.filter(({ id }) => IS_SLOW || EACH_RUN.includes(id))) {
    it(`proves ${task.id} on its first variant`, async (context) => {
      const options = {
        variants: [1],
        compared: IS_SLOW ? Array.from({ length: task.variants.count }, (_, at) => at + 1) : [],
        jobs: 2,
        mutants: IS_SLOW ? 160 : 48,
        poisons: IS_SLOW ? 240 : 40,
        countTokens,
      };
      const { signal } = new AbortController();
      const watcher = { say: () => {} };
      const proof = await proveTask(task, runtime, options, signal, watcher);
      for (const { rule, summary } of proof.findings) context.diagnostic(`${rule}: ${summary}`);
      const problems = proof.findings.flatMap((found) =>
        found.problems.map((problem) => `${found.rule}: ${problem}`),
      );
      assert.deepEqual(problems, []);
      assert(proof.holds);
    });
  }
});
