import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { locateDocker } from "../../runtime/engine/docker/locate.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { faultOf } from "../support/engine.ts";

let home: string;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "locate-"));
});

after(async () => {
  await rm(home, { recursive: true, force: true });
});

async function writeContext(name: string, host: string): Promise<void> {
  const digest = createHash("sha256").update(name).digest("hex");
  const folder = join(home, ".docker", "contexts", "meta", digest);
  await mkdir(folder, { recursive: true });
  const meta = { Name: name, Endpoints: { docker: { Host: host } } };
  await writeFile(join(folder, "meta.json"), JSON.stringify(meta));
  await writeFile(join(home, ".docker", "config.json"), JSON.stringify({ currentContext: name }));
}

describe("opening an engine", () => {
  it("refuses a name that no engine has, with the near ones", async () => {
    for (const name of ["dokcer", "constructor", ""]) {
      const fault = await faultOf(openEngine(name, { env: {} }), "engine/unknown-engine");
      assert.match(fault.message, /docker/);
    }
  });

  it("says where nobody answers", async () => {
    const address = `unix://${join(home, "nobody.sock")}`;
    await using engine = await openEngine("docker", { address, env: {} });
    const fault = await faultOf(engine.check(), "engine/unreachable");
    assert(fault.message.includes(address));
    await faultOf(engine.find("x"), "engine/unreachable");
  });

  it("does not let the process's own environment redirect an address", async () => {
    const before = process.env["DOCKER_HOST"];
    process.env["DOCKER_HOST"] = "tcp://192.0.2.1:2375";
    try {
      const address = `unix://${join(home, "nobody.sock")}`;
      await using engine = await openEngine("docker", { address, env: {} });
      await faultOf(engine.check(), "engine/unreachable");
    } finally {
      if (before === undefined) delete process.env["DOCKER_HOST"];
      else process.env["DOCKER_HOST"] = before;
    }
  });
});

describe("locating Docker", () => {
  it("refuses addresses that make no sense, without showing a password", async () => {
    for (const host of ["ssh://me:secret@host", "http://", "fd://", "tcp://:1:2"]) {
      const fault = await faultOf(
        locateDocker(undefined, { DOCKER_HOST: host }),
        "engine/unreachable",
      );
      assert.match(fault.message, /DOCKER_HOST/);
      assert.doesNotMatch(fault.message, /secret/);
    }
  });

  it("refuses TLS without certificates", async () => {
    const env = { DOCKER_HOST: "tcp://h:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: home };
    await faultOf(locateDocker(undefined, env), "engine/unreachable");
  });

  it("refuses a context that is not described", async () => {
    const env = { HOME: home, DOCKER_CONTEXT: "nowhere" };
    await faultOf(locateDocker(undefined, env), "engine/unreachable");
  });

  it("takes a given address before DOCKER_HOST, and DOCKER_HOST before a context", async () => {
    await writeContext("colima", "unix:///colima.sock");
    const env = { HOME: home, DOCKER_HOST: "tcp://example.test:1234" };
    assert.equal((await locateDocker("/given.sock", env)).socketPath, "/given.sock");
    const fromEnv = await locateDocker(undefined, env);
    assert.deepEqual([fromEnv.host, fromEnv.port], ["example.test", 1234]);
    assert.equal(fromEnv.url, "tcp://example.test:1234");
    const fromContext = await locateDocker(undefined, { HOME: home });
    assert.equal(fromContext.socketPath, "/colima.sock");
    assert.match(fromContext.source, /colima/);
  });

  it("takes the first usual socket that answers", async () => {
    await writeFile(join(home, ".docker", "config.json"), "{}");
    const folder = join(home, "run");
    await mkdir(folder, { recursive: true });
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(join(folder, "docker.sock"), resolve));
    const found = await locateDocker(undefined, { HOME: home, XDG_RUNTIME_DIR: folder });
    const known = [join(folder, "docker.sock"), "/var/run/docker.sock"];
    assert(known.includes(found.socketPath ?? ""), found.url);
    server.close();
  });
});
