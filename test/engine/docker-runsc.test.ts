import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { namedId } from "../../runtime/base/id.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { type Engine, PROFILES } from "../../runtime/engine/engine.ts";
import { compare, goldenFor } from "../../runtime/engine/probe/golden.ts";
import { howChecked } from "../../runtime/engine/probe/properties.ts";
import { runProbe } from "../../runtime/engine/probe/run-probe.ts";
import { runEngineContract } from "../contract/engine.ts";
import { faultOf, openTestEngine, sandboxImage, sh, smallSpec } from "../support/engine.ts";
import { haveRunsc, UNFIT_RUNSC } from "../support/have-runsc.ts";

const { skip } = await haveRunsc();

const STATX = "gVisor of 2022 refuses the statx that ls and stat of Debian 12 ask for";
const ORPHANS = "gVisor has no subreapers: what leaves its session lives until its box ends";
const WHOLE = "a gVisor box that exceeds its memory or its threads ends as a whole";
const OWN = "it is gVisor's own kernel that is asked, which says it differently; the probe looks";

const DECLINED: Readonly<Record<string, string>> = {
  "a file of zero bytes goes in and comes out": STATX,
  "a sandbox that was left is taken over with its users and its workspace": STATX,
  "an archive goes into the state with its owners and modes": STATX,
  "host name and init are the same in every box": STATX,
  "no file grows beyond its limit, however sparse": STATX,
  "nobody but its owner can list, read, write or change the state": STATX,
  "owner, mode and time are taken from the archive": STATX,
  "temporary directories hold no more than their limit": STATX,
  "the state holds its bytes and its files and no more": STATX,
  "the workspace holds its bytes and its files and no more": STATX,
  "users of a box cannot signal, read or speak through each other": STATX,
  "what users of a sandbox make in the workspace belongs to all of them": STATX,
  "a timeout ends a chain of programs that each leave a child and are gone": ORPHANS,
  "a timeout ends a program that keeps replacing itself": ORPHANS,
  "a timeout ends the program and all of its children": ORPHANS,
  "a timeout leaves the other programs of the user alone": ORPHANS,
  "an abort ends the program and rejects with the reason": ORPHANS,
  "kill ends the program and its children, and is harmless afterwards": ORPHANS,
  "a box has no more processes than its limit, and answers all the same": WHOLE,
  "a program beyond the memory is killed, and the box says so": WHOLE,
  "the workspace outlives a main box that died by itself": WHOLE,
  "the state outlives a main box that died by itself, and one without memory": WHOLE,
  "no program has a capability or a way to gain one": OWN,
  "no program leaves its namespaces or mounts anything": OWN,
  "no program runs with more rights, and no device is made, from the state": OWN,
  "nothing outside the volumes and the temporary directories can be written": OWN,
};

if (skip === false) {
  const open = () => openTestEngine({ runtime: "runsc" });
  runEngineContract("docker, on gVisor", open, { decline: DECLINED });
}

describe("gVisor", { skip }, () => {
  const owner = namedId("test-runsc");
  let engine: Engine;
  let image: string;

  before(async () => {
    engine = await openTestEngine({ runtime: "runsc" });
    image = await sandboxImage(engine);
  });

  after(async () => {
    for (const found of await engine.find(owner)) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
  });

  for (const profile of PROFILES) {
    it(`makes sandboxes that are what the profile ${profile} says of it`, async () => {
      await using sealed = await openTestEngine({ runtime: "runsc", profile });
      const { isolation } = await sealed.check();
      assert.equal(isolation.runtime, "runsc");
      const labels = { owner, process: processIdentity() };
      const { found, about } = await runProbe(sealed, {
        images: { office: image, grader: image },
        labels,
      });
      const golden = goldenFor("docker", "runsc", profile);
      const properties = compare(golden, found, howChecked);
      assert.deepEqual(
        properties.filter(({ verdict }) => verdict === "weaker"),
        [],
      );
      assert(golden.notes.length > 0);
      assert.notEqual(about.kernel, isolation.kernel, "it is the host's kernel that answered");
    });
  }

  it("ends a program's streams when its box dies at one blow, and says that the box is gone", async () => {
    const spec = smallSpec(image, owner);
    await using box = await engine.create(spec);
    const hoard = "held = []\nwhile True: held.append(bytearray(b'x' * 1048576))";
    const argv = ["/usr/bin/python3", "-c", hoard];
    await faultOf(box.exec(argv, { user: "agent", timeoutMs: 60_000 }), "engine/box-gone");
    assert.equal((await box.state()).running, false);
  });

  it("bounds many programs by ending their box, and nobody else's", async () => {
    await using other = await engine.create(smallSpec(image, owner));
    const spec = smallSpec(image, owner);
    await using box = await engine.create({ ...spec, limits: { ...spec.limits, processes: 8 } });
    const bomb =
      "import os, time\nfor _ in range(2000):\n  if os.fork() == 0: time.sleep(60); os._exit(0)";
    const options = { user: "agent", timeoutMs: 60_000 };
    const ended = await box.exec(["/usr/bin/python3", "-c", bomb], options).catch(() => undefined);
    assert.notEqual(ended?.exitCode, 0);
    assert.equal(await sh(other, "echo alive"), "alive\n");
  });

  it("leaves no process behind when a box fails to start, and says what to register", async () => {
    await using unfit = await openTestEngine({ runtime: UNFIT_RUNSC });
    const before = new Set(runners());
    const fault = await faultOf(unfit.create(smallSpec(image, owner)), "engine/spec-refused");
    assert.match(fault.message, /--network=none/);
    // What was killed takes a moment to go on a busy machine; what was not would stay.
    const left = () => runners().filter((pid) => !before.has(pid) && isUnfit(pid));
    for (let tries = 0; left().length > 0 && tries < 100; tries += 1) await sleep(100);
    assert.deepEqual(left(), []);
    assert.deepEqual(await engine.find(owner), []);
  });
});

/** Processes of gVisor on this machine, other tests' included. */
function runners(): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => lineOf(pid).startsWith("runsc-"));
}

function isUnfit(pid: number): boolean {
  const line = lineOf(pid);
  return line !== "" && !line.includes("--network=none");
}

function lineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
