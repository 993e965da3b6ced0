import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { pause } from "../../runtime/base/deadline.ts";
import {
  type DaemonPlace,
  dockerdProgram,
  runningPid,
  startDaemon,
} from "../../runtime/cli/set-up/docker-daemon.ts";

/**
 * Every daemon here runs in a network namespace of its own: without one, even a daemon that was
 * told to use no bridge deletes the machine's docker0, and the machine's own daemon is cut off.
 */
const PROGRAM = "/usr/bin/unshare";
const OWN_NETWORK = ["--net", "--"];
const dockerd = isolationWorks() ? dockerdProgram() : undefined;
const folders: string[] = [];
const NO_PROCESS = "4194304"; // One above the largest pid that Linux gives.

describe("starting a Docker daemon", {
  skip: dockerd ? false : "needs root, dockerd and network namespaces",
}, () => {
  after(async () => {
    for (const folder of folders) await endDaemon(folder);
  });

  it("rejects with the daemon's last words when it ends at once", async () => {
    const { place } = privateDaemon(["--no-such-flag"]);
    await assert.rejects(
      startDaemon(PROGRAM, place, async () => false),
      {
        code: "setup/engine-not-started",
        message: /ended at once.*dockerd\.log[\s\S]*no-such-flag/,
      },
    );
  });

  it("rejects when the program is not there", async () => {
    const { place } = privateDaemon([]);
    await assert.rejects(
      startDaemon("/nonexistent/dockerd", place, async () => false),
      {
        code: "setup/engine-not-started",
      },
    );
  });

  it("waits for a daemon that lives, starts no other, and says when it does not answer", async () => {
    const { place, folder } = privateDaemon([]);
    const pid = await pidOfMachineDaemon();
    if (pid === undefined) return;
    writeFileSync(place.pidFile, String(pid));
    const started = startDaemon(PROGRAM, place, async () => false, { waitMs: 300 });
    await assert.rejects(started, {
      code: "setup/engine-not-started",
      message: /has not answered for 0.3 s/,
    });
    assert.equal(existsSync(join(folder, "dockerd.log")), false);
  });

  it("clears what dead daemons left, and the daemon outlives the process that started it", async () => {
    const bridgesBefore = bridges();
    const { place, folder, socket } = privateDaemon([]);
    mkdirSync(join(place.execRoot, "containerd"), { recursive: true });
    // Pids that are handed out again, to programs that are no daemons: this very test's.
    writeFileSync(place.pidFile, String(process.pid));
    writeFileSync(join(place.execRoot, "containerd", "containerd.pid"), String(process.pid));
    writeFileSync(socket, "");
    const script = join(folder, "start.ts");
    writeFileSync(script, starterScript(place, socket));
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.equal(await answers(socket), true);
    const pid = runningPid(place.pidFile, "dockerd");
    assert.notEqual(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net"));
    assert.deepEqual(bridges(), bridgesBefore);
  });
});

describe("finding a running daemon by its pid file", () => {
  it("finds none where the file is missing, empty, of a dead process or of another program", () => {
    const folder = mkdtempSync(join(tmpdir(), "cloche-pid-"));
    const file = join(folder, "pid");
    assert.equal(runningPid(file, "dockerd"), undefined);
    for (const text of ["", "x", "-1", NO_PROCESS, String(process.pid)]) {
      writeFileSync(file, text);
      assert.equal(runningPid(file, "dockerd"), undefined, text);
    }
    rmSync(folder, { recursive: true });
  });
});

function isolationWorks(): boolean {
  return process.getuid?.() === 0 && spawnSync(PROGRAM, [...OWN_NETWORK, "true"]).status === 0;
}

function bridges(): string[] {
  return readdirSync("/sys/class/net").filter((name) => name.startsWith("docker"));
}

function privateDaemon(args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "cloche-daemon-"));
  folders.push(folder);
  const socket = join(folder, "docker.sock");
  const pidFile = join(folder, "docker.pid");
  const execRoot = join(folder, "exec");
  const roots = [`--data-root=${join(folder, "data")}`, `--exec-root=${execRoot}`];
  const quiet = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const own = [
    ...OWN_NETWORK,
    dockerd ?? "",
    `--host=unix://${socket}`,
    `--pidfile=${pidFile}`,
    ...roots,
    ...quiet,
    ...args,
  ];
  const place: DaemonPlace = { pidFile, execRoot, log: join(folder, "dockerd.log"), args: own };
  return { folder, socket, place };
}

function starterScript(place: DaemonPlace, socket: string): string {
  const from = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  return `
    import { request } from "node:http";
    import { startDaemon } from ${from("../../runtime/cli/set-up/docker-daemon.ts")};
    const answers = ${answers.toString()};
    const place = ${JSON.stringify(place)};
    await startDaemon(${JSON.stringify(PROGRAM)}, place, () => answers(${JSON.stringify(socket)}));
  `;
}

async function answers(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("error", () => resolve(false));
    asked.end();
  });
}

async function pidOfMachineDaemon(): Promise<number | undefined> {
  return runningPid("/var/run/docker.pid", "dockerd");
}

async function endDaemon(folder: string): Promise<void> {
  const pidFile = join(folder, "docker.pid");
  const pid = runningPid(pidFile, "dockerd");
  if (pid !== undefined && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) {
    process.kill(pid, "SIGTERM");
    while (existsSync(`/proc/${pid}`)) await pause(50);
  }
  rmSync(folder, { recursive: true, force: true });
}
