import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { nullPolicy } from "../../runtime/policy/null-policy.ts";
import { scriptedPolicy } from "../../runtime/policy/scripted-policy.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import { makeVariant } from "../../runtime/task/make-variant.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { IS_SLOW, PROVEN } from "../support/slow.ts";
import {
  type Call,
  CRITERIA,
  type Expected,
  inOrder,
  type Key,
  lineOf,
  lostBy,
  named,
  names,
  reasons,
  scriptedParts,
  toolsUsed,
  writeList,
  written,
} from "./catalogue-desk.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TASK = "library/catalogue-update";
const VARIANTS = IS_SLOW ? [1, 2, 3, 4, 5, 12] : [2, 12];
/** Reports are read as documents and sheets, the titles worked out by the formulas of a sheet. */
const OFFICE_TOOLS = [
  ...["read_document", "extract_tables", "read_range", "filter_rows"],
  ...["create_workbook", "write_range", "copy_range", "run_command", "write_file"],
];
/** Cheats that do part of the work are paid for that part, and never the whole. */
const DENSE_AT_MOST: Readonly<Record<string, number>> = {
  copy_every_isbn: 0.3,
  empty_file: 0,
  forged_verdict: 0,
  guess_without_reading: 0.1,
  overwrite_catalogue: 0.25,
  trust_first_sheet: 0.8,
};

