import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import type { BoxProcess, Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { faultOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";
import { FaultyDocker } from "../support/faulty-docker.ts";

const AGENT = { user: "agent" };
const MUCH = "much ".repeat(1_000_000);
const owner = namedId("test-broken");

let docker: FaultyDocker;
/** Through the proxy. */
let engine: Engine;
let box: Sandbox;

before(async () => {
  docker = await FaultyDocker.open();
  engine = await openTestEngine({ address: docker.address });
  box = await engine.create(smallSpec(await sandboxImage(engine), owner));
});

after(async () => {
  await box?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
  await docker?.[Symbol.asyncDispose]();
});

/** A shell of the agent's that is heard. */
async function opened(script: string): Promise<BoxProcess> {
  const program = await box.open(["/bin/sh", "-c", script], AGENT);
  for (const stream of [program.stdout, program.stderr]) stream.resume();
  return program;
}

describe("a program of the agent's", () => {
  const ends: readonly [string, string, number][] = [
    ["ends with the code that means a loss elsewhere", "read x; exit 126", 126],
    ["kills itself", "read x; kill -9 $$", 137],
    ["kills all around it", "read x; kill -9 -1", 137],
    ["closes its input", "exec 0<&-; sleep 1; exit 126", 126],
  ];
  for (const [what, script, exitCode] of ends) {
    for (const words of ["", MUCH]) {
      const how = words === "" ? "" : " while much is written to it";
      it(`that ${what}${how} has ended by itself`, async () => {
        await using program = await opened(script);
        program.stdin.write(`\n${words}`);
        assert.deepEqual(await program.ended, { exitCode });
      });
    }
  }

  const losses: readonly [string, string][] = [
    ["waits for its input and has a last word", "read x; echo end"],
    ["works, and then says something", "sleep 0.5; echo end; exec sleep 600"],
    ["works and says nothing", "exec sleep 600"],
  ];
  for (const [what, script] of losses) {
    it(`that ${what} is known to be lost if the engine lets go of it, and does not run on`, async () => {
      await using program = await opened(script);
      docker.cut();
      assert.deepEqual(await program.ended, { exitCode: null, isLost: true });
      const running = await sh(box, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
      assert.doesNotMatch(running, /sleep 600 /);
    });
  }

  it("whose result is waited for is no result if the engine lets go of it", async () => {
    const running = box.exec(["/bin/sh", "-c", "sleep 1; echo end"], AGENT);
    await sleep(500);
    docker.cut();
    assert.equal((await faultOf(running, "engine/program-lost")).blame, "engine");
  });
});
