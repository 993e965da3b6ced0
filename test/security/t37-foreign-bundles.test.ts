import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { bundleArchive } from "../../runtime/api/bundle-archive.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import type { SandboxSpec } from "../../runtime/engine/engine.ts";
import { FOREIGN_LIMITS, heldToOurs } from "../../runtime/rollout/foreign-bundle.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import {
  newSigningPair,
  openSigner,
  openVerifier,
  signatureText,
} from "../../runtime/store/signature.ts";
import { openTestApi, type TestApi } from "../api/test-api.ts";
import { Forge } from "../store/forge.ts";

const TAR = { "content-type": "application/x-tar" };
const PAIR = newSigningPair();
const VICTIM = "cloche-test/somebody-elses:latest";
const MAY = "key-that-may";
const GREEDY = {
  memoryBytes: 2e12,
  processes: 1_000_000,
  cpus: 512,
  tmpBytes: 1e12,
  fileBytes: 1e12,
  openFiles: 1_000_000,
  workspaceBytes: 1e12,
  workspaceFiles: 100_000_000,
};
/** Runs a program in the image that the agent is said to have worked in. */
const FOREIGN_GRADER = `from cloche import criterion, grade

@criterion("note.txt says the word", weight=3)
def says(run):
    return run.execute(["/bin/echo", "ran"]).output.strip() == "ran"

@criterion("readme.txt is as it was")
def untouched(run):
    return True

grade()
`;

