import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { prepareVariant } from "../../runtime/task/prepare.ts";
import { readTask } from "../../runtime/task/task-file.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { repository, TOML } from "./repository.ts";

const ID = "desk/count-lines";
const OWNER = namedId("test-prepare");
const PLAIN = `${TOML}fixture = "desk"\n`;
const SERVICES = TOML.replace(
  "[cloche]",
  '[[environment.mcp_servers]]\nname = "calendar"\n[cloche]\nfixture = "desk"',
);

type Files = Readonly<Record<string, string>>;

const SET: Files = { "/fixtures/desk/workspace/notes/a.txt": "a\n" };
const STATE: Files = {
  "/fixtures/desk/state/mail/me/cur/1": "hello\n",
  "/fixtures/desk/state/web/shop/site.json": "{}",
};

const engine = await openEngine("docker", { env: process.env });
const { images } = await requireImages(engine, process.env);

after(async () => {
  const left = await engine.find(OWNER);
  for (const found of left) await engine.remove(found);
  await engine[Symbol.asyncDispose]();
  assert.deepEqual(left, [], "a sandbox was left behind");
});

/** Each with its files, and the code and words of the fault. */
const REFUSED: Readonly<Record<string, readonly [Files, string, RegExp]>> = {
  "a generator that writes state for no service of the task is refused with its folders": [
    {
      "task.toml": SERVICES,
      "generate.py": generator("(variant.state / 'web' / 'shop').mkdir(parents=True)"),
    },
    "task/fixture-refused",
    /state\/web would be read by no service: .* only the folders calendar, mail, people.*name the/,
  ],
  "a generator that writes state for a task without services is refused": [
    { "generate.py": generator("(variant.state / 'mail').mkdir()") },
    "task/fixture-refused",
    /state\/mail would be read by no service: the task's servers keep none in \/state/,
  ],
  "a generator that writes state beside the services' folders is refused": [
    {
      "task.toml": SERVICES,
      "generate.py": generator("(variant.state / 'mail.txt').write_text('x')"),
    },
    "task/fixture-refused",
    /state\/mail\.txt would be read by no service/,
  ],
  "a generator that makes a link or a pipe in the state is refused": [
    {
      "task.toml": SERVICES,
      "generate.py": generator("(variant.state / 'mail' / 'l').symlink_to('../people')"),
    },
    "task/fixture-refused",
    /state\/mail\/l is a link: services follow none/,
  ],
  "a generator that makes a pipe in the state is refused": [
    {
      "task.toml": SERVICES,
      "generate.py": generator("__import__('os').mkfifo(variant.state / 'mail' / 'p')"),
    },
    "task/fixture-refused",
    /"state\/mail\/p" \(fifo\) cannot be in a service's state: remove it/,
  ],
  "a generator that writes more state than there is room for is refused": [
    {
      "task.toml": SERVICES.replace("[environment]", "[environment]\nstate_mb = 1"),
      "generate.py": generator("(variant.state / 'mail' / 'm').write_bytes(bytes(2 << 20))"),
    },
    "task/fixture-refused",
    /the services' state has 2097152 bytes .*\/state holds 1048576 bytes.*state_mb or .*state_files/,
  ],
};

for (const [title, [files, code, message]] of Object.entries(REFUSED)) {
  test(title, async (context) => {
    const { prepare, cacheFolder } = preparer(context, { "task.toml": PLAIN, ...SET, ...files });
    await assert.rejects(prepare(1), { code, blame: "task", message });
    assert.deepEqual(readdirSync(cacheFolder), []);
  });
}

test("a task without services has no state and no names", async (context) => {
  const files = { "task.toml": PLAIN, "generate.py": generator("pass"), ...SET, ...STATE };
  const { state, hostNames } = await preparer(context, files).prepare(1);
  assert.deepEqual(state.entries, []);
  assert.deepEqual(hostNames, []);
});

test("state is what the set holds for the task's services, and what is generated", async (context) => {
  const line = "(variant.state / 'mail' / 'me' / 'cur' / '2').write_text(str(variant.number))";
  const files = { "task.toml": SERVICES, ...SET, ...STATE, "generate.py": generator(line) };
  const { prepare } = preparer(context, files);
  const { state, fixture } = await prepare(1);
  assert.deepEqual(
    state.entries.map((entry) => [entry.path, "mode" in entry && entry.mode]),
    [
      ["calendar", 0o700],
      ["mail", 0o700],
      ["mail/me", 0o700],
      ["mail/me/cur", 0o700],
      ["mail/me/cur/1", 0o600],
      ["mail/me/cur/2", 0o600],
      ["people", 0o700],
    ],
  );
  assert.equal(state.bytes, "hello\n1".length);
  assert.deepEqual(
    fixture.entries.map(({ path }) => path),
    ["notes", "notes/a.txt"],
  );
});

test("state is part of a variant's hash, and comes from the cache as it was made", async (context) => {
  const files = { "task.toml": SERVICES, ...SET, ...STATE, "generate.py": generator("pass") };
  const { prepare, cacheFolder } = preparer(context, files);
  const first = await prepare(1);
  assert.equal(readdirSync(cacheFolder).length, 1);
  assert.deepEqual(await prepare(1), first);
  const line = "(variant.state / 'mail' / 'me' / 'cur' / '1').write_text('hullo')";
  const other = preparer(context, { ...files, "generate.py": generator(line) });
  assert.notEqual((await other.prepare(1)).sha256, first.sha256);
});

test("a site is found by the name that it says, or else by its folder's", async (context) => {
  const toml = SERVICES.replace('"calendar"', '"web"');
  const { prepare } = preparer(context, {
    "task.toml": toml,
    "/fixtures/desk/state/web/shop/site.json": '{"kind":"shop"}',
    "/fixtures/desk/state/web/books/site.json": '{"kind":"library","host":"Library.test"}',
    "/fixtures/desk/state/web/broken/site.json": "{",
    "/fixtures/desk/state/web/no name/site.json": "{}",
    "/fixtures/desk/state/web/none/site.txt": "{}",
  });
  assert.deepEqual((await prepare(1)).hostNames, ["broken.test", "library.test", "shop.test"]);
});

function generator(line: string): string {
  return `def generate(variant):\n    ${line}\n    return {}\n`;
}

function preparer(context: TestContext, files: Files) {
  const root = repository(context, files);
  const cacheFolder = join(root, "cache");
  mkdirSync(cacheFolder);
  const parts = {
    ...{ engine, cacheFolder, graderImage: images.grader, log: silentLog },
    blobs: new BlobFolder(join(root, "blobs")),
    labels: { owner: OWNER, process: processIdentity() },
    signal: new AbortController().signal,
  };
  const prepare = async (variant: number) =>
    prepareVariant(await readTask(root, ID), variant, parts);
  return { prepare, cacheFolder };
}