describe("the task library/catalogue-update", () => {
  let runtime: TestRuntime;

  before(async () => {
    runtime = await openTestRuntime();
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
  });

  it("pays nothing to a policy that does nothing", async () => {
    const record = await play(runtime, ROOT, TASK, nullPolicy);
    assert.equal(record.outcome, "graded");
    assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 });
    assert.deepEqual(names(record), Object.values(CRITERIA));
  });

  for (const [cheat, most] of Object.entries(DENSE_AT_MOST)) {
    it(`sees through the cheat ${cheat}`, { skip: PROVEN }, async () => {
      const record = await play(runtime, ROOT, TASK, named(`cheat:${cheat}`));
      assert.equal(record.outcome, "graded", record.fault?.message);
      assert.equal(record.reward?.sparse, 0);
      assert.ok((record.reward?.dense ?? 1) <= most, `dense ${record.reward?.dense}`);
    });
  }

  const MUTATIONS: readonly {
    readonly title: string;
    readonly change: (lines: string[], expected: Expected) => string[];
    /** Besides "read", which a policy that only writes never earns. */
    readonly loses: readonly Key[];
  }[] = [
    { title: "the right list, unread", change: (lines) => lines, loses: [] },
    {
      title: "a delivered title is missing",
      change: (lines, expected) => lines.filter((line) => line !== lineOf(expected, "delivery")),
      loses: ["delivery"],
    },
    {
      title: "a gift is counted wrongly",
      change: (lines, expected) =>
        lines.map((line) => (line === lineOf(expected, "donations") ? `${line}0` : line)),
      loses: ["donations", "noWrongAdd"],
    },
    {
      title: "a title is deleted that nobody speaks of",
      change: (lines) => [...lines, "DELETE 9799999999990"],
      loses: ["noWrongDelete"],
    },
    {
      title: "a damaged title is missing and a line is not of the form asked",
      change: (lines, expected) =>
        lines.map((line) => (line === lineOf(expected, "damage") ? `${line}.` : line)),
      loses: ["form", "damage", "verified"],
    },
    {
      title: "a purged title is missing",
      change: (lines, expected) => lines.filter((line) => line !== lineOf(expected, "purge")),
      loses: ["purge"],
    },
    { title: "the list is the wrong way round", change: (l) => l.toReversed(), loses: ["order"] },
    {
      title: "a line stands twice",
      change: (lines) => lines.toSpliced(0, 0, lines[0] ?? ""),
      loses: ["order"],
    },
  ];
  for (const { title, change, loses } of MUTATIONS) {
    it(`takes from a list exactly what it gets wrong: ${title}`, async () => {
      const record = await play(
        runtime,
        ROOT,
        TASK,
        written(async (lines, expected, call) => {
          await writeList(call, change([...lines], expected).join("\n"));
          await call("read_text_file", { path: "/workspace/updates.txt" });
        }),
      );
      assert.deepEqual(lostBy(record), inOrder([...loses, "read"]), reasons(record));
      assert.equal(record.reward?.sparse, 0);
    });
  }

  it("sees a changed report, a file beside the list and an empty folder", async () => {
    for (const command of [
      "printf x >> reports/purge.eml",
      "cp updates.txt copy.txt",
      "mkdir reports/old",
      "rm about-isbn.txt",
    ]) {
      const record = await play(
        runtime,
        ROOT,
        TASK,
        written(async (lines, _, call) => {
          await writeList(call, lines.join("\n"));
          await call("run_command", { command: `cd /workspace && ${command}` });
          await call("run_command", { command: "cat /workspace/updates.txt" });
        }),
      );
      assert.deepEqual(lostBy(record), inOrder(["untouched", "read"]), command);
    }
  });

  it("counts as reading back only a call of its own, after the last write", async () => {
    for (const work of [
      (list: string, call: Call) => writeList(call, list),
      async (list: string, call: Call) => {
        const command = `printf '%s' '${list}' | tee /workspace/updates.txt`;
        await call("run_command", { command });
      },
      async (list: string, call: Call) => {
        await writeList(call, list);
        await call("read_text_file", { path: "/workspace/updates.txt" });
        await writeList(call, list);
      },
      async (list: string, call: Call) => {
        await writeList(call, list);
        await call("run_command", { command: `printf '%s' '${list}' # updates.txt` });
      },
    ]) {
      const policy = written((lines, _, call) => work(lines.join("\n"), call));
      const record = await play(runtime, ROOT, TASK, policy);
      assert.deepEqual(lostBy(record), inOrder(["read", "verified"]), reasons(record));
    }
  });

  it("knows that a sheet was exported into the list, and a document's reader for reading back", async () => {
    const exported = async (lines: readonly string[], call: Call) => {
      await writeList(call, lines.join("\n"));
      await call("read_text_file", { path: "/workspace/updates.txt" });
      const book = { path: "scratch/list.xlsx" };
      await call("create_workbook", book);
      await call("write_range", { ...book, cell: "A1", values: lines.map((line) => [line]) });
      await call("export_csv", { ...book, csv: "updates.txt", overwrite: true });
    };
    const unread = await play(
      runtime,
      ROOT,
      TASK,
      written((lines, _, call) => exported(lines, call)),
    );
    assert.deepEqual(lostBy(unread), inOrder(["read", "verified"]), reasons(unread));
    const reread = await play(
      runtime,
      ROOT,
      TASK,
      written(async (lines, _, call) => {
        await exported(lines, call);
        await call("read_document", { path: "updates.txt" });
      }),
    );
    assert.deepEqual(lostBy(reread), ["read"], reasons(reread));
  });

  it("takes the right list in any shape that the instruction allows", async () => {
    const solution = await readFile(join(ROOT, "tasks", TASK, "solution.py"), "utf8");
    const reshaped = `${solution}
plain_solve = solve


def solve(agent):
    answer = plain_solve(agent)
    command = "sed -i -e '1s/^/\\\\xef\\\\xbb\\\\xbf/' -e 's/$/\\\\r/' -e '$a\\\\\\\\' /workspace/updates.txt"
    agent.call("run_command", command=command)
    agent.call("run_command", command="cd /workspace && head -c 3 updates.txt | xxd; cat -n updates.txt")
    return answer
`;
    const record = await play(runtime, ROOT, TASK, (parts) =>
      Promise.resolve(scriptedPolicy("test", { text: reshaped }, scriptedParts(parts))),
    );
    assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
  });

  it("is made of the same bytes each time", async () => {
    const task = await findTask(ROOT, TASK);
    const { engine, images, data, log, process } = runtime;
    const parts = {
      engine,
      graderImage: images.grader,
      blobs: new BlobFolder(data.blobs),
      cacheFolder: data.cache,
      labels: { owner: data.owner, process },
      signal: new AbortController().signal,
      log,
    };
    const seed = 20_260_302;
    const [first, second, other] = await Promise.all([
      makeVariant(task, 6, seed, parts),
      makeVariant(task, 6, seed, parts),
      makeVariant(task, 6, seed + 1, parts),
    ]);
    assert.deepEqual(second, first);
    assert.notDeepEqual(other.fixture, first.fixture);
    assert.notEqual(other.expected, first.expected);
  });

  it("is solved by its solution in 25 or more calls, in each of several different variants", async () => {
    const fixtures = new Set<string>();
    const change = (spec: RolloutSpec) => {
      fixtures.add(JSON.stringify(spec.prepared.fixture.entries));
      return spec;
    };
    const records = await Promise.all(
      VARIANTS.map((variant) => play(runtime, ROOT, TASK, named("oracle"), { variant, change })),
    );
    for (const record of records) {
      assert.deepEqual(record.reward, { sparse: 1, dense: 1, gain: 1 }, reasons(record));
      assert.ok(record.steps >= 25 && record.steps <= 40, `${record.steps} calls`);
      const used = await toolsUsed(runtime, record);
      for (const tool of OFFICE_TOOLS) assert.ok(used.has(tool), tool);
    }
    assert.equal(fixtures.size, VARIANTS.length);
  });
});
