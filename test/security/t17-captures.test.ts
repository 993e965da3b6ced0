import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openTestEngine } from "../support/engine.ts";
import { openLossyDocker } from "../support/lossy-docker.ts";
import { isRunsc } from "../support/oci-runtime.ts";
import { openTestRuntime, play } from "../support/runtime.ts";
import { type Aftermath, type Arena, openArena, toml } from "./arena.ts";

describe("what an agent can leave in its workspace", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T17 links, pipes, modes, odd names and times are data; T18 so is a workspace in motion", async () => {
    const { record, bundle } = await arena.attack(async ({ run }) => {
      const made = await run(TRICKS);
      assert.match(made.output, /MADE/, made.output);
      await run("echo hello-1 > note.txt");
      const motion =
        "i=0; while :; do i=$((i+1)); head -c 300000 /dev/urandom > moving; mv moving moved; done";
      await run(motion, { background: true });
      await run("sleep 0.3");
    });
    assert.equal(record.outcome, "graded");
    assert.equal(record.reward?.sparse, 1);
    const entries = new Map(bundle?.after?.entries.map((entry) => [entry.path, entry]));
    const target = (path: string) => {
      const entry = entries.get(path);
      return entry?.type === "link" ? entry.target : undefined;
    };
    assert.equal(target("absolute"), "/etc/shadow");
    assert.equal(target("upwards"), "../../../../etc/passwd");
    assert.equal(target("loop"), "loop");
    assert.equal(entries.get("suid")?.type, "file");
    assert.equal(entries.get("hard")?.type, "file");
    assert.equal(entries.get("-rf")?.type, "file");
    assert.ok(entries.has("n".repeat(255)));
    assert.equal(
      [...entries.values()].some(({ type }) => !/^(file|directory|link)$/.test(type)),
      false,
    );
    const skipped = JSON.stringify(bundle?.after?.skipped);
    // gVisor keeps pipes to itself: they never reach the volume.
    if (!isRunsc) assert.match(skipped, /"pipe"/);
  });

  it("T17 what is too deep or too large to be captured earns 0, as the agent's doing", async () => {
    const deep =
      "python3 -c \"\nimport os\nfor i in range(2500):\n os.mkdir('d'*20); os.chdir('d'*20)\nopen('hidden','w')\n\"";
    const sparse = "for i in $(seq 12); do truncate -s 60M sparse$i; done";
    const ends = await Promise.all(
      [deep, sparse].map((command) => arena.attack(async ({ run }) => void (await run(command)))),
    );
    for (const { record, steps } of ends) {
      assert.equal(record.outcome, "agent_error");
      assert.match(record.fault?.code ?? "", /^workspace\/capture-(too-large|incomplete)$/);
      assert.deepEqual(record.reward, { sparse: 0, dense: 0, gain: 0 });
      assert.equal(record.steps, 1);
      assert.equal(steps.length, 1, "what was done is kept, although no state is");
    }
  });

  it("T19 an archive that the engine cuts short is no state of anything: infra_error, no reward", async () => {
    await using lossy = await openLossyDocker();
    await using runtime = await openTestRuntime({
      engine: await openTestEngine({ address: lossy.address }),
    });
    const record = await play(runtime, arena.root.path, "test/note", {
      name: "test",
      play: async () => {
        lossy.cuts = 1_000;
        return { answer: null };
      },
    });
    assert.equal(record.outcome, "infra_error");
    assert.equal(record.reward, null);
    assert.ok(lossy.asked > 1, "it was asked for more than once");
    await runtime.assertNothingLeft();
  });

  it("T30 links that change under a server's or the capture's hands lead nowhere", async () => {
    const { record, bundle }: Aftermath = await arena.attack(
      async ({ run, call }) => {
        await run("mkdir d && echo mine > d/file && echo hello-1 > note.txt");
        const swap = "while :; do ln -sfn /etc d2; ln -sfn /workspace/d d2; ln -sfn / d3; done";
        await run(swap, { background: true });
        for (let attempt = 0; attempt < 8; attempt++) {
          for (const path of [
            "/workspace/d2/shadow",
            "/workspace/d2/passwd",
            "/workspace/d3/etc/passwd",
          ]) {
            const read = await call("read_text_file", { path });
            assert.equal(/root:/.test(read.text), false, path);
          }
        }
      },
      {
        task: {
          "task.toml": toml('name = "filesystem"'),
        },
      },
    );
    assert.equal(record.outcome, "graded");
    for (const path of ["d2", "d3"]) {
      assert.equal(bundle?.after?.entries.find((entry) => entry.path === path)?.type, "link");
    }
    assert.equal(
      bundle?.after?.entries.some((entry) => entry.path.startsWith("d2/")),
      false,
    );
  });
});

const TRICKS = `python3 - <<'END'
import os, socket
os.symlink('/etc/shadow', 'absolute'); os.symlink('../../../../etc/passwd', 'upwards')
os.symlink('loop', 'loop'); os.symlink('/proc/self/root', 'root')
open('suid', 'w').close(); os.chmod('suid', 0o6755); os.link('suid', 'hard')
try: os.link('absolute', 'hardlink')
except OSError: pass
try: os.mkfifo('pipe')
except OSError: open('no-pipe', 'w').close()
try: os.mknod('null', 0o20666, os.makedev(1, 3))
except OSError: pass
socket.socket(socket.AF_UNIX).bind('socket')
for name in [b'n' * 255, b'-rf', b'new\\nline', b'\\xff\\xfe', b'A', b'a', 'e\\u0301'.encode(),
             '\\u00e9'.encode(), '\\u202egnp.exe'.encode(), b' ', b'*', b'$(id)']:
    open(name, 'w').close()
os.utime('suid', (2**40, 2**40)); os.utime('hard', (-2**31, -2**31))
print('MADE')
END`;
