import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { folderFiles } from "../../images/context.ts";
import { namedId } from "../../runtime/base/id.ts";
import { requireImages } from "../../runtime/cli/set-up/ensure-images.ts";
import { pythonCommand } from "../../runtime/grading/python-module.ts";
import { seedWorkspace } from "../../runtime/workspace/seed.ts";
import { smallFiles } from "../../runtime/workspace/small-files.ts";
import { MIB, openTestEngine, SMALL_LIMITS, smallSpec } from "../support/engine.ts";

const TESTS = fileURLToPath(new URL("../../images/grader/tests", import.meta.url));
const USER = "grader";

test("the Python library passes its own tests as it lies in the grader image", async (context) => {
  await using engine = await openTestEngine();
  const { grader } = await requireImages(engine, process.env);
  const { keeper: _, ...spec } = smallSpec(grader, namedId("test-python"), {
    users: [USER],
    workspace: { path: "/grade", owner: USER, bytes: 32 * MIB, files: 500 },
    limits: { ...SMALL_LIMITS, memoryBytes: 1024 * MIB, tmpBytes: 64 * MIB },
  });
  await using box = await engine.create(spec);
  const files = folderFiles(TESTS, "tests").map(({ path, content }) => [path, content] as const);
  const { snapshot, blobs } = smallFiles(Object.fromEntries(files.filter(isSmall)));
  await seedWorkspace(box, snapshot, blobs, { path: "/grade", owner: USER });

  const { argv, env } = pythonCommand("unused");
  const python = argv.slice(0, argv.indexOf("-m"));
  const { exitCode, stderr } = await box.exec(
    [...python, "-m", "unittest", "discover", "-s", "/grade/tests"],
    { user: USER, env, timeoutMs: 300_000 },
  );
  const report = stderr.toString("utf8");
  context.diagnostic(/^Ran \d+ tests/m.exec(report)?.[0] ?? "no closing line");
  assert.equal(exitCode, 0, report);
  assert.match(report, /^Ran [1-9]\d{2,} tests/m);
});

function isSmall(file: readonly [string, unknown]): file is readonly [string, Uint8Array] {
  return file[1] instanceof Uint8Array;
}
