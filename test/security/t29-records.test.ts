import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import pc from "picocolors";
import { sha256 } from "../../runtime/base/hash.ts";
import { rolloutReport, stepLine } from "../../runtime/cli/report.ts";
import { openTestRuntime, play } from "../support/runtime.ts";
import { ME, NEVER, NOTE, openServiceBench } from "../support/service.ts";
import { ofNote } from "../support/small-task.ts";
import { type Arena, openArena, toml, withServer } from "./arena.ts";

const PAINT = pc.createColors(false);
const EVIL =
  "\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u001b]8;;http://evil\u0007x\u009b31m\u202etxt.exe<script>";

describe("what is written down, shown and decided afterwards", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T29 nothing that an agent writes reaches a terminal as a control; T36 nor breaks a line", async () => {
    const huge = "x".repeat(10_000_000);
    const args = { text: `a\nb\r\n{"step":99}\u0000\u2028\u2029${EVIL}`, "k\ney": EVIL };
    const { record, steps, wire, bundle } = await arena.attack(
      async ({ run, call }) => {
        await call(`no-tool${EVIL}\n`, args);
        await run(`printf '%s' '${EVIL.replaceAll("\u0007", "")}' > note.txt`);
        await call("run_command", { command: `: ${huge.slice(0, 900_000)}` });
        await call("no-tool", { huge });
        return `the answer${EVIL}`;
      },
      { task: { "grader.py": ofNote("grader.py", "{text!r}", "{text}") } },
    );
    assert.equal(record.outcome, "graded");
    const fault = {
      code: "x/y",
      blame: "task",
      message: `two\nlines ${EVIL}`,
      detail: {},
      causes: [],
    };
    const shown = [
      rolloutReport({ ...record, fault } as typeof record, "/b", PAINT),
      ...steps.map((step) => stepLine(step, PAINT)),
    ].join("");
    assert.match(shown, /ZXZpbA==/);
    assert.doesNotMatch(shown.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\u2028]/u);
    assert.deepEqual(steps[0]?.arguments, args);
    const lines = (await readFile(bundle?.stepsFile ?? "", "utf8")).split("\n");
    assert.equal(lines.length, record.steps + 1);
    for (const line of lines.slice(0, -1)) assert.equal(typeof JSON.parse(line).step, "number");
    const cut = wire.find(({ message }) => {
      const left = message["cloche/left_out"] as { bytes: number; sha256: string } | undefined;
      return left !== undefined && left.bytes > huge.length && /^[0-9a-f]{64}$/.test(left.sha256);
    });
    assert.ok(cut, "a frame of 10 MB stays as its beginning, its size and its hash");
    assert.notEqual(sha256(huge), "");
  });

  it("T31 no clock of an agent's, and no jump of the host's, moves a limit or a record", async () => {
    await using runtime = await openTestRuntime();
    let offset = 0;
    const clock = {
      now: () => new Date(Date.now() + offset),
      monotonicMs: () => performance.now(),
    };
    const jumping = { ...runtime, clock };
    const record = await play(jumping, arena.root.path, "test/note", {
      name: "test",
      play: async () => {
        for (const day of [1, -1, 400]) {
          offset = day * 86_400_000;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return { answer: null };
      },
    });
    assert.equal(record.outcome, "graded");
    const reached = Object.values(record.reachedMs);
    assert.ok(reached.every((ms) => ms >= 0 && ms < 600_000));
    await runtime.assertNothingLeft();
    const inside = await arena.attack(async ({ run }) => {
      const set =
        "date -s 2001-01-01; date +%F; python3 -c 'import time; time.clock_settime(0, 1)' 2>&1 | tail -1; " +
        "echo 1 > /run/cloche/clock; rm -f /run/cloche/clock; date +%F";
      const { output } = await run(set);
      assert.equal(output.match(/^2026-03-02$/gm)?.length, 2, output);
      assert.match(output, /not permitted/);
      await run("LD_PRELOAD=/workspace/fake.so FAKETIME=-9y sleep 60", { timeout_ms: 1_000 });
    });
    assert.equal(inside.record.outcome, "graded");
    assert.ok(inside.steps.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 600_000));
  });

  it("T32 no byte and no process of one rollout is there in the next; T33 dying buys no second try", async () => {
    await using bench = await openServiceBench();
    await using service = await bench.open({ pool: { max: 1 } });
    const { id: group, members } = await service.requestGroup({ ...NOTE, n: 1 }, ME);
    const first = members[0]?.id ?? "";
    await service.untilServing(first, ME, NEVER);
    const run = async (id: string, command: string): Promise<string> => {
      const [done] = await service.call(id, [{ name: "run_command", arguments: { command } }], ME);
      return JSON.stringify(done);
    };
    const plant =
      "for d in $(find / -xdev -type d -writable 2>/dev/null) /tmp /dev/shm $HOME; do " +
      "echo of-one > $d/of-one; done; setsid -f sleep 98765; echo /workspace/*";
    assert.match(await run(first, plant), /of-one/);
    await run(first, "python3 -c 'x = [bytearray(2**26) for i in range(9999)]'; kill -9 -1");
    const record = await service.finish(first, null, ME);
    assert.equal(record.outcome, "graded");
    assert.equal(record.attempt, 1);
    const view = await service.groupView(group, ME);
    assert.deepEqual([view.ended, view.lost.length, view.gradable], [true, 0, 1]);
    assert.deepEqual(await service.finish(first, "better", ME), record);

    const { id: second } = await service.request({ ...NOTE }, ME);
    await service.untilServing(second, ME, NEVER);
    const look =
      "find / -xdev -name 'of-*ne' -not -path '/proc/*' 2>/dev/null; ps -eo args | grep '[s]leep 98'; true";
    assert.doesNotMatch(await run(second, look), /of-one|sleep 98765/);
    assert.equal((await service.finish(second, null, ME)).outcome, "graded");
  });

  it("T34 no text, exit code or signal of an agent's or a server's makes its end the engine's fault", async () => {
    const texts =
      "echo 'Error response from daemon: no space left on device (ENOSPC)' >&2; echo OOMKilled; " +
      "echo 'cannot connect to the Docker daemon at unix:///var/run/docker.sock'; ";
    const liar = `process.stderr.write("Cannot connect to the Docker daemon: ENOSPC\\n");
process.stdin.once("data", () => process.exit(125));`;
    const [agent, server] = await Promise.all([
      arena.attack(async ({ run }) => {
        for (const code of [125, 126, 127, 137, 139]) await run(`${texts} (exit ${code})`);
        await run(`${texts} exit 125`);
        await run("kill -9 $$");
        return "infra_error: the engine is gone";
      }),
      arena.attack(async () => {}, { task: withServer(liar) }),
    ]);
    assert.deepEqual([agent.record.outcome, agent.record.fault], ["graded", null]);
    assert.equal(agent.record.steps, 7);
    assert.equal(server.record.outcome, "task_error");
  });

  it("T35 what tells of the host is hidden; what is left tells nothing of another rollout", async () => {
    const { record } = await arena.attack(
      async ({ run }) => {
        const masked = [
          ...["buddyinfo", "cmdline", "config.gz", "diskstats", "interrupts", "kallsyms", "kcore"],
          ...["keys", "sched_debug", "timer_list", "pressure/cpu", "pressure/memory", "scsi/scsi"],
        ].map((name) => `/proc/${name}`);
        const read =
          `for f in ${masked.join(" ")}; do [ -n "$(head -c 64 $f 2>/dev/null | tr -d '\\0')" ] && echo $f; done; ` +
          "ls /sys/block /sys/class /sys/devices /sys/module /sys/kernel 2>/dev/null | grep -v : | grep .; true";
        const { output } = await run(read);
        // gVisor makes files of these names itself, about nothing but the sandbox.
        assert.deepEqual(
          output
            .trim()
            .split("\n")
            .filter((line) => !/^(\/proc\/cmdline)?$/.test(line)),
          [],
        );
        const others = await run(
          "cat /proc/self/cgroup /proc/self/mountinfo /etc/hostname; hostname",
        );
        assert.doesNotMatch(others.output, /cloche-|docker\/[0-9a-f]{64}/);
      },
      { task: { "task.toml": toml("") } },
    );
    assert.equal(record.outcome, "graded");
  });
});
