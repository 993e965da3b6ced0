import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { asSeeded } from "../../runtime/workspace/archive-writer.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { sameSnapshot } from "../../runtime/workspace/diff.ts";
import { captureWorkspace, seedWorkspace } from "../../runtime/workspace/seed.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { faultOf, MIB, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";
import { openLossyDocker } from "../support/lossy-docker.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { type Leaf, snapshotOf } from "./trees.ts";

const LIMITS = { bytes: 64 * MIB, files: 25_000 };
const never = new AbortController().signal;

describe("a workspace in a real sandbox", () => {
  const owner = namedId("test-workspace");
  let engine: Engine;
  let image: string;

  before(async () => {
    engine = await openTestEngine();
    image = await sandboxImage(engine);
  });
  after(async () => {
    for (const found of await engine.find(owner)) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
  });

  const create = (files = 25_000) =>
    engine.create(
      smallSpec(image, owner, {
        workspace: { path: "/workspace", owner: "agent", bytes: 64 * MIB, files },
      }),
    );

  /** Seeds, runs a script in it, stops and captures. */
  async function lived(
    script: string,
    seed: ReadonlyMap<string, Leaf> = new Map(),
    kept?: BlobFolder,
  ): Promise<Snapshot> {
    await using folder = await tempFolder();
    await using sandbox = await create();
    const blobs = kept ?? new BlobFolder(folder.path);
    await seedWorkspace(sandbox, await snapshotOf(seed, blobs), blobs);
    await python(sandbox, script);
    await sandbox.stop();
    return await captureWorkspace(sandbox, blobs, LIMITS, never);
  }

  it("gives a fault of the agent's for directories nested deeper than an archive can say", async () => {
    const script = `
      import os
      for _ in range(2000):
        os.mkdir("d"); os.chdir("d")
      open("hidden", "w").write("x")`;
    const fault = await faultOf(lived(script), "workspace/capture-too-large");
    assert.equal(fault.blame, "agent");
  });

  it("gives a fault for fewer entries than the volume counts, which sees that trick in any depth", async () => {
    await using folder = await tempFolder();
    await using sandbox = await create();
    await python(sandbox, `import os; os.makedirs("a/b"); os.mkfifo("p"); os.link("p", "q")`);
    const [total = 0, free = 0] = (await sh(sandbox, "stat -f -c '%c %d' /workspace"))
      .split(" ")
      .map(Number);
    await sandbox.stop();
    const blobs = new BlobFolder(folder.path);
    const expected = (entries: number) =>
      captureWorkspace(sandbox, blobs, LIMITS, never, { expected: { entries } });
    assert.equal((await expected(total - free)).entries.length, 2);
    await faultOf(expected(total - free + 1), "workspace/capture-incomplete");
  });

  it("gives a fault for a sparse file that would be larger than the limit as an archive", async () => {
    const script = `
      import os
      for name in "abcd":
        open(name, "w").truncate(30 << 20)`;
    await faultOf(lived(script), "workspace/capture-too-large");
  });

  it("gives the signal's reason when the capture is given up", async () => {
    await using folder = await tempFolder();
    await using sandbox = await create();
    await python(sandbox, `open("big", "wb").write(bytes(40 << 20))`);
    await sandbox.stop();
    const over = new AbortController();
    const capture = captureWorkspace(sandbox, new BlobFolder(folder.path), LIMITS, over.signal);
    setTimeout(() => over.abort(new Error("no longer wanted")), 20);
    await assert.rejects(capture, /no longer wanted/);
  });

  it("is read again when its archive came cut, and given up when it is cut each time", async () => {
    await using folder = await tempFolder();
    await using docker = await openLossyDocker();
    await using lossy = await openTestEngine({ address: docker.address });
    await using sandbox = await lossy.create(smallSpec(image, owner));
    await python(sandbox, `open("a", "w").write("a" * 5000)`);
    await sandbox.stop();
    const blobs = new BlobFolder(folder.path);
    docker.cuts = 2;
    const captured = await captureWorkspace(sandbox, blobs, LIMITS, never);
    assert.deepEqual(linesOf(captured), ["file a 664 5000"]);
    assert.equal(docker.asked, 3);
    docker.cuts = 3;
    const capture = captureWorkspace(sandbox, blobs, LIMITS, never);
    const fault = await faultOf(capture, "workspace/archive-broken");
    assert.equal(fault.blame, "engine");
    assert.equal(docker.asked, 6);
  });

  it("is seeded byte for byte: hostile names, links that lead out, empty and large files", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const snapshot = await snapshotOf(hostileTree(), blobs);
    await using sandbox = await create();
    await seedWorkspace(sandbox, snapshot, blobs);
    const owners = await sh(
      sandbox,
      "find /workspace -mindepth 1 -printf '%u %G %#m\\n' | sort -u",
    );
    const gid = sandbox.identity.gid;
    assert.match(owners, new RegExp(`^(agent ${gid} 0?(664|775|2775|777)\n)+$`));
    await sh(sandbox, "echo more > /workspace/-rf/made && echo x >> /workspace/-rf/x", "server");
    await sh(sandbox, "rm /workspace/-rf/made && printf '' > /workspace/-rf/x", "agent");
    await sandbox.stop();
    const captured = await captureWorkspace(sandbox, blobs, LIMITS, never);
    assert.deepEqual(captured, asSeeded(snapshot));
  });

  it("is captured whole: what no snapshot holds is said, links are text, sparse files are files", async () => {
    const captured = await lived(
      `
      import os, socket
      os.mkfifo("pipe")
      os.symlink("/etc/shadow", "out")
      os.symlink("../../../etc", "up")
      os.link("up", "up2")
      open(b"bad\\xff", "w").write("kept")
      os.link(b"bad\\xff", "good")
      open("sparse", "w").truncate(3 << 20)
      open("seeded", "a").write("!")
      os.chmod("seeded", 0o6755)
      os.utime("seeded", (2**40, 2**40))
      socket.socket(socket.AF_UNIX).bind("socket")
      os.mkdir("closed"); open("closed/in", "w"); os.chmod("closed/in", 0); os.chmod("closed", 0)`,
      new Map([["seeded", { type: "file", content: Buffer.from("hi"), mode: 0o644 }]]),
    );
    assert.deepEqual(captured.skipped, [
      { path: "bad\\xff", type: "file" },
      { path: "pipe", type: "fifo" },
    ]);
    assert.deepEqual(linesOf(captured), [
      "directory closed 0",
      "file closed/in 0 0",
      "file good 664 4",
      "link out /etc/shadow",
      "file seeded 755 3",
      "file sparse 664 3145728",
      "link up ../../../etc",
      "link up2 ../../../etc",
    ]);
  });

  it("is captured with 20,000 files", async () => {
    const captured = await lived(`
      import os
      for folder in range(40):
        os.mkdir(str(folder))
        for number in range(500):
          open(f"{folder}/{number}", "w").write(str(number))`);
    assert.equal(captured.entries.length, 20_040);
  });

  it("can be seeded with what was captured of another", async () => {
    await using folder = await tempFolder();
    const blobs = new BlobFolder(folder.path);
    const script = `
      import os
      os.makedirs("a/b", 0o700)
      os.symlink("../../..", "a/b/out")
      open("a/b/mine", "w").write("x")
      os.chmod("a/b/mine", 0o400)`;
    const captured = await lived(script, new Map(), blobs);
    await using sandbox = await create();
    await seedWorkspace(sandbox, captured, blobs);
    await sandbox.stop();
    const again = await captureWorkspace(sandbox, blobs, LIMITS, never);
    assert.equal(sameSnapshot(again, captured), false);
    assert.ok(sameSnapshot(again, asSeeded(captured)));
  });
});

