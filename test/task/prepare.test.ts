import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { type PreparedVariant, prepareVariant, variantSeed } from "../../runtime/task/prepare.ts";
import { readTask } from "../../runtime/task/task-file.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { GRADER, repository, TOML } from "./repository.ts";

const ID = "desk/count-lines";
const OWNER = namedId("test-prepare");
const FIXTURE = `${TOML}fixture = "desk"\n`;
const GENERATE = `def generate(variant):
    print("a word for the author")
    (variant.workspace / "notes" / "seed.txt").write_text(str(variant.rng.random()))
    run = variant.workspace / "run.sh"
    run.write_text("echo")
    run.chmod(0o700)
    variant.variables["person"] = "Ada"
    return {"lines": variant.number, "now": variant.now.isoformat()}
`;

const engine = await openEngine("docker", { env: process.env });
const { grader: graderImage } = (await requireImages(engine, process.env)).images;

after(async () => {
  const left = await engine.find(OWNER);
  for (const found of left) await engine.remove(found);
  await engine[Symbol.asyncDispose]();
  assert.deepEqual(left, [], "a sandbox was left behind");
});

type Files = Readonly<Record<string, string | undefined>>;

/** Each with its files, and the code and words of the fault. */
const REFUSED: Readonly<Record<string, readonly [Files, string, RegExp]>> = {
  "a generator that raises is refused with its traceback and the author's own path": [
    { "generate.py": "def generate(variant):\n    return {}['lines']\n" },
    "task/generate-failed",
    /generate\.py failed for variant 1: .*File "\/.*count-lines\/generate\.py", line 2.*KeyError/s,
  ],
  "a generator without generate() is refused": [
    { "generate.py": "x = 1\n" },
    "task/generate-failed",
    /generate\.py defines no function generate\(variant\)/,
  ],
  "a generator that makes a pipe is refused": [
    { "generate.py": generator("__import__('os').mkfifo(variant.workspace / 'pipe')") },
    "task/fixture-refused",
    /generate\.py: "workspace\/pipe" \(fifo\) cannot be in a workspace: remove it/,
  ],
  "a generator that makes more than the workspace holds is refused": [
    {
      "task.toml": TOML.replace("[environment]", "[environment]\nstorage_mb = 1"),
      "generate.py": generator("(variant.workspace / 'big').write_bytes(bytes(2 << 20))"),
    },
    "task/fixture-refused",
    /the fixture has 2097152 bytes .*the workspace holds 1048576 bytes.*storage_mb/,
  ],
  "a grader with two criteria of one name is refused": [
    { "grader.py": GRADER.replace("grade()", GRADER) },
    "task/grader-refused",
    /grader\.py: .*"?answer\.txt exists"?/,
  ],
  "a grader without criteria is refused": [
    { "grader.py": "from cloche import grade\ngrade()\n" },
    "task/grader-refused",
    /grader\.py: .*criteri/,
  ],
  "a grader that cannot be loaded is refused with its traceback and the author's own path": [
    { "grader.py": "import nothing_like_this\n" },
    "task/grader-refused",
    /grader\.py: .*tasks\/desk\/count-lines\/grader\.py.*No module named 'nothing_like_this'/s,
  ],
  "an instruction with a variable that generate.py does not set is refused": [
    {
      "generate.py": GENERATE,
      "instruction.md": "For {{persn}}.",
      "/fixtures/desk/workspace/notes/a": "a",
    },
    "task/unknown-variable",
    /instruction\.md: nothing sets \{\{persn\}\}; did you mean "person"\?/,
  ],
  "expected.json that is not JSON is refused": [
    { "expected.json": "{" },
    "task/file-refused",
    /expected\.json is not JSON/,
  ],
};

for (const [title, [files, code, message]] of Object.entries(REFUSED)) {
  test(title, async (context) => {
    const { prepare, cacheFolder } = preparer(context, { "task.toml": FIXTURE, ...SET, ...files });
    await assert.rejects(prepare(1), { code, blame: "task", message });
    assert.deepEqual(readdirSync(cacheFolder), []);
    assert.deepEqual(await engine.find(OWNER), []);
  });
}

test("a variant that the task does not have is refused", async (context) => {
  const { prepare } = preparer(context);
  for (const variant of [0, -1, 2, 1.5, Number.NaN]) {
    await assert.rejects(prepare(variant), {
      code: "task/no-such-variant",
      blame: "caller",
      message: /task desk\/count-lines has only variant 1, not/,
    });
  }
});

test("a fixture with a link that leaves it is refused, and nothing is made", async (context) => {
  const { prepare, root } = preparer(context, { "task.toml": FIXTURE, ...SET });
  symlinkSync("/etc/passwd", join(root, "fixtures/desk/workspace/out"));
  await assert.rejects(prepare(1), {
    code: "task/fixture-refused",
    message: /desk\/workspace\/out is a link/,
  });
});

test("a missing image is the engine's fault and passes as it is", async (context) => {
  const { prepare } = preparer(context, {}, "cloche/grader:none");
  await assert.rejects(prepare(1), { code: "engine/image-missing" });
});

test("an abort ends the preparation with its reason and leaves nothing", async (context) => {
  const files = { "generate.py": generator("__import__('time').sleep(600)") };
  const stop = new AbortController();
  const { prepare } = preparer(context, files, graderImage, stop.signal);
  const preparing = prepare(1);
  setTimeout(() => stop.abort(new Error("enough")), 1500);
  await assert.rejects(preparing, /enough/);
  assert.deepEqual(await engine.find(OWNER), []);
});

