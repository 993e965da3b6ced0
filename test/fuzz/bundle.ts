import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { bundleArchive, receiveBundle } from "../../runtime/api/bundle-archive.ts";
import { canonicalJson } from "../../runtime/base/canonical-json.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import type { Bundle } from "../../runtime/store/bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import type { Manifest } from "../../runtime/store/manifest.ts";
import { filesOf } from "../store/bundle-folders.ts";
import { contentsWithState, sampleContents } from "../store/samples.ts";
import { type RawEntry, rawTar } from "../workspace/raw-tar.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { jsonMutated, jsonMutation } from "./json-mutations.ts";
import { mutated, mutation, pieces, seldom } from "./mutations.ts";

const CODES = /^(?:api\/upload-refused|api\/body-too-large|store\/bundle-(?:altered|missing))$/;
const DOCUMENTS = [
  "grade.json",
  "workspace/after.json",
  "workspace/before.json",
  "context.json",
].concat(["workspace/diff.json", "state/after.json", "steps.jsonl", "expected.json"]);

/** A part changed, and every hash made right again: what parts say must fit together too. */
const forgery = fc.record({
  path: fc.constantFrom(...DOCUMENTS),
  json: fc.array(jsonMutation, { minLength: 1, maxLength: 2 }),
  canonical: fc.boolean(),
});

const member = fc.record({
  name: fc.oneof(
    fc.constantFrom(
      "../x",
      "/etc/passwd",
      "task/run.sh",
      "logs/x.stderr",
      "task/more.py",
      "state/x",
    ),
    fc.constantFrom(
      "a/manifest.json",
      "blobs/00/",
      "manifest.sha256",
      "./grade.json",
      "grade.json",
    ),
  ),
  type: fc.constantFrom("0", "1", "2", "5", "6", "x"),
  linkName: fc.constantFrom("", "/etc/passwd", "manifest.json"),
});

const input = fc.record({
  state: fc.boolean(),
  forgeries: fc.array(forgery, { maxLength: 2 }),
  manifest: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(jsonMutation, { minLength: 1, maxLength: 2 }) },
  ),
  sealed: fc.oneof(
    { weight: 4, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.boolean() },
  ),
  top: fc.constantFrom("", "", "./", "bundle/", "0123456789abcdef/"),
  members: fc.array(member, { maxLength: 1 }),
  without: seldom(fc.nat(40), 6),
  bytes: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
  ),
  sizes: fc.constantFrom([65_536], [512], [700, 33, 5000]),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;
type Files = ReadonlyMap<string, Buffer>;

/** A bundle that somebody uploads: refused by name, or whole and right in itself. */
export const bundleTarget: FuzzTarget = {
  name: "bundle",
  open: async (folder, tally) => {
    const samples = { plain: await sample(folder, false), state: await sample(folder, true) };
    const place = join(folder, "received");
    return fc.asyncProperty(input, async (one) => {
      const files = forged(one.state ? samples.state : samples.plain, one);
      await check(files, one, place, tally);
    });
  },
};

async function sample(folder: string, withState: boolean): Promise<Files> {
  const scratch = join(folder, withState ? "state" : "plain");
  mkdirSync(join(scratch, "bundles"), { recursive: true });
  const { contents, blobs } = await (withState ? contentsWithState : sampleContents)(scratch);
  const { path } = await writeBundle(join(scratch, "bundles"), contents, blobs);
  return new Map(
    filesOf(path)
      .sort()
      .map((file) => [file, readFileSync(join(path, file))]),
  );
}

function forged(sample: Files, { forgeries, manifest: changes, sealed }: Input): Files {
  const files = new Map(sample);
  for (const { path, json, canonical } of forgeries) {
    const old = files.get(path);
    if (old === sample.get(path) && old !== undefined)
      files.set(path, rewritten(path, old, json, canonical));
  }
  if (!sealed) return files;
  const manifest = JSON.parse((files.get("manifest.json") ?? "").toString()) as Manifest;
  const parts = manifest.parts.map((part) => {
    const bytes = files.get(part.path) ?? Buffer.alloc(0);
    return { path: part.path, bytes: bytes.length, sha256: sha256(bytes) };
  });
  const text = asJson(jsonMutated({ ...manifest, parts }, changes), true);
  files.set("manifest.json", Buffer.from(text));
  return files.set("manifest.sha256", Buffer.from(`${sha256(text)}  manifest.json\n`));
}

