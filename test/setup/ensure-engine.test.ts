import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advice, ensureEngine, type Machine } from "../../runtime/cli/set-up/ensure-engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";

const DEBIAN_ROOT: Machine = {
  platform: "linux",
  root: true,
  apt: true,
  systemd: false,
  dockerd: undefined,
};
const DOCKERD = "/usr/bin/dockerd";

describe("an engine for this machine", () => {
  it("is not started or installed where somebody named another one that does not answer", async () => {
    const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    const options = { cacheFolder: "/nonexistent", named: "DOCKER_HOST" };
    await assert.rejects(
      ensureEngine(() => openEngine("docker", { env }), options),
      { code: "setup/no-engine", message: /start the engine that DOCKER_HOST names/ },
    );
  });

  it("is asked of the person, in one line that says what to do, where set-up may not do it", () => {
    const cases: readonly [Partial<Machine>, RegExp][] = [
      [{ platform: "darwin" }, /Docker Desktop/],
      [{ platform: "win32" }, /WSL/],
      [{ root: false, dockerd: DOCKERD }, /systemctl start docker.*usermod -aG docker/],
      [{ root: false }, /apt-get install docker.io/],
      [{ apt: false }, /only Debian and Ubuntu/],
    ];
    for (const [change, expected] of cases) {
      const text = advice({ ...DEBIAN_ROOT, ...change }, undefined) ?? "";
      assert.match(text, expected);
      assert.equal(text.includes("\n"), false);
    }
  });

  it("is set-up's own work for root on Debian, and for root with Docker anywhere on Linux", () => {
    assert.equal(advice(DEBIAN_ROOT, undefined), undefined);
    assert.equal(advice({ ...DEBIAN_ROOT, apt: false, dockerd: DOCKERD }, undefined), undefined);
  });
});
