import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { gradeBytes } from "../../runtime/grading/grade-run.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { type BundleContents, writeBundle } from "../../runtime/store/bundle-writer.ts";
import type { Manifest } from "../../runtime/store/manifest.ts";
import { readSteps } from "../../runtime/store/step-lines.ts";
import { ROLLOUT, sampleContents, stepLines, temporaryFolder } from "./samples.ts";

test("a bundle with any one byte of any file changed is refused, under any name", async (context) => {
  const { path } = await writtenBundle(context);
  const copy = copyOf(context, path, "copy");
  for (const root of [path, copy]) {
    const files = filesOf(root);
    const change = fc.record({
      file: fc.constantFrom(...files),
      at: fc.nat(),
      flip: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ file, at, flip }) => {
        const bytes = readFileSync(join(root, file));
        if (bytes.length === 0) return;
        const altered = Buffer.from(bytes);
        const position = at % bytes.length;
        altered[position] = (altered[position] ?? 0) ^ flip;
        overwrite(root, file, altered);
        try {
          await refused(root);
        } finally {
          overwrite(root, file, bytes);
        }
      }),
      { numRuns: 300 },
    );
    await openBundle(root);
  }
});

/** What is done to a bundle's folder, and what the refusal says. */
const ALTERED: Readonly<Record<string, readonly [(root: string) => void, RegExp]>> = {
  "a file that is missing": [
    (root) => unlinkSync(join(root, "wire.jsonl")),
    /wire\.jsonl is missing/,
  ],
  "a file too many": [
    (root) => writeFileSync(join(root, "task/notes.py"), ""),
    /"task\/notes\.py" is not in the manifest/,
  ],
  "a folder too many": [
    (root) => mkdirSync(join(root, "workspace/empty")),
    /"workspace\/empty" is not in the manifest/,
  ],
  "a link in the place of a file": [
    (root) => {
      renameSync(join(root, "wire.jsonl"), `${root}.wire`);
      symlinkSync(`${root}.wire`, join(root, "wire.jsonl"));
    },
    /wire\.jsonl is not a plain file/,
  ],
  "a link in the place of a folder": [
    (root) => {
      renameSync(join(root, "logs"), `${root}.logs`);
      symlinkSync(`${root}.logs`, join(root, "logs"));
    },
    /"logs" is not in the manifest/,
  ],
  "a manifest that is a link": [
    (root) => {
      renameSync(join(root, "manifest.json"), `${root}.manifest`);
      symlinkSync(`${root}.manifest`, join(root, "manifest.json"));
    },
    /manifest\.json cannot be read \(ELOOP/,
  ],
  "a longer file": [
    (root) => writeFileSync(join(root, "expected.json"), '{"lines":3} '),
    /expected\.json has 12 bytes; the manifest says 11/,
  ],
  "a missing seal": [
    (root) => unlinkSync(join(root, "manifest.sha256")),
    /manifest\.sha256 cannot be read/,
  ],
};

for (const [title, [alter, message]] of Object.entries(ALTERED)) {
  test(`${title} is refused`, async (context) => {
    const { path } = await writtenBundle(context);
    const root = copyOf(context, path, "copy");
    alter(root);
    assert.match((await refused(root)).message, message);
  });
}

test("a bundle under another bundle's name is refused", async (context) => {
  const { path, id } = await writtenBundle(context);
  const fault = await refused(copyOf(context, path, "0".repeat(64)));
  assert.match(fault.message, new RegExp(`has the hash ${id}, but the bundle is named 000`));
});

/** Forgeries that make every hash right again: what the parts say must fit together too. */
const FORGED: Readonly<Record<string, readonly [(forge: Forge) => void, RegExp]>> = {
  "a reward that the criteria do not make": [
    (forge) => forge.grade((grade) => ({ ...grade, reward: { sparse: 1, dense: 0.5 } })),
    /grade\.json gives the reward .*its criteria make/,
  ],
  "a grade with other criteria than declared": [
    (forge) =>
      forge.grade((grade) => ({ ...grade, criteria: [...grade.criteria, ...grade.criteria] })),
    /grade\.json judges other criteria/,
  ],
  "a grade of another task": [
    (forge) => forge.grade((grade) => ({ ...grade, task: "desk/other" })),
    /grade\.json is of desk\/other/,
  ],
  "a grade that is not canonical": [
    (forge) => forge.write("grade.json", ` ${forge.read("grade.json")}`),
    /grade\.json is not in canonical form/,
  ],
  "a grade with a member that no grade has": [
    (forge) => forge.grade((grade) => Object.assign({ extra: 1 }, grade)),
    /grade\.json is no grade: Unrecognized key/,
  ],
  "a graded rollout without its grade": [
    (forge) => forge.remove("grade.json"),
    /grade\.json is missing, but the outcome is graded/,
  ],
  "a step that was left out": [
    (forge) => forge.write("steps.jsonl", `${forge.read("steps.jsonl").split("\n")[1]}\n`),
    /steps\.jsonl line 1 is wrong: the chain is broken/,
  ],
  "steps of another rollout": [
    (forge) => forge.write("steps.jsonl", stepLines(2, { callId: "r9-1" })),
    /it is of the call "r9-1"/,
  ],
  "a step that is there twice": [
    (forge) => forge.write("steps.jsonl", stepLines(2, { step: 1, callId: `${ROLLOUT}-1` })),
    /line 2 is wrong: step 1 is there twice/,
  ],
  "fewer steps than the manifest says": [
    (forge) => forge.write("steps.jsonl", stepLines(1)),
    /steps\.jsonl has 1 lines; the manifest says 2/,
  ],
  "a last step that was cut": [
    (forge) => forge.write("steps.jsonl", stepLines(2).slice(0, -1)),
    /has no end: the file was cut/,
  ],
  "a diff that is not that of the snapshots": [
    (forge) =>
      forge.write("workspace/diff.json", forge.read("workspace/diff.json").replace("made", "maid")),
    /workspace\/diff\.json is not the difference/,
  ],
  "a snapshot with a path that climbs": [
    (forge) =>
      forge.write(
        "workspace/after.json",
        forge.read("workspace/after.json").replace("kept.txt", "../k.txt"),
      ),
    /workspace\/after\.json is no snapshot/,
  ],
  "a blob that nothing needs": [
    (forge) => forge.write(blobPath("more"), "more"),
    /blob [0-9a-f]{64} is in neither snapshot/,
  ],
  "a blob that is missing": [
    (forge) => forge.remove(blobPath("kept")),
    /blob [0-9a-f]{64} must have 4 bytes for the file "kept\.txt"; it is missing/,
  ],
  "a blob under another name": [
    (forge) => forge.write(blobPath("kept"), "tpek"),
    /is named [0-9a-f]{64} but listed with the hash/,
  ],
  "a part that no bundle has": [
    (forge) => forge.write("task/solution.sh", ""),
    /manifest\.json lists "task\/solution\.sh", which no bundle has/,
  ],
  "a part that climbs out": [
    (forge) => forge.manifest((manifest) => climbing(manifest)),
    /manifest\.json lists "\.\.\/x", which no bundle has/,
  ],
  "a part listed twice": [
    (forge) =>
      forge.manifest((manifest) => ({ ...manifest, parts: manifest.parts.flatMap((p) => [p, p]) })),
    /lists .* twice or out of order/,
  ],
  "a manifest without a grader": [
    (forge) => forge.remove("task/grader.py"),
    /manifest\.json does not list task\/grader\.py/,
  ],
  "a manifest with a member that no manifest has": [
    (forge) => forge.manifest((manifest) => Object.assign({ extra: 1 }, manifest)),
    /manifest\.json is no manifest: Unrecognized key/,
  ],
};

for (const [title, [forgery, message]] of Object.entries(FORGED)) {
  test(`${title} is refused although every hash is right`, async (context) => {
    const { path } = await writtenBundle(context);
    const root = copyOf(context, path, "forged");
    const forge = new Forge(root);
    forgery(forge);
    forge.seal();
    assert.match((await refused(root)).message, message);
  });
}

test("a folder that is not there or holds no bundle is refused as missing", async (context) => {
  const folder = temporaryFolder(context);
  await assert.rejects(openBundle(join(folder, "none")), { code: "store/bundle-missing" });
  await assert.rejects(openBundle(folder), {
    code: "store/bundle-missing",
    message: /is not a bundle: it has no manifest\.json/,
  });
});

test("what cannot be written whole leaves nothing", async (context) => {
  const folder = temporaryFolder(context);
  const bundles = join(folder, "bundles");
  mkdirSync(bundles);
  const { contents, blobs } = await sampleContents(folder);
  const bad: readonly BundleContents[] = [
    { ...contents, wireFile: join(folder, "none") },
    { ...contents, logs: { "../x": contents.wireFile } },
    { ...contents, graderFiles: [{ path: "../../x.py", bytes: Buffer.of() }] },
  ];
  for (const one of bad) {
    await assert.rejects(writeBundle(bundles, one, blobs), { code: "store/bundle-unwritten" });
  }
  unlinkSync(join(blobs.path, blobPath("kept").slice("blobs/".length)));
  await assert.rejects(writeBundle(bundles, contents, blobs), { code: "workspace/blob-missing" });
  assert.deepEqual(readdirSync(bundles), []);
});

test("a bundle comes back as it was written", async (context) => {
  const folder = temporaryFolder(context);
  const { contents, blobs } = await sampleContents(folder);
  const { id, path } = await writeBundle(folder, contents, blobs);
  const bundle = await openBundle(path);
  assert.equal(bundle.id, id);
  assert.equal(id, sha256(readFileSync(join(path, "manifest.json"))));
  const { schema, parts, ...facts } = bundle.manifest;
  assert.equal(schema, "cloche.bundle/1");
  assert.deepEqual(facts, contents.facts);
  assert.deepEqual(parts.map((part) => part.path).sort(), filesOf(path).filter(isPart).sort());
  assert.deepEqual(bundle.before, contents.before);
  assert.deepEqual(bundle.after, contents.after);
  assert.deepEqual(bundle.grade, contents.grade);
  assert.deepEqual(bundle.context, contents.context);
  assert.deepEqual(bundle.graderFiles, contents.graderFiles);
  assert.deepEqual(Buffer.from(bundle.expected), contents.expected);
  assert.equal(bundle.instruction, contents.instruction);
  assert.equal(bundle.taskToml, contents.taskToml.toString());
  assert.equal((await Array.fromAsync(readSteps(bundle.stepsFile))).length, 2);
  assert.equal((await bundle.blobs.bytes(sha256("new"), 100)).toString(), "new");
});

test("a bundle of a failed grading opens without a grade", async (context) => {
  const folder = temporaryFolder(context);
  const { contents, blobs } = await sampleContents(folder);
  const facts = { ...contents.facts, outcome: "grader_error" } as const;
  const { path } = await writeBundle(folder, { ...contents, facts, grade: null }, blobs);
  assert.equal((await openBundle(path)).grade, null);
});

test("the files of a bundle are read-only, and the same content is one bundle", async (context) => {
  const { path, again } = await writtenBundle(context);
  for (const file of [...filesOf(path), ".", "workspace"]) {
    assert.equal(statSync(join(path, file)).mode & 0o222, 0, file);
  }
  assert.equal((await again()).path, path);
  const visible = readdirSync(dirname(path)).filter((name) => name.startsWith("."));
  assert.deepEqual(visible, []);
});

test("a second bundle of the same content does not hide that the first was altered", async (context) => {
  const { path, again } = await writtenBundle(context);
  overwrite(path, "wire.jsonl", Buffer.from("[]\n"));
  await assert.rejects(again(), { code: "store/bundle-altered" });
});

/** Rewrites parts of a copy and makes the hashes right again. */
class Forge {
  readonly #root: string;
  #manifest: Manifest;

  constructor(root: string) {
    this.#root = root;
    this.#manifest = JSON.parse(this.read("manifest.json")) as Manifest;
  }

  read(path: string): string {
    return readFileSync(join(this.#root, path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    overwrite(this.#root, path, Buffer.from(text));
    this.remove(path, false);
    const part = { path, bytes: Buffer.byteLength(text), sha256: sha256(text) };
    const parts = [...this.#manifest.parts, part].sort((a, b) => (a.path < b.path ? -1 : 1));
    this.#manifest = { ...this.#manifest, parts };
  }

  remove(path: string, fromDisk = true): void {
    const full = join(this.#root, path);
    if (fromDisk) rmSync(full);
    if (fromDisk && readdirSync(dirname(full)).length === 0)
      rmSync(dirname(full), { recursive: true });
    const parts = this.#manifest.parts.filter((part) => part.path !== path);
    this.#manifest = { ...this.#manifest, parts };
  }

  grade(
    change: (grade: NonNullable<BundleContents["grade"]>) => NonNullable<BundleContents["grade"]>,
  ): void {
    this.write("grade.json", gradeBytes(change(JSON.parse(this.read("grade.json")))).toString());
  }

  manifest(change: (manifest: Manifest) => Manifest): void {
    this.#manifest = change(this.#manifest);
  }

  seal(): void {
    const text = canonicalJson(this.#manifest);
    overwrite(this.#root, "manifest.json", Buffer.from(text));
    overwrite(this.#root, "manifest.sha256", Buffer.from(`${sha256(text)}  manifest.json\n`));
  }
}

function climbing(manifest: Manifest): Manifest {
  const part = { path: "../x", bytes: 0, sha256: sha256("") };
  return { ...manifest, parts: [part, ...manifest.parts] };
}

async function writtenBundle(context: TestContext) {
  const folder = temporaryFolder(context);
  const bundles = join(folder, "bundles");
  mkdirSync(bundles);
  const { contents, blobs } = await sampleContents(folder);
  const again = () => writeBundle(bundles, contents, blobs);
  return { ...(await again()), again };
}

function copyOf(context: TestContext, path: string, name: string): string {
  const copy = join(temporaryFolder(context), name);
  cpSync(path, copy, { recursive: true });
  for (const file of ["", ...readdirSync(copy, { recursive: true }).map(String)]) {
    chmodSync(join(copy, file), 0o755);
  }
  return copy;
}

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

function isPart(path: string): boolean {
  return path !== "manifest.json" && path !== "manifest.sha256";
}

function blobPath(text: string): string {
  const hash = sha256(text);
  return `blobs/${hash.slice(0, 2)}/${hash}`;
}

function overwrite(root: string, path: string, bytes: Uint8Array): void {
  const full = join(root, path);
  chmodSync(dirname(full), 0o755);
  if (statSync(full, { throwIfNoEntry: false })) chmodSync(full, 0o644);
  writeFileSync(full, bytes);
}

async function refused(root: string): Promise<Fault> {
  const error = await openBundle(root).then(
    () => assert.fail(`${root} was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, "store/bundle-altered");
  return error;
}
