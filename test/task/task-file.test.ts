import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "../../runtime/base/fault.ts";
import { splitOf } from "../../runtime/task/task.ts";
import { readTask } from "../../runtime/task/task-file.ts";
import { readTaskToml } from "../../runtime/task/task-toml.ts";
import { sealFixtures } from "../support/seal-fixtures.ts";
import { repository, TOML } from "./repository.ts";

const ID = "desk/count-lines";

/** Each with its files, and the code and words of the fault. */
const REFUSED: Readonly<
  Record<string, readonly [Record<string, string | undefined>, string, ...RegExp[]]>
> = {
  "a task without a grader is refused": [
    { "grader.py": undefined },
    "task/no-grader",
    /tasks\/desk\/count-lines has no grader\.py.*write it/,
  ],
  "a task without an instruction is refused": [
    { "instruction.md": undefined },
    "task/no-instruction",
    /instruction\.md is not there/,
  ],
  "an instruction of blanks is refused": [
    { "instruction.md": " \n" },
    "task/no-instruction",
    /instruction\.md is empty/,
  ],
  "a folder without task.toml is refused": [
    { "task.toml": undefined },
    "task/no-toml",
    /has no task\.toml/,
  ],
  "a syntax error is refused with its line and column": [
    { "task.toml": `${TOML}[broken\n` },
    "task/toml-syntax",
    /task\.toml:10:\d+ is not TOML/,
  ],
  "an unknown key is refused with the nearest known one": [
    { "task.toml": `${TOML}[cloche.budget]\ncals = 3\n` },
    "task/unknown-key",
    /task\.toml: \[cloche\.budget\]\.cals is no key.*did you mean "calls"\?/,
  ],
  "an unknown section is refused with the nearest known one": [
    { "task.toml": `${TOML}[verifer]\ntimeout_sec = 3\n` },
    "task/unknown-key",
    /verifer is no key.*did you mean "verifier"\?/,
  ],
  "a key in the wrong section is refused with the place where it belongs": [
    { "task.toml": `${TOML}memory_mb = 512\n` },
    "task/unknown-key",
    /\[cloche\]\.memory_mb is no key.*it belongs at \[environment\]\.memory_mb/,
  ],
  "an unknown key of a server is refused": [
    { "task.toml": TOML.replace('name = "terminal"', 'name = "terminal"\nargz = []') },
    "task/unknown-key",
    /\[environment\.mcp_servers\.1\]\.argz.*"args"/,
  ],
  "a value of a wrong type is refused": [
    { "task.toml": `${TOML}[cloche.budget]\ncalls = "many"\n` },
    "task/bad-value",
    /\[cloche\.budget\]\.calls is wrong: expected number, received string/,
  ],
  "a value out of bounds is refused": [
    { "task.toml": `${TOML}[cloche.budget]\ncalls = 0\n` },
    "task/bad-value",
    /\[cloche\.budget\]\.calls is too small: expected number to be >=1/,
  ],
  "a missing clock is refused": [
    { "task.toml": TOML.replace(/now = .*\n/, "") },
    "task/bad-value",
    /\[cloche\]\.now is missing/,
  ],
  "a clock without a zone is refused": [
    { "task.toml": TOML.replace("09:00:00Z", "09:00:00") },
    "task/bad-value",
    /\[cloche\]\.now must be a time with its zone/,
  ],
  "a task without servers is refused": [
    { "task.toml": TOML.replace(/\[\[env.*\n.*\n/, "") },
    "task/bad-value",
    /\[environment\]\.mcp_servers is missing: give an array/,
  ],
  "two servers of one name are refused": [
    { "task.toml": `${TOML}[[environment.mcp_servers]]\nname = "terminal"\n` },
    "task/bad-value",
    /two \[\[environment\.mcp_servers\]\] are named "terminal"/,
  ],
  "an unknown server is refused with the nearest shipped one": [
    { "task.toml": TOML.replace('"terminal"', '"terminl"') },
    "task/unknown-server",
    /ships no MCP server "terminl".*did you mean "terminal"\?/,
  ],
  "a command for a shipped server is refused": [
    { "task.toml": TOML.replace('"terminal"', '"terminal"\ncommand = "bash"') },
    "task/bad-value",
    /"terminal" is shipped and takes no "command"/,
  ],
  "a server that would share a user is refused": [
    { "task.toml": TOML.replace('"terminal"', '"agent"\ncommand = "bash"') },
    "task/bad-value",
    /no MCP server may be named "agent"/,
  ],
  "a name that is not the folder's is refused": [
    { "task.toml": TOML.replace("desk/count-lines", "desk/count") },
    "task/wrong-name",
    /\[task\]\.name is "desk\/count" but the folder is tasks\/desk\/count-lines/,
  ],
  "a workspace larger than the memory is refused": [
    { "task.toml": TOML.replace("[environment]", "[environment]\nstorage_mb = 2000") },
    "task/bad-value",
    /storage_mb \(2000\) must not be above memory_mb \(1024\)/,
  ],
  "a holdout beyond the variants is refused": [
    { "task.toml": `${TOML}[cloche.variants]\ncount = 3\nholdout = [4]\n` },
    "task/bad-value",
    /holdout names 4, but there are only 3/,
  ],
  "a variable that nothing can set is refused": [
    { "instruction.md": "Count for {{ person }}." },
    "task/unknown-variable",
    /instruction\.md: nothing sets \{\{person\}\}/,
  ],
};

for (const [title, [files, code, ...messages]] of Object.entries(REFUSED)) {
  test(title, async (context) => {
    const root = repository(context, files);
    const fault = await faultOf(readTask(root, ID));
    assert.equal(fault.code, code);
    assert.equal(fault.blame, "task");
    for (const message of messages) assert.match(fault.message, message);
  });
}

test("all problems of a task.toml are said at once, one a line", async (context) => {
  const root = repository(context, { "task.toml": `${TOML}nwo = 1\nfixture = 2\n` });
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.message.split("\n").length, 2);
});

test("a link among the task's own files is refused", async (context) => {
  const root = repository(context);
  symlinkSync("/etc/passwd", join(root, "tasks", ID, "notes.txt"));
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.code, "task/file-refused");
  assert.match(fault.message, /notes\.txt is a link/);
});

