import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { namedId } from "../../runtime/base/id.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { gradingFault } from "../../runtime/grading/faults.ts";
import { pythonCommand, runPythonModule } from "../../runtime/grading/python-module.ts";
import { folderFiles } from "../../runtime/image/context.ts";
import { seedWorkspace } from "../../runtime/workspace/seed.ts";
import { smallFiles } from "../../runtime/workspace/small-files.ts";
import { MIB, openTestEngine, SMALL_LIMITS, smallSpec } from "../support/engine.ts";

const TESTS = fileURLToPath(new URL("../../python/cloche/tests", import.meta.url));
const GUIDE = readFileSync(new URL("../../docs/graders.md", import.meta.url), "utf8");
const USER = "grader";
const SERVICES = ["people", "mail", "calendar", "search"];

describe("the Python library, as it lies in the grader image", () => {
  let engine: Engine;
  let box: Sandbox;

  before(async () => {
    engine = await openTestEngine();
    const { grader } = (await requireImages(engine, process.env)).images;
    const { keeper: _, ...spec } = smallSpec(grader, namedId("test-python"), {
      users: [USER],
      workspace: { path: "/grade", owner: USER, bytes: 32 * MIB, files: 500 },
      limits: {
        ...SMALL_LIMITS,
        memoryBytes: 2048 * MIB,
        tmpBytes: 512 * MIB,
        fileBytes: 128 * MIB,
      },
    });
    box = await engine.create(spec);
    const { snapshot, blobs } = smallFiles({
      ...ownTests(),
      "task/grader.py": example("from cloche import check, criterion, grade"),
      "example/generate.py": example("def generate("),
    });
    await seedWorkspace(box, snapshot, blobs, { path: "/grade", owner: USER });
  });

  after(async () => {
    await box?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  it("passes its own tests", async (context) => {
    const { exitCode, stderr } = await python(["-m", "unittest", "discover", "-s", "/grade/tests"]);
    const report = stderr.toString("utf8");
    context.diagnostic(/^Ran \d+ tests/m.exec(report)?.[0] ?? "no closing line");
    assert.equal(exitCode, 0, report);
    assert.match(report, /^Ran [1-9]\d{2,} tests/m);
  });

  it("can load the grader that docs/graders.md shows", async () => {
    const { answer } = await runPythonModule(box, {
      module: "describe",
      user: USER,
      input: { root: "/grade" },
      timeoutMs: 30_000,
      onSilence: (_, message) => gradingFault("no-verdict", message),
    });
    const plain = { weight: 1, polarity: "must", cap: null };
    assert.deepEqual(answer["criteria"], [
      {
        ...{ ...plain, name: "updates.txt lists every new title", weight: 2 },
        asks: "Write every new title into updates.txt, one a line.",
      },
      {
        ...{ ...plain, name: "nothing else was touched", polarity: "must_not" },
        asks: "Change nothing else.",
      },
      {
        ...{ ...plain, name: "the list was read back after it was written" },
        asks: "Read it once more in the end.",
      },
    ]);
  });

  it("can run the generator that docs/graders.md shows, twice to the same bytes", async () => {
    const digests = async (place: string) => {
      const root = `/grade/${place}`;
      const folders = ["task", ...SERVICES.map((name) => `out/state/${name}`)];
      await box.exec(["mkdir", "-p", ...folders.map((name) => `${root}/${name}`)], { user: USER });
      await box.exec(["cp", "/grade/example/generate.py", `${root}/task/`], { user: USER });
      const { answer, printed } = await runPythonModule(box, {
        ...{ module: "run_generator", user: USER, timeoutMs: 30_000 },
        input: { root, variant: 1, seed: 7, now: "2026-03-02T09:00:00Z" },
        onSilence: (_, message) => gradingFault("no-verdict", message),
      });
      assert.deepEqual(answer, { ok: true }, printed);
      const command = `cd ${root}/out && find . -type f | sort | xargs -d '\\n' sha256sum`;
      return (await box.exec(["sh", "-c", command], { user: USER })).stdout.toString("utf8");
    };
    const first = await digests("one");
    assert.equal(first.trim().split("\n").length, 14, first);
    assert.equal(await digests("two"), first);
  });

  async function python(args: readonly string[]) {
    const { argv, env } = pythonCommand("unused");
    const head = argv.slice(0, argv.indexOf("-m"));
    return await box.exec([...head, ...args], { user: USER, env, timeoutMs: 300_000 });
  }
});

function ownTests(): Record<string, Uint8Array> {
  const files = folderFiles(TESTS, "tests").map(({ path, content }) => {
    assert(content instanceof Uint8Array);
    return [path, content] as const;
  });
  return Object.fromEntries(files);
}

/** The block of Python in the guide that holds this text. */
function example(text: string): string {
  const blocks = [...GUIDE.matchAll(/```python\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  const block = blocks.find((python) => python.includes(text));
  assert(block, `docs/graders.md has an example with ${text}`);
  return block;
}
