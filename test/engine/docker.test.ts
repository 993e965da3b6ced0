import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { runEngineContract } from "../contract/engine.ts";
import { entriesOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";

runEngineContract("docker", openTestEngine);

/** What only Docker can be asked or made to do. */
describe("docker", () => {
  const owner = namedId("test-docker");
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

  it("leaves alone what has a similar name or only some of our labels", async () => {
    const spec = smallSpec(image, owner);
    await using box = await engine.create(spec);
    const decoys = [
      [`cloche-${spec.id}-decoy`],
      [`cloche-${spec.id}x`, "--label", `cloche.rollout=test`],
      [`cloche-decoy-${spec.id}`, "--label", `cloche.owner=${owner}`],
      [`decoy-${spec.id}`, "--label", `cloche.owner=${owner}`, "--label", `cloche.id=${spec.id}`],
    ] as const;
    try {
      for (const [name, ...labels] of decoys) {
        docker("create", "--name", name, ...labels, image, "true");
        docker("volume", "create", ...labels, name);
      }
      const found = await engine.find(owner);
      assert.deepEqual(
        found.map(({ id }) => id),
        [box.id],
      );
      const [mine] = found;
      assert(mine);
      await engine.remove(mine);
      assert.deepEqual(await engine.find(owner), []);
      for (const [name] of decoys) {
        assert.match(docker("inspect", "-f", "{{.Name}}", name), new RegExp(name));
        assert.match(docker("volume", "inspect", "-f", "{{.Name}}", name), new RegExp(name));
      }
    } finally {
      for (const [name] of decoys) {
        docker("rm", "-f", name);
        docker("volume", "rm", "-f", name);
      }
    }
  });

  it("keeps the workspace when the main container is killed from outside", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    await sh(box, "echo kept > /workspace/f");
    docker("kill", "-s", "KILL", `cloche-${box.id}`);
    assert.deepEqual(await box.stop(), { running: false, exitCode: 137, outOfMemory: false });
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
  });

  it("stops and removes a container that is paused", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    docker("pause", `cloche-${box.id}`);
    assert.equal((await box.stop()).running, true);
    docker("pause", `cloche-${box.id}-keeper`);
    await box[Symbol.asyncDispose]();
    assert.deepEqual(await engine.find(owner), []);
  });

  it("keeps no output of a box on the host, and shows no command in its description", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    const format =
      "{{.HostConfig.LogConfig.Type}} {{.HostConfig.Privileged}} {{.HostConfig.Binds}}";
    for (const name of [`cloche-${box.id}`, `cloche-${box.id}-keeper`]) {
      assert.equal(docker("inspect", "-f", format, name), "none false []\n");
    }
  });

  it("runs Python, git and Node under its seccomp profile", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    const repository = "cd /workspace && git init -q && git add . && git status --short";
    assert.equal(await sh(box, repository), "");
    const python = `
import ctypes, multiprocessing, os, socket, threading
thread = threading.Thread(target=lambda: print("thread")); thread.start(); thread.join()
process = multiprocessing.Process(target=print, args=("process",), kwargs={"flush": True})
process.start(); process.join(); os.mkfifo("/tmp/fifo")
for family in ("AF_INET", "AF_INET6", "AF_UNIX"): socket.socket(getattr(socket, family)).close()
for family in ("AF_VSOCK", "AF_PACKET", "AF_ALG", "AF_BLUETOOTH"):
    try: socket.socket(getattr(socket, family), socket.SOCK_RAW); print("made", family)
    except OSError: pass
libc = ctypes.CDLL(None, use_errno=True)
for name in ("ptrace", "unshare", "setns", "mount", "process_vm_readv", "vmsplice", "chroot"):
    if getattr(libc, name)(0, 0, 0, 0, 0, 0) != -1: print("allowed", name)
    elif ctypes.get_errno() != 1: print("odd", name, ctypes.get_errno())
if libc.syscall(435, 0, 0) != -1 or ctypes.get_errno() != 38: print("clone3", ctypes.get_errno())
for number in (425, 438, 447):
    if libc.syscall(number, 0, 0, 0, 0) != -1: print("allowed", number)
`;
    const options = { user: "agent" };
    const ran = await box.exec(["/usr/bin/python3", "-c", python.trim()], options);
    assert.equal(ran.stdout.toString(), "thread\nprocess\n", ran.stderr.toString());
    const node = `
const { Worker } = require("node:worker_threads");
require("node:fs").watch("/workspace", () => {});
const child = require("node:child_process").execFileSync("echo", ["child"]).toString();
new Worker("", { eval: true }).on("exit", () => { console.log(child.trim()); process.exit(); });
`;
    const other = await box.exec(["/usr/local/bin/node", "-e", node], options);
    assert.equal(other.stdout.toString(), "child\n", other.stderr.toString());
  });
});

function docker(...args: readonly string[]): string {
  return execFileSync("docker", args, { encoding: "utf8" });
}
