import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import type { Grade } from "../../runtime/grading/grade.ts";
import type { Alteration } from "../../runtime/store/alterations.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { writeBundle } from "../../runtime/store/bundle-writer.ts";
import {
  newSigningPair,
  openSigner,
  openVerifier,
  signRegrade,
} from "../../runtime/store/signature.ts";
import { checkRegrade, verifyBundle } from "../../runtime/store/verify-bundle.ts";
import { copyOf, overwrite } from "./bundle-folders.ts";
import { Forge } from "./forge.ts";
import { ROLLOUT, sampleContents, stepLines, temporaryFolder } from "./samples.ts";

const PAIR = newSigningPair();
const SIGNER = openSigner(PAIR.privatePem);
const VERIFIER = openVerifier(PAIR.publicPem);
const OTHER = newSigningPair();

/** A bundle of four steps and two criteria. */
async function signed(context: TestContext, signer = SIGNER) {
  const folder = temporaryFolder(context);
  const bundles = join(folder, "bundles");
  mkdirSync(bundles);
  const { contents, blobs } = await sampleContents(folder);
  const steps = join(folder, "four.jsonl");
  writeFileSync(steps, stepLines(4));
  const criteria = ["answer.txt exists", "the sum is right"].map((name) => ({ name, weight: 1 }));
  const judged = criteria.map((one, at) => ({ ...one, score: at, reason: "", error: null }));
  const grade = {
    ...(contents.grade as Grade),
    criteria: judged,
    reward: { sparse: 0, dense: 0.5 },
  };
  const facts = { ...contents.facts, criteria, steps: 4 };
  const whole = { ...contents, facts, stepsFile: steps, grade: grade as Grade };
  return await writeBundle(bundles, whole, blobs, signer);
}