function rewritten(path: string, old: Buffer, json: Input["manifest"], canonical: boolean): Buffer {
  const lines = path === "steps.jsonl" ? old.toString().trimEnd().split("\n") : [old.toString()];
  const values = jsonMutated(
    lines.map((line) => JSON.parse(line) as unknown),
    json,
  );
  const texts = (Array.isArray(values) ? values : [values]).map((one) => asJson(one, canonical));
  const end = path === "steps.jsonl" || path === "grade.json" ? "\n" : "";
  return Buffer.from(texts.map((text) => `${text}${end}`).join(""));
}

function asJson(value: unknown, canonical: boolean): string {
  if (!canonical) return JSON.stringify(value) ?? "";
  try {
    return canonicalJson(value);
  } catch {
    return JSON.stringify(value) ?? ""; // No canonical form: NaN, lone surrogates.
  }
}

async function check(files: Files, one: Input, place: string, tally: Tally): Promise<void> {
  const plain: RawEntry[] = [...files].map(([path, content]) => ({
    name: `${one.top}${path}`,
    content,
  }));
  const entries = [
    ...plain.filter((_, index) => index !== (one.without ?? -1) % files.size),
    ...one.members,
  ];
  const tar = mutated(rawTar(entries), one.bytes);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  const opened = await receive(pieces(tar, one.sizes), place).catch((error: unknown) => error);
  if (opened instanceof Error) {
    if (!(opened instanceof Fault) || isUntouched(one)) throw opened;
    assert.match(opened.code, CODES, opened.message);
    tally.add(opened.code);
    return;
  }
  tally.add("accepted");
  await assertWhole(opened as Bundle, place);
}

function isUntouched({ forgeries, manifest, members, without, bytes }: Input): boolean {
  return (
    without === null && [forgeries, manifest, members, bytes].every(({ length }) => length === 0)
  );
}

async function receive(tar: readonly Buffer[], place: string): Promise<Bundle> {
  await receiveBundle(
    (async function* () {
      yield* tar;
    })(),
    place,
  );
  return await openBundle(place);
}

/** Checked once more by other means, and sent on and received once more. */
async function assertWhole(bundle: Bundle, place: string): Promise<void> {
  const digest = (path: string) =>
    createHash("sha256")
      .update(readFileSync(join(place, path)))
      .digest("hex");
  assert.equal(bundle.id, digest("manifest.json"));
  const listed = [
    "manifest.json",
    "manifest.sha256",
    ...bundle.manifest.parts.map(({ path }) => path),
  ];
  assert.deepEqual(filesOf(place).sort(), listed.sort());
  for (const { path, sha256 } of bundle.manifest.parts) assert.equal(digest(path), sha256);
  const { grade, manifest } = bundle;
  assert.equal(manifest.outcome === "graded", grade !== null && grade.reward !== null);
  if (grade?.reward) {
    const total = grade.criteria.reduce((sum, { weight }) => sum + weight, 0);
    const earned = grade.criteria.reduce(
      (sum, { weight, score }) => sum + weight * (score ?? 0),
      0,
    );
    assert.ok(Math.abs(grade.reward.dense - earned / total) <= 1e-6);
    assert.equal(
      grade.reward.sparse === 1,
      grade.criteria.every(({ score }) => score === 1),
    );
  }
  if (Number.parseInt(bundle.id[0] ?? "0", 16) % 4 > 0) return; // One in four is enough of this.
  const copy = `${place}.copy`;
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  const { stream, bytes } = await bundleArchive(place);
  const sent = (await stream.toArray()) as Buffer[];
  assert.equal(
    sent.reduce((sum, { length }) => sum + length, 0),
    bytes,
  );
  assert.equal((await receive(sent, copy)).id, bundle.id);
  assert.ok(readdirSync(copy).length > 0);
}
