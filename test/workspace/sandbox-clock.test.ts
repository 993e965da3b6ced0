import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../runtime/base/clock.ts";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { openClock } from "../../runtime/workspace/sandbox-clock.ts";
import { faultOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";

const NOW = new Date("2024-02-29T23:58:00Z");
const never = new AbortController().signal;

describe("the clock of a sandbox", () => {
  const owner = namedId("test-clock");
  let engine: Engine;
  let image: string;
  let box: Sandbox;

  before(async () => {
    engine = await openTestEngine();
    image = await sandboxImage(engine);
    box = await engine.create(smallSpec(image, owner));
    await sh(box, "echo early > /workspace/early");
    await using clock = await openClock(box, systemClock);
    await clock.set(NOW, never);
  });

  after(async () => {
    for (const found of await engine.find(owner)) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
  });

  /** Says how many seconds after the task's `now` a program thinks that it is. */
  async function passed(script: string): Promise<number> {
    const seconds = Number((await sh(box, script)).trim());
    return seconds - NOW.getTime() / 1_000;
  }

  function isSoon(seconds: number): void {
    assert(seconds >= -1 && seconds < 600, `${seconds} s after the task's now`);
  }

  it("is a fault to set in a sandbox that is gone", async () => {
    await using gone = await engine.create(smallSpec(image, owner));
    await using clock = await openClock(gone, systemClock);
    await gone.stop();
    await faultOf(clock.set(NOW, never), "engine/box-gone");
  });

  it("gives the signal's reason when setting is given up", async () => {
    await using fresh = await engine.create(smallSpec(image, owner));
    await using clock = await openClock(fresh, systemClock);
    const reason = new Error("enough");
    await assert.rejects(clock.set(NOW, AbortSignal.abort(reason)), (error) => error === reason);
  });

  it("cannot be changed by the agent", async () => {
    const tries = "echo 0 > /run/cloche/clock; rm -f /run/cloche/clock; mv /run/cloche /tmp/x";
    await sh(box, `{ ${tries}; } 2>/dev/null || true`);
    isSoon(await passed("date +%s"));
  });

  it("is what the shell, Python, Node, SQLite, Perl and awk say it is", async () => {
    for (const script of [
      "date +%s",
      "bash -c 'echo $EPOCHSECONDS'",
      "python3 -c 'import time; print(int(time.time()))'",
      "python3 -c 'import datetime as d; print(int(d.datetime.now(d.UTC).timestamp()))'",
      "node -p 'Math.floor(Date.now() / 1000)'",
      "node -e 'new worker_threads.Worker(`console.log(Date.now() / 1000)`, { eval: true })'",
      `sqlite3 :memory: "select strftime('%s', 'now')"`,
      "perl -e 'print time'",
      "gawk 'BEGIN { print systime() }'",
    ]) {
      isSoon(await passed(script));
    }
  });

  it("goes on at the pace of the real one, over the end of a leap day too", async () => {
    const before = await passed("date +%s.%N");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert((await passed("date +%s.%N")) >= before + 0.3);
    assert.equal(await sh(box, "date -d '5 minutes' +%F"), "2024-03-01\n");
  });

  it("rules the times of files, as read", async () => {
    for (const script of [
      "echo x > /workspace/f; stat -c %Y /workspace/f",
      "stat -c %Y /workspace/early",
      "stat -c %W /workspace/early",
      "python3 -c 'import os; print(os.stat(\"/workspace/f\").st_mtime)'",
      "node -p 'Math.floor(fs.statSync(\"/workspace/f\").mtimeMs / 1000)'",
      "node -e 'fs.promises.stat(\"/workspace/f\").then((s) => console.log(s.mtimeMs / 1000))'",
      "find /workspace/f -printf %T@",
      "ls -l --time-style=+%s /workspace/f | cut -d ' ' -f 6",
      "cd /workspace && tar c f | python3 -c 'import sys, tarfile as t; print(t.open(fileobj=sys.stdin.buffer, mode=\"r|\").next().mtime)'",
    ]) {
      isSoon(await passed(script));
    }
    assert.equal(await sh(box, "find /workspace/f -mmin -10"), "/workspace/f\n");
  });

  it("gives back the times of files that are set", async () => {
    const at = "2023-05-06 07:08:09.000000000 +0000\n";
    const set = "touch -d '2023-05-06 07:08:09' /workspace/t && ";
    assert.equal(await sh(box, `${set} stat -c %y /workspace/t`), at);
    assert.equal(
      await sh(box, `${set} cp -p /workspace/t /workspace/u; stat -c %y /workspace/u`),
      at,
    );
    const python =
      "import os; os.utime('/workspace/t', (1e9, 1e9)); print(os.stat('/workspace/t').st_mtime)";
    assert.equal(await sh(box, `python3 -c "${python}"`), "1000000000.0\n");
    const node = "fs.utimesSync('/workspace/t', 1e9, 1e9); fs.statSync('/workspace/t').mtimeMs";
    assert.equal(await sh(box, `node -p "${node}"`), "1000000000000\n");
  });

  it("leaves spans of time alone: sleeps, timeouts, waits", async () => {
    const python = `
import subprocess, threading, time
start = time.monotonic(); time.sleep(0.2)
lock = threading.Lock(); lock.acquire(); print(lock.acquire(timeout=0.2))
print(threading.Event().wait(0.2))
condition = threading.Condition()
with condition: print(condition.wait(0.2))
try: subprocess.run(["sleep", "30"], timeout=0.2)
except subprocess.TimeoutExpired: print("late")
print(0.9 < time.monotonic() - start < 20)
`;
    const ran = await box.exec(["/usr/bin/python3", "-c", python.trim()], { user: "agent" });
    assert.equal(ran.stdout.toString(), "False\nFalse\nFalse\nlate\nTrue\n");
    assert.equal(await sh(box, "timeout 0.3 sleep 30; echo $?"), "124\n");
    const node =
      "const t = performance.now(); setTimeout(() => console.log(performance.now() - t < 9e3), 200)";
    assert.equal(await sh(box, `node -e '${node}'`), "true\n");
  });

  it("dates what git commits", async () => {
    const commit = "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x";
    isSoon(
      await passed(
        `mkdir /tmp/g && cd /tmp/g && git init -q && ${commit} && git log -1 --format=%ct`,
      ),
    );
  });
});
