import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bundleArchive } from "../../runtime/api/bundle-archive.ts";
import { Forge } from "../store/forge.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("signatures, from the command line", () => {
  let folder: string;
  let root: TestRoot;
  let key: string;
  let bundle: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-signing-"));
    root = await smallTask();
    key = join(folder, "signing.pem");
    const made = await cloche(["keys", "signing", key]);
    assert.equal(made.code, 0, made.err);
    const { code, out, err } = await cloche(["run", "test/note", "--signing-key", key, "--json"]);
    assert.equal(code, 0, err);
    bundle = JSON.parse(out).rollouts[0].bundle;
  });

  after(async () => {
    await makeWritable(folder);
    await rm(folder, { recursive: true, force: true });
    await root?.[Symbol.asyncDispose]();
  });

  it("makes a pair of keys of which nobody else can read the private one, and overwrites none", async () => {
    assert.equal((await stat(key)).mode & 0o777, 0o600);
    const again = await cloche(["keys", "signing", key]);
    assert.equal(again.code, 2);
    assert.match(again.err, /cli\/bad-key-file/);
  });

  it("refuses a signing key that everybody can read, before anything is run", async () => {
    const open = join(folder, "open.pem");
    await cp(key, open);
    await chmod(open, 0o644);
    const refused = await cloche(["run", "test/note", "--signing-key", open]);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /cli\/bad-key-file: .*chmod 600/);
    assert.equal(refused.out, "");
  });

  it("verifies a bundle with the public key alone, as a folder and as an archive", async () => {
    const archive = join(folder, "bundle.tar");
    const { stream } = await bundleArchive(bundle);
    await writeFile(archive, stream);
    for (const path of [bundle, archive]) {
      const args = ["bundle", "verify", path, "--public-key", `${key}.pub`, "--json"];
      const { code, out, err } = await cloche(args, { CLOCHE_DATA: "/nowhere/at/all" });
      assert.equal(code, 0, err);
      const { ok, signature } = JSON.parse(out);
      assert.deepEqual([ok, signature.state], [true, "valid"]);
    }
  });

  it("says that the signature was not checked where no key is given", async () => {
    const { code, out } = await cloche(["bundle", "verify", bundle]);
    assert.equal(code, 0);
    assert.match(out, /signature: there, but not checked: give --public-key/);
  });

  it("names the step and the criterion that were altered, also to a program", async () => {
    const copy = join(folder, "copy");
    await cp(bundle, copy, { recursive: true });
    await makeWritable(copy);
    await replace(join(copy, "steps.jsonl"), '"outcome":"ok"', '"outcome":"timeout"');
    await replace(join(copy, "grade.json"), '"reason":"', '"reason":"so ');
    const args = ["bundle", "verify", copy, "--public-key", `${key}.pub`];
    const { code, err } = await cloche(args);
    assert.equal(code, 2);
    assert.match(err, /store\/bundle-altered: .*steps\.jsonl, step 1: is not the line/);
    assert.match(err, /grade\.json, criterion "/);
    const { fault } = JSON.parse((await cloche([...args, "--json"])).out);
    const { alterations } = fault.detail;
    assert.ok(alterations.some(({ step }: { step?: number }) => step === 1));
    assert.ok(alterations.some(({ criterion }: { criterion?: string }) => criterion !== undefined));
  });

  it("refuses another's key, and a bundle that nobody has signed", async () => {
    const other = join(folder, "other.pem");
    await cloche(["keys", "signing", other]);
    const wrong = await cloche(["bundle", "verify", bundle, "--public-key", `${other}.pub`]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /store\/signature-wrong: .*signed with the key/);
    const bare = join(folder, "bare");
    await cp(bundle, bare, { recursive: true });
    await makeWritable(bare);
    await rm(join(bare, "manifest.sig"));
    const unsigned = await cloche(["bundle", "verify", bare, "--public-key", `${key}.pub`]);
    assert.equal(unsigned.code, 2);
    assert.match(unsigned.err, /store\/bundle-unsigned/);
  });

  it("signs a regrade, which is then verified with its bundle", async () => {
    const graded = await cloche(["grade", bundle, "--signing-key", key, "--json"]);
    assert.equal(graded.code, 0, graded.err);
    const file = join(folder, "regrade.json");
    await writeFile(file, graded.out);
    const args = ["bundle", "verify", bundle, "--public-key", `${key}.pub`, "--regrade", file];
    assert.equal((await cloche(args)).code, 0);
    await replace(file, '"dense":1', '"dense":0.5');
    const { code, err } = await cloche(args);
    assert.equal(code, 2);
    assert.match(err, /store\/signature-wrong: .*the grade was rewritten/);
  });

  it("grades a bundle from elsewhere in an image of this machine's, unless its word is to be taken", async () => {
    const copy = join(folder, "elsewhere");
    await cp(bundle, copy, { recursive: true });
    const forge = new Forge(copy);
    forge.manifest((manifest) => ({
      ...manifest,
      images: { ...manifest.images, sandbox: "cloche-test/somebody-elses:1" },
      limits: { ...manifest.limits, memoryBytes: 2e12, processes: 1_000_000 },
    }));
    forge.seal();
    const [refused, several, taken] = [
      await cloche(["grade", copy]),
      await cloche(["grade", copy, bundle]),
      await cloche(["grade", copy, "--as-recorded"]),
    ];
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.err, /rollout\/foreign-image: .*somebody-elses:1/);
    assert.equal(several.code, 1);
    assert.match(several.err, /rollout\/foreign-image: .*somebody-elses:1/);
    assert.match(several.out, /sparse 1/);
    assert.equal(taken.code, 0, taken.err);
  });

  function cloche(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    const { promise, resolve } = Promise.withResolvers<Ran>();
    const isRun = args[0] === "run";
    const all = [...args, ...(isRun ? ["--root", root.path] : [])];
    const child = spawn(process.execPath, ["runtime/cli/main.ts", ...all], {
      env: { ...process.env, CLOCHE_DATA: join(folder, "data"), NO_COLOR: "1", ...env },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.on("close", (code) => resolve({ code, out, err }));
    return promise;
  }
});

async function replace(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from), `${path} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

async function makeWritable(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}