test("an instruction that is not UTF-8 is refused", async (context) => {
  const root = repository(context);
  writeFileSync(join(root, "tasks", ID, "instruction.md"), Buffer.from([0x41, 0xff]));
  assert.equal((await faultOf(readTask(root, ID))).code, "task/file-refused");
});

test("an id that climbs out of the tasks is refused", async (context) => {
  const root = repository(context);
  for (const id of ["../etc", "desk/..", "desk", "desk/a/b", "/etc/x", "Desk/count"]) {
    assert.equal((await faultOf(readTask(root, id))).code, "task/bad-folder-name", id);
  }
});

test("no text makes the reader of task.toml throw anything but a task fault", () => {
  const line = fc.constantFrom(...TOML.split("\n"), "a = 1", "[x", "now = 3", "]]", '"""');
  const text = fc
    .array(fc.oneof(line, fc.string()), { maxLength: 12 })
    .map((all) => all.join("\n"));
  fc.assert(
    fc.property(text, (toml) => {
      try {
        readTaskToml(toml, "task.toml");
      } catch (error) {
        assert.ok(error instanceof Fault, String(error));
        assert.match(error.code, /^task\//);
        assert.match(error.message, /^task\.toml/);
      }
    }),
  );
});

test("a task.toml of the needful alone gets the documented defaults", async (context) => {
  const task = await readTask(repository(context), ID);
  assert.deepEqual(task.budget, {
    calls: 200,
    wallMs: 1_800_000,
    callMs: 300_000,
    resultBytes: 262_144,
    concurrentCalls: 8,
  });
  assert.deepEqual(task.limits, {
    memoryBytes: 1024 * 2 ** 20,
    processes: 256,
    cpus: 1,
    tmpBytes: 64 * 2 ** 20,
    fileBytes: 128 * 2 ** 20,
    openFiles: 1024,
    workspaceBytes: 256 * 2 ** 20,
    workspaceFiles: 10_000,
  });
  assert.deepEqual(task.variants, { count: 1, holdout: [] });
  assert.equal(task.category, "desk");
  assert.equal(task.difficulty, "medium");
  assert.equal(task.graderTimeoutMs, 120_000);
  assert.equal(task.now.toISOString(), "2026-03-02T09:00:00.000Z");
});

test("the lower of Harbor's timeout and ours bounds the wall time", () => {
  const both = `${TOML}[agent]\ntimeout_sec = 60.0\n[cloche.budget]\nwall_sec = 90\n`;
  assert.equal(readTaskToml(both, "task.toml").budget.wallMs, 60_000);
});

test("a clock may be a TOML time", () => {
  const toml = readTaskToml(TOML.replace(/"(2026.*)"/, "2026-03-02T10:00:00+01:00"), "task.toml");
  assert.equal(toml.now.toISOString(), "2026-03-02T09:00:00.000Z");
});

test("a server of the task's own runs as a user of its own name", () => {
  const own = 'name = "stock"\ntransport = "stdio"\ncommand = "stock"\nargs = ["-x"]';
  const { servers } = readTaskToml(TOML.replace('name = "terminal"', own), "task.toml");
  assert.deepEqual(servers, [
    { name: "stock", kind: "stdio", argv: ["stock", "-x"], env: {}, user: "stock" },
  ]);
});

test("solution, cheats, modules and splits are found", async (context) => {
  const root = repository(context, {
    "task.toml": `${TOML}[cloche.variants]\ncount = 5\nholdout = [5, 4, 5]\n`,
    "generate.py": "",
    "solution.py": "",
    "rules.py": "",
    "cheats/empty-file.py": "",
    "cheats/copy.py": "",
    "__pycache__/rules.pyc": "",
  });
  const task = await readTask(root, ID);
  assert.deepEqual(Object.keys(task.files.cheats), ["copy", "empty-file"]);
  assert.deepEqual(task.files.modules, [join(task.folder, "rules.py")]);
  assert.equal(task.files.solution, join(task.folder, "solution.py"));
  assert.deepEqual(task.variants.holdout, [4, 5]);
  assert.equal(splitOf(task, 4), "holdout");
  assert.equal(splitOf(task, 3), "train");
});

test("the hash changes with any file of the task or its fixture, not else", async (context) => {
  const files = {
    "task.toml": `${TOML}fixture = "library"\n`,
    "/fixtures/library/workspace/a.txt": "a",
  };
  const root = repository(context, files);
  const hash = async () => (await readTask(root, ID)).sha256;
  const first = await hash();
  mkdirSync(join(root, "tasks", ID, "__pycache__"));
  writeFileSync(join(root, "tasks", ID, "__pycache__/x.pyc"), "x");
  assert.equal(await hash(), first);
  writeFileSync(join(root, "fixtures/library/workspace/a.txt"), "b");
  sealFixtures(root);
  const second = await hash();
  assert.notEqual(second, first);
  renameSync(
    join(root, "fixtures/library/workspace/a.txt"),
    join(root, "fixtures/library/workspace/b.txt"),
  );
  sealFixtures(root);
  const third = await hash();
  assert.notEqual(third, second);
  writeFileSync(join(root, "tasks", ID, "cheats.txt"), "");
  assert.notEqual(await hash(), third);
});

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => assert.fail("it was accepted"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}
