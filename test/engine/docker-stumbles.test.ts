import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import {
  entriesOf,
  faultOf,
  openTestEngine,
  sandboxImage,
  sh,
  smallSpec,
  tarOf,
} from "../support/engine.ts";
import { type DockerMischief, FaultyDocker } from "../support/faulty-docker.ts";

const AGENT = { user: "agent" };
const SERVER = { user: "server", startsWithInput: true, tellsLoss: true };
const owner = namedId("test-stumbles");

let docker: FaultyDocker;
/** Through the proxy, as patient as engines are. */
let engine: Engine;
/** Straight to Docker, for looking and cleaning. */
let healthy: Engine;
let image: string;
let box: Sandbox;

before(async () => {
  healthy = await openTestEngine();
  docker = await FaultyDocker.open((await healthy.check()).address);
  engine = await openTestEngine({ address: docker.address });
  image = await sandboxImage(healthy);
  box = await engine.create(smallSpec(image, owner));
});

beforeEach(() => {
  docker.mischief = () => "pass";
});

after(async () => {
  docker.mischief = () => "pass";
  for (const found of await healthy.find(owner)) await healthy.remove(found);
  await engine[Symbol.asyncDispose]();
  await healthy[Symbol.asyncDispose]();
  await docker[Symbol.asyncDispose]();
});

/** The first so many requests that fit meet this mischief. Gives how many have fitted so far. */
function first(count: number, fits: RegExp, mischief: DockerMischief): () => number {
  let seen = 0;
  docker.mischief = (method, path) => {
    if (!fits.test(`${method} ${path}`)) return "pass";
    seen += 1;
    return seen <= count ? mischief : "pass";
  };
  return () => seen;
}

