import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import {
  entriesOf,
  faultOf,
  MIB,
  openTestEngine,
  sandboxImage,
  sh,
  smallSpec,
  tarOf,
} from "../support/engine.ts";
import { type DockerMischief, FaultyDocker } from "../support/faulty-docker.ts";

const AGENT = { user: "agent" };
const DEADLINE_MS = 2_500;
const owner = namedId("test-faults");

let docker: FaultyDocker;
/** Through the proxy, with a short deadline. */
let engine: Engine;
/** Straight to Docker, for looking and cleaning. */
let healthy: Engine;
let image: string;
let box: Sandbox;

/** Does mischief to the requests that fit, while `body` runs. */
async function during(fits: RegExp, mischief: DockerMischief, body: () => Promise<void>) {
  docker.mischief = (method, path) => (fits.test(`${method} ${path}`) ? mischief : "pass");
  try {
    await body();
  } finally {
    docker.mischief = () => "pass";
  }
}

async function assertNothingLeft(id: string): Promise<void> {
  const left = (await healthy.find(owner)).filter((found) => found.id === id);
  assert.deepEqual(left, []);
}

before(async () => {
  healthy = await openTestEngine();
  docker = await FaultyDocker.open((await healthy.check()).address);
  const impatient = { deadlineMs: DEADLINE_MS, patienceMs: 0 };
  engine = await openTestEngine({ address: docker.address, ...impatient });
  image = await sandboxImage(healthy);
  box = await engine.create(smallSpec(image, owner));
});

after(async () => {
  docker.mischief = () => "pass";
  await box?.[Symbol.asyncDispose]();
  for (const found of await healthy.find(owner)) await healthy.remove(found);
  await engine[Symbol.asyncDispose]();
  await healthy[Symbol.asyncDispose]();
  await docker[Symbol.asyncDispose]();
});

describe("a Docker that stops answering", () => {
  const tar = () => tarOf([{ name: "f", content: "x" }]);
  const spec = () => smallSpec(image, owner);
  /** The first request of each of these is already the one that counts. */
  const single: Record<string, () => Promise<unknown>> = {
    "GET /version, GET /info": () => engine.check(),
    "GET /images/ID/json": () => engine.images.find("cloche/x:1"),
    "GET /images/json": () => engine.images.list(),
    "DELETE /images/ID": () => engine.images.remove("cloche/x:1"),
    "GET /containers/json, GET /volumes": () => engine.find(owner),
    "POST /volumes/create": () => engine.create(spec()),
    "POST /containers/ID/exec": () => box.exec(["true"], AGENT),
    "GET /containers/ID/json": () => box.state(),
    "POST /containers/ID/kill": () => box.stop(),
  };
  const later: Record<string, [RegExp, () => Promise<unknown>]> = {
    "POST /containers/create": [/POST \/containers\/create/, () => engine.create(spec())],
    "POST /containers/ID/start": [/POST .*[0-9a-f]{64}\/start/, () => engine.create(spec())],
    "POST /exec/ID/start": [/POST \/exec\/.*\/start/, () => box.exec(["true"], AGENT)],
    "PUT /containers/ID/archive": [/PUT/, () => box.putArchive(tar(), "/workspace")],
    "GET /containers/ID/archive": [/GET .*\/archive/, () => box.getArchive("/workspace")],
  };

  it(`is not waited for: ${Object.keys(single).join(", ")}`, async () => {
    await during(/./, "hang", async () => {
      const faults = Object.values(single).map((work) => faultOf(work(), "engine/no-answer"));
      for (const { message } of await Promise.all(faults)) assert.match(message, /within 2500 ms/);
    });
  });

  it(`is an unanswered call if it hangs up: ${Object.keys(single).join(", ")}`, async () => {
    await during(/./, "cut", async () => {
      const faults = Object.values(single).map((work) => faultOf(work(), "engine/no-answer"));
      for (const { message } of await Promise.all(faults)) assert.match(message, /hung up/);
    });
  });

  for (const [call, [fits, work]] of Object.entries(later)) {
    it(`is not waited for: ${call}`, async () => {
      await during(fits, "hang", async () => {
        const code = call.includes("/exec/ID/start") ? "engine/not-started" : "engine/no-answer";
        const fault = await faultOf(work(), code);
        assert.match(fault.message, /within 2500 ms|for 2500 ms/);
      });
    });

    it(`is an unanswered call if it hangs up: ${call}`, async () => {
      await during(fits, "cut", async () => {
        await faultOf(work(), "engine/no-answer");
      });
    });
  }

  it("cannot hide a stopped box's state for ever", async () => {
    const other = await engine.create(spec());
    await during(/POST .*\/wait/, "hang", () => faultOf(other.stop(), "engine/no-answer").then());
    assert.equal((await other.stop()).running, false);
    await other[Symbol.asyncDispose]();
  });

  it("in the middle of reading an archive is noticed", async () => {
    await sh(box, "head -c 3000000 /dev/urandom > /workspace/large");
    for (const mischief of [{ stallAfter: 100_000 }, { cutAfter: 100_000 }]) {
      await during(/GET .*\/archive/, mischief, async () => {
        const archive = await box.getArchive("/workspace/large");
        await faultOf(entriesOf(archive), "engine/no-answer");
      });
    }
  });

  it("in the middle of taking an archive is noticed", async () => {
    const large = tarOf([{ name: "large", content: Buffer.alloc(20 * MIB) }]);
    await during(/PUT/, "hang", async () => {
      await faultOf(box.putArchive(large, "/workspace"), "engine/no-answer");
    });
  });

  it("does not make disposing throw or hang", async () => {
    const other = await engine.create(spec());
    await during(/DELETE/, "hang", () => other[Symbol.asyncDispose]());
    const found = (await healthy.find(owner)).find(({ id }) => id === other.id);
    assert(found, "what could not be removed is left to be reaped");
    await healthy.remove(found);
  });

  it("does not lose a program's result, only its exit code", async () => {
    await using program = await box.open(["echo", "done"], AGENT);
    program.stdout.resume();
    program.stderr.resume();
    await during(/GET \/exec\/.*\/json/, "hang", async () => {
      assert.deepEqual(await program.ended, { exitCode: null });
    });
    await during(/GET \/exec\/.*\/json/, "cut", async () => {
      await faultOf(box.exec(["true"], AGENT), "engine/program-lost");
    });
  });

  it("is told apart from a caller who gives up", async () => {
    await during(/GET \/version/, "hang", async () => {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      await assert.rejects(engine.check({ signal }), (error) => error === reason);
      const later = new AbortController();
      const checking = engine.check({ signal: later.signal });
      later.abort(reason);
      await assert.rejects(checking, (error) => error === reason);
    });
  });
});

