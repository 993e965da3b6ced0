import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { type Engine, PROFILES } from "../../runtime/engine/engine.ts";
import { compare, type Golden, goldenFor, NO_LIMIT } from "../../runtime/engine/probe/golden.ts";
import { howChecked } from "../../runtime/engine/probe/properties.ts";
import { runProbe } from "../../runtime/engine/probe/run-probe.ts";
import { openTestEngine, sandboxImage } from "../support/engine.ts";
import { weakDocker } from "../support/weak-docker.ts";

describe("the probe of a sandbox", () => {
  const owner = namedId("test-probe");
  let engine: Engine;
  let images: { readonly office: string; readonly grader: string };

  before(async () => {
    engine = await openTestEngine();
    const office = await sandboxImage(engine);
    images = { office, grader: office };
  });

  after(async () => {
    const left = await engine.find(owner);
    for (const found of left) await engine.remove(found);
    await engine[Symbol.asyncDispose]();
    assert.deepEqual(left, []);
  });

  async function probed(of: Engine): Promise<readonly ReturnType<typeof compare>[number][]> {
    const { isolation } = await of.check();
    const labels = { owner, process: processIdentity() };
    const { found } = await runProbe(of, { images, labels });
    const { runtime, profile } = isolation;
    return compare(goldenFor(of.name, runtime, profile), found, howChecked);
  }

  const weakerOf = (properties: Awaited<ReturnType<typeof probed>>) =>
    properties.filter(({ verdict }) => verdict === "weaker").map(({ property }) => property);

  for (const profile of PROFILES) {
    it(`finds that sandboxes are what the profile ${profile} says, in both boxes`, async () => {
      await using sealed = await openTestEngine({ profile });
      const properties = await probed(sealed);
      const weaker = properties.filter(({ verdict }) => verdict === "weaker");
      assert.deepEqual(weaker, []);
      assert(properties.length > 60);
      assert(properties.every(({ how, found }) => how !== "" && found !== ""));
    });
  }

  it("names what the engine lost inside of a program", async () => {
    await using docker = await weakDocker("inside a program");
    await using weak = await openTestEngine({ address: docker.address });
    const weaker = weakerOf(await probed(weak));
    for (const property of [
      ...["seccomp filter", "no new privileges", "capabilities", "calls", "sockets"],
      ...["namespaces that can be made", "files about the host", "grader's box: capabilities"],
    ]) {
      assert(weaker.includes(property), `${property}: ${weaker}`);
    }
  });

  it("names what the engine lost around a program", async () => {
    await using docker = await weakDocker("around a program");
    await using weak = await openTestEngine({ address: docker.address });
    const weaker = weakerOf(await probed(weak));
    for (const property of [
      ...["processes", "memory (MiB)", "network interfaces", "routes", "other programs"],
      ...["own first process", "own cgroup root", "mounts", "open files", "largest file"],
    ]) {
      assert(weaker.includes(property), `${property}: ${weaker}`);
    }
    assert(!weaker.includes("capabilities"));
  });

  it("says the less that strict lets through", async () => {
    const lists = PROFILES.map((profile) => {
      const {
        calls,
        sockets,
        "files about the host": files,
      } = goldenFor("docker", "runc", profile).properties;
      return [calls, sockets, files].map((one) => (one && "most" in one ? one.most : []));
    });
    const [usual = [], strict = []] = lists;
    for (const [index, most] of strict.entries()) {
      assert(most.every((one) => usual[index]?.includes(one)));
      assert(most.length < (usual[index]?.length ?? 0));
    }
  });
});

describe("a comparison with what is wanted", () => {
  const golden = (properties: Golden["properties"]): Golden => ({
    ...{ runtime: "runc", profile: "default", notes: [], properties },
  });
  const verdict = (
    wanted: Golden["properties"][string],
    found: string | number | boolean | string[],
  ) => compare(golden({ x: wanted }), { x: found }, () => "")[0]?.verdict;

  it("takes fewer and less as tighter, more and other as weaker", () => {
    assert.equal(verdict({ most: ["a", "b"] }, ["a", "b"]), "as wanted");
    assert.equal(verdict({ most: ["a", "b"] }, ["a"]), "tighter");
    assert.equal(verdict({ most: ["a", "b"] }, ["a", "c"]), "weaker");
    assert.equal(verdict({ most: ["a", "b"] }, "a"), "weaker");
    assert.equal(verdict({ upTo: 5 }, 5), "as wanted");
    assert.equal(verdict({ upTo: 5 }, 4), "tighter");
    assert.equal(verdict({ upTo: 5 }, 6), "weaker");
    assert.equal(verdict({ upTo: 5 }, Number.NaN), "weaker");
    assert.equal(verdict({ upTo: 5 }, NO_LIMIT), "weaker");
    assert.equal(verdict({ is: true }, false), "weaker");
    assert.equal(verdict({ instead: "memory" }, NO_LIMIT), "as wanted");
    assert.equal(verdict({ instead: "memory" }, 7), "tighter");
  });

  it("takes what was not reported, and what nobody knows, as weaker", () => {
    const [missing] = compare(golden({ x: { is: true } }), {}, () => "");
    assert.deepEqual([missing?.verdict, missing?.found], ["weaker", "(not reported)"]);
    const [unknown] = compare(golden({}), { x: true }, () => "");
    assert.deepEqual([unknown?.verdict, unknown?.wanted], ["weaker", "(unknown)"]);
  });

  it("names only what is beyond, not all that was found", () => {
    const [property] = compare(golden({ x: { most: ["a"] } }), { x: ["a", "z"] }, () => "");
    assert.equal(property?.found, "z");
  });
});