/** Swallowed answers end when their connections do. */
function hangUps(everyMs: number): Disposable {
  const timer = setInterval(() => docker.cut(), everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

describe("an engine that stumbles for a moment", () => {
  const ERROR = { status: 500, message: "something of the engine's own" };
  const archive = () => tarOf([{ name: "f", content: "x" }]);
  const spec = () => smallSpec(image, owner);
  const made = async () => {
    await using other = await engine.create(spec());
    assert.equal((await other.state()).running, true);
  };
  const ended = async () => {
    await using other = await healthyBox();
    assert.deepEqual((await other.stop()).running, true);
    assert.equal((await other.state()).running, false);
  };
  const ran = async () => assert.equal(await sh(box, "echo done"), "done\n");
  const cases: readonly [string, RegExp, readonly DockerMischief[], () => Promise<unknown>][] = [
    ["a volume", /POST \/volumes\/create/, ["cut", "swallow"], made],
    ["a container", /POST \/containers\/create/, ["cut", "swallow"], made],
    ["a start", /POST .*[0-9a-f]{64}\/start/, ["cut", "swallow"], made],
    ["a program", /POST .*\/exec$/, ["cut", "swallow", ERROR], ran],
    ["a program's start", /POST \/exec\/.*\/start/, ["cut"], ran],
    ["how a program ended", /GET \/exec\/.*\/json/, ["cut", "swallow", ERROR], ran],
    ["how a box fares", /GET \/containers\/.*\/json/, ["cut", ERROR], () => box.state()],
    ["a kill", /POST .*\/kill/, ["cut", "swallow", ERROR], ended],
    ["the wait for an end", /POST .*\/wait/, ["cut", "swallow", ERROR], ended],
    ["an archive", /PUT/, ["cut", "swallow"], () => box.putArchive(archive, "/workspace")],
    [
      "reading an archive",
      /GET .*\/archive/,
      ["cut", ERROR],
      async () => await entriesOf(await box.getArchive("/workspace")),
    ],
    ["what there is", /GET \/volumes/, ["cut", ERROR], () => engine.find(owner)],
  ];
  for (const [what, fits, mischiefs, work] of cases) {
    for (const mischief of mischiefs) {
      const how = typeof mischief === "string" ? mischief : "failed";
      it(`is asked again for ${what}, after an answer that was ${how}`, async () => {
        const seen = first(2, fits, mischief);
        using _ = hangUps(how === "swallow" ? 400 : 60_000);
        await work();
        assert.ok(seen() > 2, `it was asked ${seen()} times`);
      });
    }
  }

  it("removes what it was told to, and says so", async () => {
    for (const mischief of ["cut", ERROR] as const) {
      const other = await engine.create(spec());
      first(2, /DELETE/, mischief);
      await other[Symbol.asyncDispose]();
      assert.equal(
        (await healthy.find(owner)).some(({ id }) => id === other.id),
        false,
      );
      assert.equal(engine.holdings.unconfirmed.size, 0);
    }
  });

  it("is waited for while it refuses connections", async () => {
    const other = await engine.create(spec());
    await sh(other, "echo kept > /workspace/kept");
    await docker.refuse();
    docker.cut();
    const back = sleep(2_000).then(() => docker.listen());
    assert.equal((await other.stop()).running, true);
    const names = (await entriesOf(await other.readWorkspace())).map(({ name }) => name);
    assert.ok(names.includes("./kept"), names.join(", "));
    await back;
    await other[Symbol.asyncDispose]();
    assert.equal(
      (await healthy.find(owner)).some(({ id }) => id === other.id),
      false,
    );
  });

  it("is not waited for by who asks what it is", async () => {
    const seen = first(1, /GET \/version/, "cut");
    await using other = await openTestEngine({ address: docker.address });
    await faultOf(other.check(), "engine/no-answer");
    assert.equal(seen(), 1);
  });

  it("does not run a program twice that may have begun", async () => {
    first(1, /POST \/exec\/.*\/start/, "swallow");
    const running = box.exec(["/bin/sh", "-c", "echo once >> /workspace/runs"], AGENT);
    const closing = hangUps(400);
    await faultOf(running, "engine/no-answer").finally(() => closing[Symbol.dispose]());
    assert.equal(await sh(box, "cat /workspace/runs"), "once\n");
  });

  it("starts a program again that does nothing before it reads", async () => {
    first(1, /POST \/exec\/.*\/start/, "swallow");
    const closing = hangUps(400);
    const opening = box.open(["/bin/cat"], SERVER).finally(() => closing[Symbol.dispose]());
    await using program = await opening;
    program.stderr.resume();
    program.stdin.end("said");
    assert.equal((await program.stdout.toArray()).join(""), "said");
    assert.deepEqual(await program.ended, { exitCode: 0 });
  });

  async function healthyBox(): Promise<Sandbox> {
    const { mischief } = docker;
    docker.mischief = () => "pass";
    const other = await engine.create(spec());
    docker.mischief = mischief;
    return other;
  }
});

describe("blame", () => {
  const put = () => box.putArchive(() => tarOf([{ name: "f", content: "x" }]), "/workspace");

  it("is the task's for what the engine said of an archive, and for nothing else", async () => {
    const words = "Error processing tar file(exit status 1): write /workspace/f: no space left";
    docker.mischief = (method) => (method === "PUT" ? { status: 500, message: words } : "pass");
    assert.equal((await faultOf(put(), "engine/archive-refused")).blame, "task");
    const odd = { status: 500, message: "no space left on device" };
    docker.mischief = (method) => (method === "PUT" ? odd : "pass");
    assert.equal((await faultOf(put(), "engine/failed")).blame, "engine");
    const gone = { status: 404, message: "No such container: f00" };
    docker.mischief = (method) => (method === "PUT" ? gone : "pass");
    assert.equal((await faultOf(put(), "engine/box-gone")).blame, "engine");
  });

  it("is the engine's if it hangs up over an archive each time", async () => {
    await using impatient = await openTestEngine({ address: docker.address, patienceMs: 500 });
    await using other = await impatient.create(smallSpec(image, owner));
    docker.mischief = (method) => (method === "PUT" ? "cut" : "pass");
    const putting = other.putArchive(() => tarOf([{ name: "f", content: "x" }]), "/workspace");
    assert.equal((await faultOf(putting, "engine/no-answer")).blame, "engine");
  });

  it("is the engine's if it hangs up before a program has said that it begins", async () => {
    await using impatient = await openTestEngine({ address: docker.address, patienceMs: 0 });
    await using other = await impatient.create(smallSpec(image, owner));
    using _ = hangUps(20);
    for (let attempt = 0; attempt < 20; attempt++) {
      const error = await other.exec(["/bin/sleep", "0.1"], AGENT).catch((thrown) => thrown);
      if (error instanceof Error) assert.equal("blame" in error && error.blame, "engine");
    }
  });

  it("is nobody's for a program that ends: its own end is told from the loss of its streams", async () => {
    const ends: readonly [readonly string[], number | null][] = [
      [["/bin/true"], 0],
      [["/bin/sh", "-c", "exit 3"], 3],
      [["/bin/sh", "-c", "exit 99"], 98],
      [["/bin/sh", "-c", "exit 126"], 125],
      [["/bin/sh", "-c", "kill -9 $$"], 137],
    ];
    for (const [argv, exitCode] of ends) {
      await using program = await box.open(argv, SERVER);
      program.stdout.resume();
      program.stderr.resume();
      assert.deepEqual(await program.ended, { exitCode }, argv.join(" "));
    }
    await using lost = await box.open(["/bin/cat"], SERVER);
    lost.stdout.resume();
    lost.stderr.resume();
    docker.cut();
    assert.deepEqual(await lost.ended, { exitCode: null });
  });

  it("is nobody's for a program whose input is ended once its streams are lost", async () => {
    await using lost = await box.open(["/bin/cat"], SERVER);
    lost.stderr.resume();
    const isOver = once(lost.stdout.resume(), "end");
    docker.mischief = () => ({ delayMs: 300 });
    docker.cut();
    await isOver;
    lost.stdin.end();
    assert.deepEqual(await lost.ended, { exitCode: null });
  });

  it("of the engine for losing who ends a program costs no other program its life", async () => {
    const [one, other] = [await box.open(["/bin/cat"], AGENT), await box.open(["/bin/cat"], AGENT)];
    for (const stream of [one, other].flatMap(({ stdout, stderr }) => [stdout, stderr])) {
      stream.resume();
    }
    const isNoted = { change: (json: Record<string, unknown>) => ({ ...json, ExitCode: 126 }) };
    const seen = first(2, /GET \/exec\/.*\/json/, isNoted);
    await one.kill();
    await one.ended;
    assert.ok(seen() > 2, `it was asked ${seen()} times`);
    other.stdin.end();
    assert.deepEqual(await other.ended, { exitCode: 0 });
  });
});

describe("what was asked for and is not known to be gone", () => {
  it("is known to the engine, and what it holds is told from it", async () => {
    await using own = await openTestEngine({ address: docker.address, patienceMs: 0 });
    const spec = smallSpec(image, owner);
    docker.mischief = (method, path) =>
      method === "DELETE" || path.endsWith("/start") ? "cut" : "pass";
    await faultOf(own.create(spec), "engine/no-answer");
    docker.mischief = () => "pass";
    assert.deepEqual([...own.holdings.unconfirmed], [spec.id]);
    assert.equal(own.holdings.held.has(spec.id), false);
    const other = await own.create(smallSpec(image, owner));
    assert.deepEqual([...own.holdings.held], [other.id]);
    docker.mischief = (method) => (method === "DELETE" ? "cut" : "pass");
    await other[Symbol.asyncDispose]();
    docker.mischief = () => "pass";
    assert.deepEqual([...own.holdings.unconfirmed], [spec.id, other.id]);
    const left = (await own.find(owner)).filter(({ id }) => own.holdings.unconfirmed.has(id));
    assert.equal(left.length, 2);
    for (const found of left) await own.remove(found);
    assert.equal(own.holdings.unconfirmed.size, 0);
  });

  it("is gone as soon as the engine lists it no more", async () => {
    await using own = await openTestEngine({ address: docker.address, patienceMs: 0 });
    const other = await own.create(smallSpec(image, owner));
    docker.mischief = (method) => (method === "DELETE" ? "cut" : "pass");
    await other[Symbol.asyncDispose]();
    docker.mischief = () => "pass";
    for (const found of await healthy.find(owner)) {
      if (found.id === other.id) await healthy.remove(found);
    }
    assert.deepEqual([...own.holdings.unconfirmed], [other.id]);
    await own.find(owner);
    assert.equal(own.holdings.unconfirmed.size, 0);
  });
});