describe("a Docker that does things and does not say so", () => {
  for (const [what, fits] of [
    ["a volume", /POST \/volumes\/create/],
    ["a container", /POST \/containers\/create/],
    ["a start", /POST .*[0-9a-f]{64}\/start/],
  ] as const) {
    it(`leaves nothing behind after ${what}`, async () => {
      const spec = smallSpec(image, owner);
      await during(fits, "swallow", async () => {
        await faultOf(engine.create(spec), "engine/no-answer");
      });
      await assertNothingLeft(spec.id);
    });
  }
});

describe("a Docker that answers with errors", () => {
  it("is quoted, whatever the call", async () => {
    const mischief = { status: 500, message: "no space left on device" };
    await during(/./, mischief, async () => {
      for (const work of [
        () => engine.check(),
        () => engine.find(owner),
        () => engine.create(smallSpec(image, owner)),
        () => engine.images.list(),
        () => engine.images.remove("cloche/x:1"),
        () => box.state(),
        () => box.stop(),
        () => box.exec(["true"], AGENT),
        () => box.getArchive("/workspace"),
      ]) {
        const fault = await faultOf(work(), "engine/failed");
        assert.match(fault.message, /no space left on device/);
      }
    });
  });

  it("refuses a sandbox for any warning, and nothing of it is left", async () => {
    const spec = smallSpec(image, owner);
    const Warnings = ["Your kernel does not support swap limit capabilities."];
    const change = (json: Record<string, unknown>) => ({ ...json, Warnings });
    await during(/POST \/containers\/create/, { change }, async () => {
      const fault = await faultOf(engine.create(spec), "engine/spec-refused");
      assert.match(fault.message, /swap limit/);
      assert.deepEqual(fault.detail["warnings"], Warnings);
    });
    await assertNothingLeft(spec.id);
  });

  it("goes on removing after an error and reports it", async () => {
    const other = await engine.create(smallSpec(image, owner));
    const found = (await healthy.find(owner)).find(({ id }) => id === other.id);
    assert(found);
    const mischief = { status: 500, message: "device is odd" };
    await during(/DELETE .*-scratch$/, mischief, async () => {
      await faultOf(engine.remove(found), "engine/failed");
    });
    const left = (await healthy.find(owner)).find(({ id }) => id === other.id);
    assert.deepEqual(left?.parts, [`cloche-${other.id}-scratch`]);
    await engine.remove(found);
    await assertNothingLeft(other.id);
  });
});

describe("every request that a life makes", () => {
  it("is among those proven above to have a deadline", async () => {
    docker.seen.clear();
    const other = await engine.create(smallSpec(image, owner));
    await other.exec(["sleep", "9"], { ...AGENT, timeoutMs: 200 });
    await other.putArchive(tarOf([{ name: "f" }]), "/workspace");
    await other.stop();
    await entriesOf(await other.readWorkspace());
    await other[Symbol.asyncDispose]();
    await engine.check();
    for (const found of await engine.find(owner)) assert.notEqual(found.id, other.id);
    assert.deepEqual([...docker.seen].sort(), [
      "DELETE /containers/ID",
      "DELETE /volumes/ID",
      "GET /containers/ID/archive",
      "GET /containers/ID/json",
      "GET /containers/json",
      "GET /exec/ID/json",
      "GET /info",
      "GET /version",
      "GET /volumes",
      "POST /containers/ID/exec",
      "POST /containers/ID/kill",
      "POST /containers/ID/start",
      "POST /containers/ID/wait",
      "POST /containers/create",
      "POST /exec/ID/start",
      "POST /volumes/create",
      "PUT /containers/ID/archive",
    ]);
  });
});
