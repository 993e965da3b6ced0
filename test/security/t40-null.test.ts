import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunsc } from "../support/oci-runtime.ts";
import { slice } from "../support/slow.ts";
import { type Arena, openArena } from "./arena.ts";

const SCORE = "/proc/self/oom_score_adj";
const EATER = "import time; x = bytearray(b'y' * (24 << 20)); time.sleep(8)";
const LOWER = `for s in -1000 0; do { echo $s > ${SCORE}; } 2>/dev/null; done`;
const eat = (first: string) =>
  `for i in $(seq 60); do (${first} exec python3 -c "${EATER}") & done; wait`;

/** What an agent might do to have no reward instead of 0. */
const ATTACKS: Readonly<Record<string, string>> = {
  "sparse files": "for i in $(seq 40); do truncate -s 16M s$i; done",
  "memory taken by many that ask to be ended last": eat(`${LOWER};`),
  "deep paths": "python3 -c \"import os\nfor i in range(3000): os.mkdir('d'); os.chdir('d')\"",
  "long names": "n=$(printf 'x%.0s' $(seq 200)); for i in $(seq 2000); do echo x > $i$n; done",
  "starved servers": "for i in $(seq 200); do (while :; do :; done) & done; sleep 1",
  "stopped programs": "kill -STOP -1; kill -9 -1",
  "a workspace that it can't enter itself": "mkdir a; chmod 000 a; chmod 000 .",
  "files that are none": "mkfifo p; ln -s p l; python3 -c \"open(b'\\\\xff', 'w')\"",
};

describe("a reward that is null", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T40 no agent can choose: what it does to files, memory and servers is 0", async () => {
    for (const [name, command] of slice(Object.entries(ATTACKS), 3)) {
      const { record } = await arena.attack(async ({ run, call }) => {
        await run(command, { timeout_ms: 20_000 }).catch(() => undefined);
        await call("list_directory", { path: "/workspace" }).catch(() => undefined);
      });
      assert.match(`${record.outcome}`, /^(graded|agent_error)$/, name);
      assert.equal(record.reward?.sparse, 0, `${name}: ${record.outcome}`);
    }
  });

  it("T41 when memory runs out the agent's programs are ended, servers go on, the box in any case", async (context) => {
    if (isRunsc) return context.skip("gVisor's own process is what the kernel would end");
    const { record, steps } = await arena.attack(async ({ run, call }) => {
      // Until the memory is free again a shell may find none to start with.
      const others = async () => {
        const look = "ps -eo pid=,user:20=,comm= | grep -v -e agent -e ' ps$' | sort";
        for (let tries = 0; ; tries++) {
          const { exitCode, output } = await run(look);
          // The shell also says which of its jobs were killed.
          const lines = output.split("\n").filter((line) => /^ *\d+ \w+ +[\w-]+$/.test(line));
          if (exitCode === 0 || tries === 60) return lines;
          await sleep(1_000);
        }
      };
      await call("list_directory", { path: "/workspace" });
      const before = await others();
      await run(eat(""), { timeout_ms: 30_000 });
      assert.deepEqual(await others(), before, "all others are there as they were");
      await call("list_directory", { path: "/workspace" });
      // Who asks to be ended last, in pieces smaller than a server, is as late as that; not as late as the box.
      await run(eat(`${LOWER};`), { timeout_ms: 30_000 });
      const ofInit = (lines: readonly string[]) => lines.filter((line) => / init /.test(line));
      assert.deepEqual(ofInit(await others()), ofInit(before));
    });
    assert.equal(record.ending?.kind, "submitted");
    assert.deepEqual(
      steps.filter(({ tool }) => tool === "list_directory").map(({ outcome }) => outcome),
      ["ok", "ok"],
    );
  });
});
