import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Sandbox } from "../../runtime/engine/engine.ts";
import type { Egress } from "../../runtime/rollout/egress/egress.ts";
import { EGRESS_PORT } from "../../runtime/rollout/egress/egress-servers.ts";
import { readEgressLines } from "../../runtime/store/egress-lines.ts";
import { faultOf, MIB } from "../support/engine.ts";
import { docker } from "./outside.ts";
import { ASK, python, Scene } from "./scene.ts";

describe("the way out of a sandbox, used and broken", () => {
  let scene: Scene;
  let sandbox: Sandbox;
  let egress: Egress;

  before(async () => {
    scene = await Scene.open();
    sandbox = await scene.sandbox();
    egress = await scene.way(sandbox);
  });
  after(async () => {
    await egress?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  it("carries a hundred connections at once, each its own bytes, while one of them is not read", async () => {
    const said = await python(
      sandbox,
      `
stuck = tunnel("api.example.test:9002")
stuck.sendall(b"50000000")  # and is never read
def one(n, out):
    s = tunnel("api.example.test:9000")
    mine = (b"%06d" % n) * 5000
    def send(): s.sendall(mine); s.shutdown(socket.SHUT_WR)
    threading.Thread(target=send).start()
    got = b""
    while len(got) < len(mine):
        d = s.recv(65536)
        if not d: break
        got += d
    out[n] = got == mine
    s.close()
out = {}
all = [threading.Thread(target=one, args=(n, out)) for n in range(100)]
for t in all: t.start()
for t in all: t.join()
print(sum(out.values()), len(out))
if len(out) < 100: sys.exit(1)  # What went wrong is on stderr.
`,
      120_000,
    );
    assert.equal(said.trim(), "100 100");
  });

  it("carries 100 MB each way whole, and this process holds next to nothing of them", async () => {
    const talk = python(
      sandbox,
      `
s = tunnel("api.example.test:9002", 120)
s.sendall(b"100000000")
got = 0
while True:
    d = s.recv(1 << 20)
    if not d: break
    got += len(d)
s = tunnel("api.example.test:9001", 120)
for _ in range(100): s.sendall(b"y" * 1000000)
s.shutdown(socket.SHUT_WR)
print(got, s.recv(100).decode())
`,
      240_000,
    );
    const least = held();
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, held());
    }, 250);
    const said = await talk;
    clearInterval(timer);
    assert.equal(said.trim(), "100000000 took 100000000");
    assert.ok(
      most > 0 && most - least < 16 * MIB,
      `${Math.round((most - least) / MIB)} MiB more were held`,
    );
  });

  it("says at its end what came of what was open, and lets go of all", async () => {
    await using other = await scene.sandbox();
    const record = join(scene.folder, "other.jsonl");
    const way = await scene.way(other, "other.jsonl");
    const talk = other.exec(
      ["/usr/bin/python3", "-c", `${ASK}\ns = tunnel("api.example.test:9003")\nprint(s.recv(1))`],
      { user: "agent" },
    );
    await scene.lines(1, "other.jsonl");
    await way[Symbol.asyncDispose]();
    const { stdout, stderr, timedOut } = await talk;
    assert.ok(!timedOut && /b''|Reset|reset/.test(`${stdout}${stderr}`), `${stdout}${stderr}`);
    const outcomes = (await readEgressLines(record)).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["begun", "allowed"]);
    const refused = await other.exec(["/usr/bin/python3", "-c", `${ASK}\nprint(ask(b"x"))`], {
      user: "agent",
    });
    assert.match(refused.stderr.toString(), /ConnectionRefused/);
    assert.match(await readFile(record, "utf8"), /"outcome":"allowed"/);
  });

  it("is gone for good once the proxy is, which is said, and the sandbox works on", async () => {
    await using other = await scene.sandbox();
    const way = await scene.way(other, "lost.jsonl");
    docker("kill", `cloche-${other.id}-outlet`);
    for (let turn = 0; way.lost === undefined && turn < 100; turn++) await sleep(50);
    assert.match(way.lost ?? "", /the way out of the sandbox is gone/);
    await way[Symbol.asyncDispose]();
    const again = await other.exec(["/usr/bin/python3", "-c", `${ASK}\nask(b"x")`], {
      user: "agent",
    });
    assert.match(again.stderr.toString(), /ConnectionRefused/);
    assert.equal((await other.state()).running, true);
    await faultOf(scene.way(other, "lost.jsonl"), "engine/box-gone");
  });

  it("cannot be opened where its port is taken, and then leaves nothing running", async () => {
    await using other = await scene.sandbox();
    const script = `import socket,time\ns=socket.socket();s.bind(("127.0.0.1",${EGRESS_PORT}));s.listen()\nprint("up",flush=True);time.sleep(60)`;
    await using squatter = await other.open(["/usr/bin/python3", "-c", script], { user: "agent" });
    await new Promise((resolve) => squatter.stdout.once("data", resolve));
    const fault = await faultOf(scene.way(other, "x.jsonl"), "rollout/egress-failed");
    assert.match(fault.message, /EADDRINUSE/);
    await sleep(300);
    const programs = docker("top", `cloche-${other.id}-outlet`, "-eo", "pid,args");
    assert.doesNotMatch(programs, /egress/);
  });
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is held and not only not yet collected. */
function held(): number {
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
