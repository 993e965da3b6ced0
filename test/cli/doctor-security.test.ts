import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { weakDocker } from "../support/weak-docker.ts";

interface Row {
  readonly property: string;
  readonly wanted: string;
  readonly found: string;
  readonly how: string;
  readonly verdict: string;
}

describe("cloche doctor --security", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-sealed-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("says of each property what was wanted, what was found and how it was checked", async () => {
    const args = ["doctor", "--security", "--profile", "strict", "--json", "--data", folder];
    const { code, out, err } = await cloche(args);
    const document = JSON.parse(out);
    const rows: Row[] = document.properties;
    assert.deepEqual(
      rows.filter(({ verdict }) => verdict === "weaker"),
      [],
      err,
    );
    assert.equal(document.ok, true);
    assert.equal(code, 0);
    assert.equal(document.isolation.profile, "strict");
    assert(rows.every((row) => row.wanted !== "" && row.found !== "" && row.how !== ""));
    const calls = rows.find(({ property }) => property === "calls");
    assert.equal(calls?.found, "landlock_create_ruleset, memfd_create, seccomp");
    assert(document.warnings.every((one: { remedy: string }) => one.remedy.length > 10));
  });

  it("ends with 1 and names what is weaker", async () => {
    await using docker = await weakDocker("a mount of the host");
    const args = ["doctor", "--security", "--data", folder];
    const { code, out } = await cloche(args, { DOCKER_HOST: docker.address });
    assert.equal(code, 1, out);
    assert.match(out, /weaker\s+mounts .*\/mnt/);
    assert.match(out, /serve refuses/);
  });

  it("refuses a profile and a runtime that nobody knows, with those that there are", async () => {
    const profile = await cloche(["doctor", "--security", "--profile", "stirct"]);
    assert.equal(profile.code, 2);
    assert.match(profile.err, /no profile is named "stirct".*did you mean "strict"/);
    const runtime = await cloche(["doctor", "--security"], { CLOCHE_RUNTIME: "rnuc" });
    assert.equal(runtime.code, 2);
    assert.match(runtime.err, /engine\/no-such-runtime.*"rnuc".*runc/);
  });
});

describe("cloche serve, on an engine that lost a hardening", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cloche-sealed-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const SERVE = ["serve", "--port", "0", "--pool", "0", "--json"];

  it("does not serve and names it; serves if it is told by name that this is accepted", async () => {
    await using docker = await weakDocker("a mount of the host");
    const at = { DOCKER_HOST: docker.address };
    const weaken = docker.mischief;
    let made = 0;
    docker.mischief = (method, path) => {
      if (path.endsWith("/containers/create")) made += 1;
      return weaken(method, path);
    };
    const { code, out } = await cloche([...SERVE, "--data", folder], at);
    assert.equal(code, 2);
    const { fault } = JSON.parse(out);
    assert.equal(fault.code, "engine/not-sealed");
    const properties = fault.detail.deviations.map((one: { property: string }) => one.property);
    assert.deepEqual(properties, ["mounts", "grader's box: mounts"]);
    assert.match(fault.message, /\/mnt/);

    const accept = ["--accept", "mounts", "--accept", "grader's box: mounts"];
    const served = await cloche([...SERVE, "--data", folder, ...accept], at, "draining");
    assert.equal(served.code, 0, served.err);
    assert.match(served.err, /accepted although it is weaker: mounts/);
    assert.equal(made, 2, "the second one remembered what the first one found");
  });

  it("accepts nothing else than what was named", async () => {
    await using docker = await weakDocker("a mount of the host");
    const args = [...SERVE, "--data", folder, "--accept", "mounts"];
    const { code, out } = await cloche(args, { DOCKER_HOST: docker.address });
    assert.equal(code, 2);
    assert.deepEqual(JSON.parse(out).fault.detail.deviations.length, 1);
  });
});

/** Runs to the end; with `untilServes` a signal ends it once it serves. */
async function cloche(
  args: readonly string[],
  env: Record<string, string> = {},
  untilServes?: "draining",
) {
  const all = { ...process.env, ...env, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["cloche.mjs", ...args], { env: all });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
    if (untilServes !== undefined && out.includes('"url"')) child.kill("SIGTERM");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, out, err };
}