test("a variant holds static and generated files and the criteria", async (context) => {
  const { prepare, blobs } = preparer(context, { ...SET, ...GENERATED });
  const prepared = await prepare(2);
  assert.deepEqual(shape(prepared), [
    ["notes", "directory", 0o775],
    ["notes/a.txt", "file", 0o664],
    ["notes/seed.txt", "file", 0o664],
    ["run.sh", "file", 0o775],
  ]);
  assert.equal(prepared.instruction, "Count for Ada.");
  assert.deepEqual(JSON.parse(Buffer.from(prepared.expected).toString()), {
    lines: 2,
    now: "2026-03-02T09:00:00+00:00",
  });
  const plain = { polarity: "must", cap: null, asks: null };
  assert.deepEqual(prepared.criteria, [{ name: "answer.txt exists", weight: 2, ...plain }]);
  assert.equal(prepared.seed, variantSeed(ID, 2));
  assert.equal(await contentOf(prepared, "notes/a.txt", blobs), "a\n");
});

test("without generate.py a variant is the static set and expected.json", async (context) => {
  const files = { "task.toml": FIXTURE, ...SET, "expected.json": '{ "b": 1, "a": 2 }' };
  const prepared = await preparer(context, files).prepare(1);
  assert.deepEqual(
    shape(prepared).map(([path]) => path),
    ["notes", "notes/a.txt"],
  );
  assert.equal(Buffer.from(prepared.expected).toString(), '{"a":2,"b":1}');
});

test("a variant is the same from another folder, and another variant is not", async (context) => {
  const first = await preparer(context, { ...SET, ...GENERATED }).prepare(1);
  const again = preparer(context, { ...SET, ...GENERATED });
  assert.deepEqual(await again.prepare(1), first);
  assert.notEqual((await again.prepare(2)).sha256, first.sha256);
});

test("a second time is taken from the cache, and four at once agree", async (context) => {
  const { prepare, cacheFolder, withImage } = preparer(context, { ...SET, ...GENERATED });
  const [first, ...others] = await Promise.all([1, 1, 1, 1].map(prepare));
  for (const other of others) assert.deepEqual(other, first);
  assert.equal(readdirSync(cacheFolder).length, 1);
  assert.deepEqual(await prepare(1), first);
  // An image that is not there shows that the cache's key holds it.
  await assert.rejects(withImage("cloche/grader:none")(1), { code: "engine/image-missing" });
});

test("a damaged cache entry, or one whose contents are damaged, is made again", async (context) => {
  const { prepare, cacheFolder, blobs } = preparer(context, { ...SET, ...GENERATED });
  const first = await prepare(1);
  const [name = ""] = readdirSync(cacheFolder);
  const path = join(cacheFolder, name);
  const sound = readFileSync(path, "utf8");
  for (const bad of ["", sound.slice(0, 200), sound.replace("Ada", "Eve"), "x\n{}\n"]) {
    writeFileSync(path, bad);
    assert.deepEqual(await prepare(1), first);
    assert.equal(readFileSync(path, "utf8"), sound);
  }
  const { sha256 } = entryOf(first, "notes/a.txt");
  writeFileSync(join(blobs.path, sha256.slice(0, 2), sha256), "damaged");
  const again = await preparer(context, {}).with(blobs.path, cacheFolder, { ...SET, ...GENERATED });
  assert.deepEqual(again, first);
  assert.equal(await contentOf(first, "notes/a.txt", new BlobFolder(blobs.path)), "a\n");
});

test("seeds are whole numbers, stable, and of their own for each task and variant", () => {
  assert.equal(variantSeed("library/catalogue-update", 1), 38067146564282);
  const seeds = ["a/b", "a/c"].flatMap((id) => [1, 2, 3, 12].map((n) => variantSeed(id, n)));
  assert.equal(new Set(seeds).size, seeds.length);
  assert.ok(seeds.every(Number.isSafeInteger));
});

const SET: Files = { "/fixtures/desk/workspace/notes/a.txt": "a\n" };
const GENERATED: Files = {
  "task.toml": `${FIXTURE}[cloche.variants]\ncount = 5\n`,
  "generate.py": GENERATE,
  "instruction.md": "Count for {{ person }}.",
};

function generator(line: string): string {
  return `def generate(variant):\n    ${line}\n    return {}\n`;
}

function preparer(
  context: TestContext,
  files: Files = {},
  image = graderImage,
  signal = new AbortController().signal,
) {
  const root = repository(context, files);
  const cacheFolder = join(root, "cache");
  mkdirSync(cacheFolder);
  const blobs = new BlobFolder(join(root, "blobs"));
  const labels = { owner: OWNER, process: processIdentity() };
  const parts = { engine, graderImage: image, blobs, cacheFolder, labels, signal, log: silentLog };
  const withImage = (reference: string) => async (variant: number) =>
    prepareVariant(await readTask(root, ID), variant, { ...parts, graderImage: reference });
  const withFolders = async (blobFolder: string, cache: string, other: Files) => {
    const task = await readTask(repository(context, other), ID);
    const own = { blobs: new BlobFolder(blobFolder), cacheFolder: cache };
    return prepareVariant(task, 1, { ...parts, ...own });
  };
  return { prepare: withImage(image), withImage, with: withFolders, root, cacheFolder, blobs };
}

function shape({ fixture }: PreparedVariant) {
  return fixture.entries.map((entry) => [entry.path, entry.type, "mode" in entry && entry.mode]);
}

function entryOf({ fixture }: PreparedVariant, path: string) {
  const entry = fixture.entries.find((one) => one.path === path);
  assert.ok(entry?.type === "file");
  return entry;
}

async function contentOf(prepared: PreparedVariant, path: string, blobs: BlobFolder) {
  return (await blobs.bytes(entryOf(prepared, path).sha256, 1000)).toString();
}