async function python(sandbox: Sandbox, script: string): Promise<void> {
  const indent = /\n( *)\S/.exec(script)?.[1] ?? "";
  const stdin = Buffer.from(script.replaceAll(`\n${indent}`, "\n"));
  const options = { user: "agent", cwd: "/workspace", stdin };
  const { exitCode, stderr } = await sandbox.exec(["/usr/bin/python3", "-"], options);
  assert.equal(exitCode, 0, stderr.toString());
}

function hostileTree(): ReadonlyMap<string, Leaf> {
  const file = (content: Buffer | string, mode = 0o664): Leaf => ({
    type: "file",
    content: Buffer.from(content),
    mode,
  });
  const names = [
    "new\nline",
    "\u202egnp.exe",
    "é",
    "e\u0301",
    "README",
    "readme",
    "\\xff",
    "*",
    " ",
  ];
  return new Map<string, Leaf>([
    ...names.map((name) => [name, file(name)] as const),
    ["-rf/x", file("")],
    ["empty", { type: "directory", mode: 0o775 }],
    ["large", file(Buffer.alloc(5 * MIB + 3, "cloche"))],
    ["tool", file("#!/bin/sh\n", 0o775)],
    [`${"long".repeat(60)}/${"é".repeat(120)}`, file("deep")],
    ["to-host", { type: "link", target: "/etc/shadow" }],
    ["-n", { type: "link", target: "../../a b\n$(c)" }],
    ["-rf/up", { type: "link", target: "../.." }],
    ["-rf/in", { type: "link", target: "../README" }],
  ]);
}

function linesOf({ entries }: Snapshot): string[] {
  return entries.map((entry) => {
    if (entry.type === "link") return `link ${entry.path} ${entry.target}`;
    const mode = entry.mode.toString(8);
    return entry.type === "file"
      ? `file ${entry.path} ${mode} ${entry.size}`
      : `directory ${entry.path} ${mode}`;
  });
}
