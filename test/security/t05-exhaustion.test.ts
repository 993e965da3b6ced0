import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunsc } from "../support/oci-runtime.ts";
import { type Arena, type Attacker, openArena, toml } from "./arena.ts";

describe("what one rollout can use up", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T5 bytes, files, sparse files and attributes end at their limits, and the capture is whole", async () => {
    const { record, bundle } = await arena.attack(async ({ run }) => {
      const written: number[] = [];
      for (const folder of ["/tmp", "/dev/shm", "$HOME", "/workspace"]) {
        const bytes =
          `cd ${folder} && { dd if=/dev/zero of=fill bs=1M count=200; fallocate -l 300M fall; ` +
          "truncate -s 1T sparse; setfattr -n user.x -v y fill; } 2>/dev/null; " +
          "cat fill fall sparse 2>/dev/null | wc -c; rm -f fill fall sparse";
        written.push(Number((await run(bytes)).output.trim().split("\n").at(-1)));
      }
      assert.ok(
        written.every((size) => size > 0 && size <= 128 * 2 ** 20),
        `${written}`,
      );
      const files =
        "cd /workspace && mkdir many && cd many && (python3 -c \"\nfor i in range(1000000): open(str(i), 'w')\n\" " +
        "2>&1 | tail -1); ls | wc -l";
      const made = await run(files, { timeout_ms: 120_000 });
      // gVisor has no bound on the number of files: the memory bounds them there.
      if (!isRunsc) assert.match(made.output, /No space left on device/);
      if (isRunsc) await run("rm -rf /workspace/many");
      await run("rm -f /workspace/many/1*; echo hello-1 > /workspace/note.txt");
    });
    assert.equal(record.outcome, "graded");
    assert.equal(record.reward?.sparse, 1);
    assert.ok((bundle?.after?.bytes ?? 0) <= 32 * 2 ** 20);
  });

  it("T6 forks, threads and daemons end at the limit, answers still come, and none is left", async () => {
    const { record } = await arena.attack(async ({ run }) => {
      const bombs = [
        ":(){ :|:& };:; sleep 1",
        "python3 -c 'import threading,time\nfor i in range(9999): threading.Thread(target=time.sleep,args=(9,),daemon=True).start()' 2>&1 | tail -1",
        "for i in $(seq 400); do setsid -f sleep 600; done 2>&1 | tail -1",
      ];
      for (const bomb of bombs) {
        await run(bomb, { timeout_ms: 2_000, session: "bomb" });
        await run("kill -9 -1", { session: "bomb" });
      }
      await run("for i in $(seq 400); do setsid -f sleep 600; done", { timeout_ms: 3_000 });
    });
    // What is left is seen to by `attack`: no process under these users is on the host any more.
    assert.equal(record.outcome, "graded");
    assert.equal(record.fault, null);
  });

  it("T7 memory that runs out is the agent's own loss: no fault of ours, and its work is kept", async () => {
    const { record, steps } = await arena.attack(
      async ({ run }) => {
        await run("echo hello-1 > note.txt; head -c 25000000 /dev/zero > filler");
        await run("python3 -c 'x = [bytearray(2**24) for i in range(9999)]'");
        await run("for i in 1 2; do (head -c 400000000 /dev/zero | tail >/dev/null) & done; wait");
      },
      { task: { "task.toml": toml("").replace("memory_mb = 512", "memory_mb = 128") } },
    );
    assert.equal(record.outcome, "graded");
    assert.equal(record.fault, null);
    assert.equal(record.criteria?.[0]?.score, 1);
    assert.ok(["submitted", "sandbox_died"].includes(record.ending?.kind ?? ""));
    assert.ok(steps.length >= 1);
  });

  it("T8 a command that spins is ended by the host's clock; T9 a neighbour keeps its share", async () => {
    const quotas: number[] = [];
    const waits: { alone: number[]; beside: number[] } = { alone: [], beside: [] };
    const taken = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    const greedy = arena.attack(async ({ run }) => {
      quotas.push(await inotifyInstances(run, 30));
      taken.resolve();
      await run("for i in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait", {
        timeout_ms: 4_000,
      });
      await looked.promise;
      const left = await run("ps -eo args | grep -c '[w]hile :' || true");
      // The shell also says which of its jobs were killed.
      assert.match(left.output, /^0$/m);
    });
    const modest = arena.attack(async ({ run }) => {
      await timed(waits.alone, () => run("true"), 5);
      await taken.promise;
      quotas.push(await inotifyInstances(run, 1));
      await timed(waits.beside, () => run("true"), 10);
      looked.resolve();
    });
    const both = [await greedy, await modest];
    assert.deepEqual(
      both.map(({ record }) => record.outcome),
      ["graded", "graded"],
    );
    assert.ok((quotas[0] ?? 0) > 0);
    assert.equal(quotas[1], quotas[0], "one rollout's use of a kernel's limit is not another's");
    process.stderr.write(
      `T8: a step takes ${median(waits.alone)} ms alone, ${median(waits.beside)} ms beside 8 spinning\n`,
    );
  });
});

/** Takes all instances that its user may have, holds them for a while, and says how many. */
async function inotifyInstances(run: Attacker["run"], seconds: number): Promise<number> {
  const script =
    "import ctypes,time\nc=ctypes.CDLL(None)\nn=0\nwhile n<900 and c.inotify_init()>=0: n+=1\n" +
    `print(n,flush=True)\ntime.sleep(${seconds})`;
  await run(`python3 -c '${script}' > /tmp/count`, { background: true });
  for (let look = 0; look < 100; look++) {
    const { output } = await run("cat /tmp/count 2>/dev/null; true");
    if (/^\d+$/m.test(output)) return Number(output.trim());
    await sleep(50);
  }
  return 0;
}

async function timed(into: number[], work: () => Promise<unknown>, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const started = performance.now();
    await work();
    into.push(performance.now() - started);
  }
}

function median(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0);
}
