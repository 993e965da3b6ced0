import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { sealFixture, verifyFixture } from "../../runtime/task/fixture-manifest.ts";
import { layOut } from "../../runtime/task/fixture-set.ts";
import { readTask } from "../../runtime/task/task-file.ts";
import { readTaskToml } from "../../runtime/task/task-toml.ts";
import { repository, TOML } from "./repository.ts";

const ID = "desk/count-lines";
const LIBRARY = `${TOML}fixture = "library"\n`;

/** Each with its files, and the code and words of the fault. */
const REFUSED: Readonly<
  Record<string, readonly [Record<string, string | undefined>, string, ...RegExp[]]>
> = {
  "a fixture set that is not there is refused with the nearest": [
    { "task.toml": `${TOML}fixture = "libary"\n`, "/fixtures/library/workspace/a.txt": "a" },
    "task/no-fixture",
    /\[cloche\]\.fixture is "libary".*did you mean "library"\?/,
  ],
  "a fixture that names a path is refused": [
    { "task.toml": `${TOML}fixture = "../tasks"\n`, "/fixtures/library/workspace/a.txt": "a" },
    "task/no-fixture",
  ],
  "a fixture set with files in no part of it is refused with where they belong": [
    { "task.toml": LIBRARY, "/fixtures/library/a.txt": "a" },
    "task/fixture-refused",
    /fixtures\/library\/a\.txt is in no part of the set: move it into workspace\/ .* state\//,
  ],
  "a fixture set whose part is a file is refused": [
    { "task.toml": LIBRARY, "/fixtures/library/state": "a" },
    "task/fixture-refused",
    /fixtures\/library\/state must be a folder/,
  ],
  "state of no service is refused with the nearest one": [
    { "task.toml": LIBRARY, "/fixtures/library/state/calender/a.ics": "a" },
    "task/fixture-refused",
    /state\/calender is state of no service \(they are .*\).*did you mean "calendar"\?/,
  ],
  "state that lies beside the services' folders is refused": [
    { "task.toml": LIBRARY, "/fixtures/library/state/mail": "a" },
    "task/fixture-refused",
    /state\/mail must be a folder/,
  ],
  "workspace and state larger than the memory are refused": [
    {
      "task.toml": TOML.replace('"terminal"', '"memory"').replace(
        "[environment]",
        "[environment]\nstorage_mb = 1000\nstate_mb = 100",
      ),
    },
    "task/bad-value",
    /storage_mb \(1000\) and state_mb \(100\) together must not be above memory_mb \(1024\)/,
  ],
  "room for state where no server keeps any is refused": [
    { "task.toml": TOML.replace("[environment]", "[environment]\nstate_mb = 8") },
    "task/bad-value",
    /\[environment\]\.state_mb is given, but no server of the task keeps state/,
  ],
  "files of state where no server keeps any are refused": [
    { "task.toml": `${TOML}[cloche.limits]\nstate_files = 100\n` },
    "task/bad-value",
    /\[cloche\.limits\]\.state_files is given, but no server of the task keeps state/,
  ],
  "a server of the user that state belongs to is refused": [
    { "task.toml": TOML.replace('"terminal"', '"state"\ncommand = "bash"') },
    "task/bad-value",
    /no MCP server may be named "state"/,
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

test("a fixture with a link that leaves it is refused", async (context) => {
  const files = { "task.toml": LIBRARY, "/fixtures/library/workspace/sub/a.txt": "a" };
  const root = repository(context, files);
  symlinkSync("../../state/mail", join(root, "fixtures/library/workspace/sub/out"));
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.code, "task/fixture-refused");
  assert.match(
    fault.message,
    /workspace\/sub\/out is a link that leads out of the fixture set's workspace, to "\.\./,
  );
});

/** What is done to a sound set, and what the message names. */
const ALTERED: Readonly<Record<string, readonly [(set: string) => void, RegExp]>> = {
  "a changed file": [
    (set) => writeFileSync(join(set, "workspace/a.txt"), "b"),
    /workspace\/a\.txt is 1 bytes of sha256 3e23e8.* says 1 bytes of sha256 ca9781.*seal library"/,
  ],
  "a file that nobody listed": [
    (set) => writeFileSync(join(set, "workspace/b.txt"), "b"),
    /workspace\/b\.txt is there but not in manifest\.json/,
  ],
  "a file that is gone": [
    (set) => rmSync(join(set, "workspace/sub"), { recursive: true }),
    /workspace\/sub\/c\.txt is in manifest\.json but not there/,
  ],
  "a file that became a link to its like": [
    (set) => {
      renameSync(join(set, "workspace/sub/c.txt"), join(set, "workspace/sub/d.txt"));
      symlinkSync("d.txt", join(set, "workspace/sub/c.txt"));
    },
    /workspace\/sub\/c\.txt is a link to "d\.txt"; manifest\.json says 1 bytes/,
  ],
  "no manifest": [
    (set) => rmSync(join(set, "manifest.json")),
    /manifest\.json cannot be read .*take it over with "cloche fixture seal library"/,
  ],
  "a manifest that is none": [
    (set) => writeFileSync(join(set, "manifest.json"), "{}"),
    /manifest\.json is no manifest: /,
  ],
};

for (const [title, [alter, message]] of Object.entries(ALTERED)) {
  test(`a fixture set with ${title} is refused, and taken again once it is sealed`, async (t) => {
    const root = repository(t, {
      ...{ "task.toml": LIBRARY, "/fixtures/library/workspace/a.txt": "a" },
      "/fixtures/library/workspace/sub/c.txt": "c",
    });
    const { sha256 } = await readTask(root, ID);
    const set = { name: "library", folder: join(root, "fixtures/library") };
    alter(set.folder);
    const fault = await faultOf(readTask(root, ID));
    assert.deepEqual([fault.code, fault.blame], ["task/fixture-altered", "task"]);
    assert.match(fault.message, message);
    const isManifest = title.includes("manifest");
    await sealFixture(set, await layOut(set));
    const again = await readTask(root, ID);
    assert.equal(again.sha256 === sha256, isManifest, "the manifest is no part of the task's hash");
  });
}

test("sealing keeps what a set is for, unless told otherwise", async (context) => {
  const root = repository(context, { "/fixtures/library/workspace/a.txt": "a" });
  const set = { name: "library", folder: join(root, "fixtures/library") };
  assert.equal((await sealFixture(set, await layOut(set))).description, "For a test.");
  assert.equal((await sealFixture(set, await layOut(set), "New.")).description, "New.");
  assert.equal((await verifyFixture(set, await layOut(set))).description, "New.");
});

test("a fixture set with an empty folder is refused, since git would not keep it", async (context) => {
  const files = { "task.toml": LIBRARY, "/fixtures/library/workspace/a.txt": "a" };
  const root = repository(context, files);
  mkdirSync(join(root, "fixtures/library/workspace/empty"));
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.code, "task/fixture-refused");
  assert.match(fault.message, /workspace\/empty is an empty folder, which git does not keep/);
});

