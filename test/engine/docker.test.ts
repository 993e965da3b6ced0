import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { DockerApi } from "../../runtime/engine/docker/docker-api.ts";
import { locateDocker } from "../../runtime/engine/docker/locate.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { runEngineContract } from "../contract/engine.ts";
import { entriesOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";

runEngineContract("docker", openTestEngine);

/** What only Docker can be asked or made to do. */
describe("docker", () => {
  const owner = namedId("test-docker");
  let engine: Engine;
  let image: string;

  let api: DockerApi;

  before(async () => {
    engine = await openTestEngine();
    api = new DockerApi(await locateDocker(undefined, process.env), 30_000, 0);
    image = await sandboxImage(engine);
  });

  after(async () => {
    for (const found of await engine.find(owner)) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
    api.close();
  });

  /** Docker itself, past the engine. */
  async function ask(
    method: "GET" | "POST" | "DELETE",
    path: string,
    query: Record<string, string> = {},
    body: object = {},
  ): Promise<Inspected> {
    return await api.json({ what: `${method} ${path}`, method, path, query, body });
  }

  it("leaves alone what has a similar name or only some of our labels", async () => {
    const spec = smallSpec(image, owner);
    await using box = await engine.create(spec);
    const decoys: readonly [string, Record<string, string>][] = [
      [`cloche-${spec.id}-decoy`, {}],
      [`cloche-${spec.id}x`, { "cloche.rollout": "test" }],
      [`cloche-decoy-${spec.id}`, { "cloche.owner": owner }],
      [`decoy-${spec.id}`, { "cloche.owner": owner, "cloche.id": spec.id }],
    ];
    const paths = decoys.flatMap(([name]) => [`/containers/${name}`, `/volumes/${name}`]);
    try {
      for (const [name, Labels] of decoys) {
        const body = { Image: image, Cmd: ["true"], Labels };
        await ask("POST", "/containers/create", { name }, body);
        await ask("POST", "/volumes/create", {}, { Name: name, Labels });
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
      for (const path of paths) {
        await ask("GET", path.startsWith("/containers") ? `${path}/json` : path);
      }
    } finally {
      await Promise.allSettled(paths.map((path) => ask("DELETE", path)));
    }
  });

  it("keeps the workspace when the main container is killed from outside", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    await sh(box, "echo kept > /workspace/f");
    await ask("POST", `/containers/cloche-${box.id}/kill`, { signal: "KILL" });
    assert.deepEqual(await box.stop(), { running: false, exitCode: 137, outOfMemory: false });
    const entries = await entriesOf(await box.readWorkspace());
    assert.equal(entries.find(({ name }) => name === "./f")?.content.toString(), "kept\n");
  });

  it("stops and removes a container that is paused", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    await ask("POST", `/containers/cloche-${box.id}/pause`);
    assert.equal((await box.stop()).running, true);
    await ask("POST", `/containers/cloche-${box.id}-keeper/pause`);
    await box[Symbol.asyncDispose]();
    assert.deepEqual(await engine.find(owner), []);
  });

  it("keeps no output of a box on the host and gives it nothing of the host", async () => {
    await using box = await engine.create(smallSpec(image, owner));
    for (const name of [`cloche-${box.id}`, `cloche-${box.id}-keeper`]) {
      const { HostConfig } = await ask("GET", `/containers/${name}/json`);
      assert.equal(HostConfig.LogConfig.Type, "none");
      assert.equal(HostConfig.Privileged, false);
      assert.deepEqual(HostConfig.Binds ?? [], []);
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

interface Inspected {
  readonly HostConfig: {
    readonly LogConfig: { readonly Type: string };
    readonly Privileged: boolean;
    readonly Binds: readonly string[] | null;
  };
}
