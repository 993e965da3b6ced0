import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { type BundleContents, writeBundle } from "../../runtime/store/bundle-writer.ts";
import { readSteps } from "../../runtime/store/step-lines.ts";
import {
  blobPath,
  copyOf,
  filesOf,
  isPart,
  overwrite,
  refused,
  writtenBundle,
} from "./bundle-folders.ts";
import { sampleContents, temporaryFolder } from "./samples.ts";

test("a bundle with one byte of any file changed is refused, under any name", async (context) => {
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

test("a folder that is not there or holds no bundle is refused as missing", async (context) => {
  const folder = temporaryFolder(context);
  await assert.rejects(openBundle(join(folder, "none")), { code: "store/bundle-missing" });
  await assert.rejects(openBundle(folder), {
    code: "store/bundle-missing",
    message: /is not a bundle: it has no manifest\.json/,
  });
});

test("contents that do not fit together are refused and never visible", async (context) => {
  const folder = temporaryFolder(context);
  const bundles = join(folder, "bundles");
  mkdirSync(bundles);
  const { contents, blobs } = await sampleContents(folder);
  const facts = { ...contents.facts, steps: 3 };
  await assert.rejects(writeBundle(bundles, { ...contents, facts }, blobs), {
    code: "store/bundle-unwritten",
    message: /steps\.jsonl has 2 lines; the manifest says 3/,
  });
  assert.deepEqual(readdirSync(bundles), []);
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
  const { schema, parts, marks, ...facts } = bundle.manifest;
  assert.equal(schema, "cloche.bundle/1");
  assert.deepEqual(facts, contents.facts);
  const lines = readFileSync(bundle.stepsFile, "utf8").trimEnd().split("\n");
  assert.equal(marks?.lastStep, sha256(lines.at(-1) ?? ""));
  assert.deepEqual(
    marks?.criteria,
    contents.grade?.criteria.map((one) => sha256(canonicalJson(one))),
  );
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

test("a bundle of what was never captured opens with its steps and without a grade", async (context) => {
  const folder = temporaryFolder(context);
  const { contents, blobs } = await sampleContents(folder);
  const { after: _after, ...rest } = contents;
  const facts = { ...contents.facts, outcome: "infra_error", ending: null } as const;
  const { path } = await writeBundle(folder, { ...rest, facts, grade: null }, blobs);
  const bundle = await openBundle(path);
  assert.deepEqual([bundle.after, bundle.state, bundle.grade], [null, undefined, null]);
  assert.equal((await Array.fromAsync(readSteps(bundle.stepsFile))).length, 2);
  await assert.rejects(writeBundle(folder, { ...rest, facts }, blobs), {
    code: "store/bundle-unwritten",
  });
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

test("the same content once more does not hide that a bundle was altered", async (context) => {
  const { path, again } = await writtenBundle(context);
  overwrite(path, "wire.jsonl", Buffer.from("[]\n"));
  await assert.rejects(again(), { code: "store/bundle-altered" });
});