test("a fixture set with a file larger than a set may have is refused", async (context) => {
  const files = { "task.toml": LIBRARY, "/fixtures/library/workspace/a.txt": "a" };
  const root = repository(context, files);
  truncateSync(join(root, "fixtures/library/workspace/a.txt"), 16 * 2 ** 20 + 1);
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.code, "task/fixture-refused");
  assert.match(fault.message, /a\.txt with 16777217 bytes; 16777216 is the most/);
});

test("a link in the state of a fixture set is refused", async (context) => {
  const files = { "task.toml": LIBRARY, "/fixtures/library/state/mail/me/1": "a" };
  const root = repository(context, files);
  symlinkSync("1", join(root, "fixtures/library/state/mail/me/2"));
  const fault = await faultOf(readTask(root, ID));
  assert.equal(fault.code, "task/fixture-refused");
  assert.match(fault.message, /state\/mail\/me\/2 is a link: services follow none/);
});

test("a task with services has room for their state, as much as it asks for", () => {
  const memory = TOML.replace('"terminal"', '"memory"');
  const { limits } = readTaskToml(memory, "task.toml");
  assert.equal(limits.stateBytes, 16 * 2 ** 20);
  assert.equal(limits.stateFiles, 2000);
  const asked = `${memory.replace("[environment]", "[environment]\nstate_mb = 3")}
[cloche.limits]
state_files = 50
`;
  const given = readTaskToml(asked, "task.toml").limits;
  assert.equal(given.stateBytes, 3 * 2 ** 20);
  assert.equal(given.stateFiles, 50);
});

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => assert.fail("it was accepted"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}