async function verdictOn(root: string, verifier = VERIFIER): Promise<Fault> {
  const error: unknown = await verifyBundle(root, verifier).then(
    () => assert.fail(`${root} was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}

/** Alterations of one byte or file, hashes left as they were, and what must be named. */
const ALTERED: Readonly<
  Record<string, readonly [(root: string) => void, RegExp, Partial<Alteration>]>
> = {
  "the second of four steps": [
    (root) => replace(root, "steps.jsonl", `${ROLLOUT}-2"`, `${ROLLOUT}-9"`),
    /steps\.jsonl, step 2: is not the line that was written/,
    { part: "steps.jsonl", step: 2 },
  ],
  "the last step": [
    (root) => replace(root, "steps.jsonl", `${ROLLOUT}-4"`, `${ROLLOUT}-9"`),
    /steps\.jsonl, step 4: is not the line/,
    { part: "steps.jsonl", step: 4 },
  ],
  "a step that was taken out": [
    (root) => {
      const lines = readFileSync(join(root, "steps.jsonl"), "utf8").split("\n");
      overwrite(root, "steps.jsonl", Buffer.from(lines.toSpliced(1, 1).join("\n")));
    },
    /steps\.jsonl, step 2: is missing/,
    { part: "steps.jsonl", step: 2 },
  ],
  "the score of one criterion": [
    (root) => replace(root, "grade.json", '"score":0', '"score":1'),
    /grade\.json, criterion "answer\.txt exists": is not as it was judged/,
    { part: "grade.json", criterion: "answer.txt exists" },
  ],
  "the reason of the other criterion": [
    (root) => {
      const text = readFileSync(join(root, "grade.json"), "utf8");
      const at = text.lastIndexOf('"reason":""');
      overwrite(
        root,
        "grade.json",
        Buffer.from(`${text.slice(0, at)}"reason":"x"${text.slice(at + 11)}`),
      );
    },
    /grade\.json, criterion "the sum is right"/,
    { part: "grade.json", criterion: "the sum is right" },
  ],
  "the reward alone": [
    (root) => replace(root, "grade.json", '"dense":0.5', '"dense":0.9'),
    /grade\.json gives the reward .* which its criteria do not make/,
    { part: "grade.json" },
  ],
  "a file of the workspace": [
    (root) => replace(root, blobOf(root, "new"), "new", "old"),
    /blobs\/.* has the hash/,
    {},
  ],
  "the grader": [
    (root) => replace(root, "task/grader.py", "grade()", "grade(#"),
    /task\/grader\.py has the hash/,
    { part: "task/grader.py" },
  ],
  "what was expected": [
    (root) => replace(root, "expected.json", "3", "4"),
    /expected\.json has the hash/,
    { part: "expected.json" },
  ],
  "a part that was removed": [
    (root) => {
      chmodSync(dirname(join(root, "task/rules.py")), 0o755);
      rmSync(join(root, "task/rules.py"));
    },
    /task\/rules\.py is missing/,
    { part: "task/rules.py" },
  ],
  "a file that was added": [
    (root) => overwrite(root, "task/more.py", Buffer.from("")),
    /task\/more\.py" is not in the manifest/,
    {},
  ],
  "the manifest": [
    (root) => replace(root, "manifest.json", '"variant":1', '"variant":2'),
    /manifest\.json has another hash than manifest\.sha256 says/,
    { part: "manifest.json" },
  ],
  "the signature's form": [
    (root) => overwrite(root, "manifest.sig", Buffer.from("{}\n")),
    /manifest\.sig.*is no signature/,
    { part: "manifest.sig" },
  ],
};

for (const [title, [alter, message, wanted]] of Object.entries(ALTERED)) {
  test(`an alteration is named: ${title}`, async (context) => {
    const { path } = await signed(context);
    const root = copyOf(context, path, "copy");
    alter(root);
    const fault = await verdictOn(root);
    assert.equal(fault.code, "store/bundle-altered");
    assert.match(fault.message, message);
    const alterations = fault.detail["alterations"] as Alteration[];
    const isNamed = (one: Alteration) =>
      Object.entries(wanted).every(([key, value]) => one[key as keyof Alteration] === value);
    assert.ok(alterations.some(isNamed), JSON.stringify(alterations));
  });
}

test("several alterations are all named", async (context) => {
  const { path } = await signed(context);
  const root = copyOf(context, path, "copy");
  for (const title of ["the second of four steps", "the score of one criterion", "the grader"]) {
    ALTERED[title]?.[0](root);
  }
  const { message } = await verdictOn(root);
  for (const part of [/step 2/, /criterion "answer/, /task\/grader\.py/])
    assert.match(message, part);
});

test("a bundle whose every hash was made right again is told by its signature alone", async (context) => {
  const { path } = await signed(context);
  const root = copyOf(context, path, "copy");
  const forge = new Forge(root);
  forge.write("expected.json", '{"lines":4}');
  forge.seal();
  await openBundle(root); // Nothing but the signature shows it.
  const fault = await verdictOn(root);
  assert.equal(fault.code, "store/signature-wrong");
  assert.match(fault.message, /manifest\.json was rewritten after it was signed/);
});

test("a forgery whose hashes are right is named once, by its part", async (context) => {
  const { path } = await signed(context);
  const root = copyOf(context, path, "copy");
  const forge = new Forge(root);
  forge.write("steps.jsonl", stepLines(4).split("\n").toSpliced(0, 1).join("\n"));
  forge.seal();
  const { code, message } = await verdictOn(root);
  assert.equal(code, "store/bundle-altered");
  assert.match(message, /altered: steps\.jsonl line 1 is wrong: the chain is broken/);
});

test("a signature by another key is refused, and both keys are named", async (context) => {
  const { path } = await signed(context, openSigner(OTHER.privatePem));
  const fault = await verdictOn(path);
  assert.equal(fault.code, "store/signature-wrong");
  assert.ok(fault.message.includes(OTHER.key.slice(0, 16)));
  assert.ok(fault.message.includes(PAIR.key.slice(0, 16)));
});

test("another key's signature under this key's name is refused", async (context) => {
  const { path } = await signed(context, openSigner(OTHER.privatePem));
  const root = copyOf(context, path, "copy");
  replace(root, "manifest.sig", OTHER.key, PAIR.key);
  assert.equal((await verdictOn(root)).code, "store/signature-wrong");
});

test("a bundle without a signature is sound, but not where one is asked for", async (context) => {
  const root = copyOf(context, (await signed(context)).path, "copy");
  rmSync(join(root, "manifest.sig"));
  assert.equal((await verifyBundle(root)).signature, null);
  assert.equal((await verdictOn(root)).code, "store/bundle-unsigned");
});

test("a signed bundle is verified with the public key, and is as sound without it", async (context) => {
  const { path } = await signed(context);
  assert.equal((await verifyBundle(path, VERIFIER)).signature?.key, PAIR.key);
  assert.equal((await verifyBundle(path)).signature?.key, PAIR.key);
});

test("a bundle that was there before the key gets its signature, and keeps its id", async (context) => {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, "bundles"));
  const { contents, blobs } = await sampleContents(folder);
  const first = await writeBundle(join(folder, "bundles"), contents, blobs);
  assert.equal((await openBundle(first.path)).signature, null);
  const second = await writeBundle(join(folder, "bundles"), contents, blobs, SIGNER);
  assert.equal(second.id, first.id);
  await verifyBundle(second.path, VERIFIER);
});

test("a regrade is bound to its bundle and to every word of it", async (context) => {
  const { path } = await signed(context);
  const bundle = await openBundle(path);
  const grade = bundle.grade as Grade;
  const regrade = signRegrade(bundle.id, grade, SIGNER);
  checkRegrade(bundle, regrade, VERIFIER);
  const wrong = { code: "store/signature-wrong" };
  const better = { ...grade, reward: { sparse: 1, dense: 1 } as const };
  assert.throws(() => checkRegrade(bundle, { ...regrade, grade: better }, VERIFIER), wrong);
  const elsewhere = signRegrade("0".repeat(64), grade, SIGNER);
  assert.throws(() => checkRegrade(bundle, elsewhere, VERIFIER), wrong);
  assert.throws(() => checkRegrade(bundle, { ...elsewhere, bundle: bundle.id }, VERIFIER), wrong);
  const foreign = signRegrade(bundle.id, grade, openSigner(OTHER.privatePem));
  assert.throws(() => checkRegrade(bundle, foreign, VERIFIER), wrong);
});

test("a key of another kind, no key, and a private key where a public one belongs are refused", () => {
  const unusable = { code: "store/signing-key-unusable" };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = { type: "pkcs8", format: "pem" } as const;
  assert.throws(() => openSigner(rsa.privateKey.export(pem).toString()), unusable);
  assert.throws(() => openSigner("not a key"), unusable);
  assert.throws(() => openSigner(PAIR.publicPem), unusable);
  assert.throws(() => openVerifier(PAIR.privatePem), unusable);
});

function replace(root: string, path: string, from: string, to: string): void {
  const text = readFileSync(join(root, path), "utf8");
  assert.ok(text.includes(from), `${path} has no ${from}`);
  overwrite(root, path, Buffer.from(text.replace(from, to)));
}

function blobOf(root: string, text: string): string {
  const { parts } = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8"));
  const paths = (parts as { path: string }[]).map(({ path }) => path);
  const found = paths.find(
    (path) => path.startsWith("blobs/") && readFileSync(join(root, path), "utf8") === text,
  );
  return found ?? assert.fail(`no blob holds ${text}`);
}
