import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openTestEngine } from "./engine.ts";

const CONFIG = "/etc/docker/daemon.json";
const PID_FILE = "/var/run/docker.pid";
const PLATFORM = "--platform=ptrace";
/** The same, registered in a way in which no box can start. */
export const UNFIT_RUNSC = "runsc-networked";

/**
 * Whether the engine knows gVisor by the name of "runsc". With CLOCHE_TEST_RUNSC=install, and as
 * root on Debian, it is installed and made known to the engine, which reads its list of runtimes
 * anew without a restart. `skip` is why not, for the test runner.
 */
export async function haveRunsc(): Promise<{ readonly skip: string | false }> {
  if (await isKnown()) return { skip: false };
  if (process.env["CLOCHE_TEST_RUNSC"] !== "install") {
    return {
      skip: "the engine does not know runsc; npm run test:security installs it where it may",
    };
  }
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    return { skip: "runsc is not known to the engine, and only root on Debian could install it" };
  }
  if (!isDaemonHere()) return { skip: "the engine's daemon is not on this machine" };
  if (!existsSync("/usr/bin/runsc")) {
    const { status } = spawnSync("/usr/bin/apt-get", ["install", "-q", "-y", "runsc"], {
      stdio: "ignore",
    });
    if (status !== 0) return { skip: `"apt-get install runsc" ended with ${status}` };
  }
  return await register();
}

/** A pid file outlives its daemon, and its number may be another program's by now. */
function isDaemonHere(): boolean {
  if (!existsSync(PID_FILE)) return false;
  const name = `/proc/${readFileSync(PID_FILE, "utf8").trim()}/comm`;
  return existsSync(name) && readFileSync(name, "utf8") === "dockerd\n";
}

async function register(): Promise<{ readonly skip: string | false }> {
  try {
    const config = existsSync(CONFIG) ? JSON.parse(readFileSync(CONFIG, "utf8")) : {};
    const path = "/usr/bin/runsc";
    config.runtimes = {
      ...config.runtimes,
      runsc: { path, runtimeArgs: [PLATFORM, "--network=none"] },
      [UNFIT_RUNSC]: { path, runtimeArgs: [PLATFORM] },
    };
    writeFileSync(CONFIG, `${JSON.stringify(config, null, 2)}\n`);
    process.kill(Number(readFileSync(PID_FILE, "utf8")), "SIGHUP");
  } catch (error) {
    return { skip: `runsc could not be made known to the engine: ${error}` };
  }
  for (let round = 0; round < 20; round++) {
    if (await isKnown()) return { skip: false };
    await sleep(250);
  }
  return { skip: `the engine did not read its list of runtimes anew from ${CONFIG}` };
}

async function isKnown(): Promise<boolean> {
  await using engine = await openTestEngine();
  const { runtimes } = (await engine.check()).isolation;
  return ["runsc", UNFIT_RUNSC].every((name) => runtimes.includes(name));
}
