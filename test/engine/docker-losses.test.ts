import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { faultOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";
import { type DockerMischief, FaultyDocker } from "../support/faulty-docker.ts";

const AGENT = { user: "agent" };
const owner = namedId("test-losses");

let docker: FaultyDocker;
/** Straight to Docker, for looking and cleaning. */
let healthy: Engine;
let image: string;

/** Through the proxy, with no connection yet. */
const opened = (deadlineMs = 5_000) =>
  openTestEngine({ address: docker.address, deadlineMs, patienceMs: 0 });

before(async () => {
  healthy = await openTestEngine();
  docker = await FaultyDocker.open((await healthy.check()).address);
  image = await sandboxImage(healthy);
});

after(async () => {
  docker.mischief = () => "pass";
  for (const found of await healthy.find(owner)) await healthy.remove(found);
  await healthy[Symbol.asyncDispose]();
  await docker[Symbol.asyncDispose]();
});

describe("a connection that was kept and is closed just as it is used", () => {
  const version = /GET \/version/;
  /** Requests that fit, of which the first so many meet mischief. */
  async function counted(fits: RegExp, mischief: DockerMischief, body: () => Promise<unknown>) {
    let seen = 0;
    docker.mischief = (method, path) => {
      if (!fits.test(`${method} ${path}`)) return "pass";
      seen += 1;
      return seen === 1 ? mischief : "pass";
    };
    try {
      await body();
      return seen;
    } finally {
      docker.mischief = () => "pass";
    }
  }

  it("is no failure for who only reads, which is asked again on a new one", async () => {
    await using engine = await opened();
    await using box = await engine.create(smallSpec(image, owner));
    await Promise.all([1, 2, 3].map(() => engine.check()));
    assert.equal(await counted(version, "cut", () => engine.check()), 2);
    await Promise.all([1, 2, 3].map(() => engine.check()));
    docker.ageConnections(); // All that are kept, so that another kept one would be no help.
    await engine.check();
    docker.ageConnections();
    assert.deepEqual(await box.state(), { running: true, exitCode: null, outOfMemory: false });
  });

  it("is an unanswered call, made once, for who changes something and has no patience", async () => {
    await using engine = await opened();
    await using box = await engine.create(smallSpec(image, owner));
    const exec = () => faultOf(box.exec(["true"], AGENT), "engine/no-answer");
    assert.equal(await counted(/POST .*\/exec$/, "cut", exec), 1);
  });

  it("is an unanswered call, made once, if a part of the answer had come", async () => {
    await using engine = await opened(1_500);
    await engine.check();
    const check = () => faultOf(engine.check(), "engine/no-answer");
    assert.equal(await counted(version, { cutAfter: 1 }, check), 1);
  });
});

describe("a sandbox that is taken away while it is taken over", () => {
  const gone = { status: 404, message: "No such container" };
  const failures: readonly [string, RegExp, DockerMischief][] = [
    ["cannot be run in", /POST .*\/exec$/, { status: 500, message: "cannot exec" }],
    ["does not answer", /POST .*\/exec$/, "cut"],
    [
      "runs nothing",
      /GET \/exec\/.*\/json/,
      { change: (json: Record<string, unknown>) => ({ ...json, ExitCode: 126 }) },
    ],
  ];
  for (const [what, fits, mischief] of failures) {
    it(`is nothing that is left if it ${what}, and a failure if it is still there`, async () => {
      await using engine = await opened();
      await using box = await engine.create(smallSpec(image, owner));
      const found = (await healthy.find(owner)).find(({ id }) => id === box.id);
      assert(found);
      let isGone = false;
      const onExec = (isGoing: boolean) => (method: string, path: string) => {
        const request = `${method} ${path}`;
        if (isGone && /GET \/containers\/[^/]+\/json/.test(request)) return gone;
        if (!fits.test(request)) return "pass";
        isGone = isGoing;
        return mischief;
      };
      try {
        docker.mischief = onExec(true);
        assert.equal(await engine.attach(found), undefined);
        isGone = false;
        docker.mischief = onExec(false);
        const code = mischief === "cut" ? "engine/no-answer" : "engine/failed";
        await faultOf(engine.attach(found), code);
      } finally {
        docker.mischief = () => "pass";
      }
    });
  }

  it("is taken over or is nothing that is left, whenever it goes", async () => {
    for (let afterMs = 0; afterMs < 240; afterMs += 30) {
      const other = await healthy.create(smallSpec(image, owner));
      const found = (await healthy.find(owner)).find(({ id }) => id === other.id);
      assert(found);
      const removing = sleep(afterMs).then(() => healthy.remove(found));
      await healthy.attach(found);
      await removing;
      const left = (await healthy.find(owner)).filter(({ id }) => id === other.id);
      assert.deepEqual(left, []);
    }
  });
});

describe("what the engine still made for a process that died", () => {
  it("makes way for another process that makes the same sandbox", async () => {
    await using engine = await opened();
    const spec = smallSpec(image, owner);
    const ofTheDead = { ...spec.labels, process: `${spec.labels.process}0` };
    await healthy.create({ ...spec, labels: ofTheDead });
    await using box = await engine.create(spec);
    assert.equal(await sh(box, "echo alive"), "alive\n");
    const found = (await healthy.find(owner)).filter(({ id }) => id === spec.id);
    assert.deepEqual(
      found.map(({ labels }) => labels.process),
      [spec.labels.process],
    );
  });
});