describe("a bundle that somebody made up", () => {
  let api: TestApi;
  let folder: string;
  let stored: string;
  const made: SandboxSpec[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-foreign-"));
    const keys = [
      { id: "mine", sha256: sha256("key-of-mine") },
      { id: "may", sha256: sha256(MAY), may: ["grade:foreign"] as const },
    ];
    api = await openTestApi({ keys, trusted: [openVerifier(PAIR.publicPem)] });
    const id = await api.serving();
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const { record } = (await api.ask("GET", `/v1/rollouts/${id}`)).json;
    stored = join(api.runtime.data.bundles, record.bundle);
    const { engine } = api.runtime;
    const create = engine.create.bind(engine);
    Object.assign(engine, {
      create: (...args: Parameters<typeof create>) => {
        made.push(args[0]);
        return create(...args);
      },
    });
  });

  after(async () => {
    await api?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** The stored bundle with a grader of the sender's, and whatever else they wrote. */
  async function forged(name: string, change: (forge: Forge) => void): Promise<string> {
    const copy = join(folder, name);
    cpSync(stored, copy, { recursive: true });
    const forge = new Forge(copy);
    forge.write("task/grader.py", FOREIGN_GRADER);
    change(forge);
    forge.seal();
    await openBundle(copy); // Sound by every hash in it.
    return copy;
  }

  async function send(path: string, key = "key-of-mine", query = "") {
    const raw = await buffer((await bundleArchive(path)).stream);
    made.length = 0;
    return await api.ask("POST", `/v1/grade${query}`, { key, headers: TAR, raw });
  }

  const named = (sandbox: string) => (forge: Forge) =>
    forge.manifest((manifest) => ({
      ...manifest,
      images: { ...manifest.images, sandbox },
      limits: { ...manifest.limits, ...GREEDY },
    }));

  function assertModest(): void {
    assert.ok(made.length >= 2, `${made.length} sandboxes were made`);
    const { images } = api.runtime;
    const ours: readonly string[] = Object.values(images);
    for (const { image, limits, workspace } of made) {
      assert.ok(ours.includes(image), image);
      assert.ok(limits.memoryBytes <= 5 * 2 ** 30, `${limits.memoryBytes} bytes of memory`);
      assert.ok(limits.processes <= FOREIGN_LIMITS.processes, `${limits.processes} processes`);
      assert.ok(limits.cpus <= FOREIGN_LIMITS.cpus, `${limits.cpus} processors`);
      assert.ok(limits.openFiles <= FOREIGN_LIMITS.openFiles, `${limits.openFiles} files open`);
      assert.ok(workspace.bytes <= 4 * 2 ** 30, `${workspace.bytes} bytes of a volume`);
      assert.ok(workspace.files <= 300_000, `${workspace.files} files of a volume`);
    }
  }

  it("T37 brings no code that is run for a key without the right, and nothing is made for it", async () => {
    const path = await forged("unsigned", named(api.runtime.images.office));
    for (const query of ["", "?grader=current", "?grader=recorded"]) {
      const { status, json, text } = await send(path, "key-of-mine", query);
      assert.deepEqual([status, json.code], [403, "api/foreign-bundle"], text);
      assert.match(json.detail, /nobody has signed it.*may=grade:foreign/);
    }
    assert.deepEqual(made, []);
  });

  it("T37 is refused as well if a key that is not trusted has signed it", async () => {
    const path = await forged("strangers", () => {});
    await sign(path, newSigningPair().privatePem);
    const { status, json, text } = await send(path);
    assert.deepEqual([status, json.code], [403, "api/foreign-bundle"], text);
    assert.match(json.detail, /is not trusted here/);
    assert.deepEqual(made, []);
  });

  it("T37 is graded for a key with the right, or with a trusted signature, but within our limits", async () => {
    const path = await forged("greedy", named("cloche/office:of-another-release"));
    const forRight = await send(path, MAY);
    assert.equal(forRight.status, 200, forRight.text);
    assert.deepEqual(forRight.json.grade.reward.sparse, 1, forRight.text);
    assertModest();
    await sign(path, PAIR.privatePem);
    const forSignature = await send(path);
    assert.equal(forSignature.status, 200, forSignature.text);
    assertModest();
  });

  it("T37 names no image but ours, whoever sends it", async () => {
    const images = [
      VICTIM,
      "cloche/office",
      "cloche/secret:1",
      "office",
      "",
      "../x",
      api.runtime.images.grader,
    ];
    for (const [at, image] of images.entries()) {
      const { status, json, text } = await send(await forged(`image-${at}`, named(image)), MAY);
      assert.deepEqual([status, json.code], [422, "rollout/foreign-image"], `${image}: ${text}`);
    }
    assert.deepEqual(made, []);
  });

  it("T37 that holds more than is graded here is refused by name, not cut", async () => {
    const bundle = await openBundle(stored);
    const most = { ...FOREIGN_LIMITS, workspaceFiles: 1, workspaceBytes: 2 ** 20 };
    const file = { type: "file", mode: 0o644, sha256: sha256(""), size: 1 } as const;
    const entries = ["a", "b"].map((path) => ({ ...file, path }));
    const { after } = bundle;
    assert.ok(after);
    const many = { ...bundle, after: { ...after, entries } };
    const large = {
      ...bundle,
      after: { ...after, entries: [{ ...file, path: "a", size: 2 ** 21 }] },
    };
    for (const one of [many, large]) {
      assert.throws(() => heldToOurs(one, api.runtime.images, most), {
        code: "rollout/foreign-too-large",
      });
    }
  });

  it("T37 gets no less of anything than a box can live with: a processor of nothing is not none", async () => {
    const bundle = await openBundle(stored);
    const limits = { ...bundle.manifest.limits, cpus: 1e-12, memoryBytes: 1, processes: 1 };
    const held = heldToOurs(
      { ...bundle, manifest: { ...bundle.manifest, limits } },
      api.runtime.images,
    );
    const { cpus, memoryBytes, processes } = held.manifest.limits;
    assert.deepEqual([cpus, memoryBytes, processes], [0.1, 128 * 2 ** 20, 16]);
  });

  it("that is the very bundle which the service made is graded for its sender as it stands", async () => {
    const { status, json, text } = await send(stored);
    assert.equal(status, 200, text);
    assert.equal(json.same, true);
  });

  async function sign(path: string, privatePem: string): Promise<void> {
    const bytes = await readFile(join(path, "manifest.json"));
    await writeFile(join(path, "manifest.sig"), signatureText(openSigner(privatePem).sign(bytes)));
  }
});
