import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pause } from "../../base/deadline.ts";
import { setupFault } from "./faults.ts";

/** Where a Docker daemon keeps what it must not find twice. */
export interface DaemonPlace {
  readonly pidFile: string;
  readonly execRoot: string;
  /** What dockerd prints. */
  readonly log: string;
  /** Beyond what its configuration file says; none for the machine's own daemon. */
  readonly args: readonly string[];
}

/** The daemon that every Docker client looks for. */
export function machineDaemon(log: string): DaemonPlace {
  return { pidFile: "/var/run/docker.pid", execRoot: "/var/run/docker", log, args: [] };
}

const WAIT_MS = 60_000;
const POLL_MS = 250;
const LAST_LINES = 6;
const PROGRAMS = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"];

/** The path of dockerd, if it is installed. */
export function dockerdProgram(): string | undefined {
  return PROGRAMS.find((path) => existsSync(path));
}

/**
 * Starts dockerd so that it outlives this process, and waits until `answers`. What a dead daemon
 * left behind is cleared first; a daemon that lives is only waited for.
 * Rejects with `setup/engine-not-started`.
 */
export async function startDaemon(
  program: string,
  place: DaemonPlace,
  answers: () => Promise<boolean>,
  { signal, waitMs = WAIT_MS }: { signal?: AbortSignal; waitMs?: number } = {},
): Promise<void> {
  if (runningPid(place.pidFile, "dockerd") === undefined) {
    clearRemains(place);
    const daemon = spawnDetached(program, place);
    await waitFor(answers, place, daemon, waitMs, signal);
  } else {
    await waitFor(answers, place, undefined, waitMs, signal);
  }
}

/**
 * The pid in the file, if a program of that name runs under it: a pid alone is handed out again,
 * and dockerd refuses to start, or takes a stranger for its containerd, when it is.
 */
export function runningPid(pidFile: string, program: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8").trim());
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return name === program ? pid : undefined;
  } catch {
    return undefined;
  }
}

function clearRemains({ pidFile, execRoot }: DaemonPlace): void {
  rmSync(pidFile, { force: true });
  const containerd = join(execRoot, "containerd");
  if (runningPid(join(containerd, "containerd.pid"), "containerd") !== undefined) return;
  for (const name of ["containerd.pid", "containerd.sock", "containerd.sock.ttrpc"]) {
    rmSync(join(containerd, name), { force: true });
  }
}

/** In a session of its own, so that neither a closed terminal nor a killed process group ends it. */
function spawnDetached(program: string, { log, args }: DaemonPlace): ChildProcess {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "a", 0o600);
  const path = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  const daemon = spawn(program, args, {
    detached: true,
    cwd: "/",
    stdio: ["ignore", output, output],
    env: { ...process.env, PATH: path },
  });
  daemon.unref();
  return daemon;
}

async function waitFor(
  answers: () => Promise<boolean>,
  { log }: DaemonPlace,
  daemon: ChildProcess | undefined,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let failed: Error | undefined;
  daemon?.once("error", (error) => {
    failed = error;
  });
  const until = performance.now() + waitMs;
  while (!(await answers())) {
    const ended = failed !== undefined || typeof daemon?.exitCode === "number";
    if (!ended && performance.now() < until) {
      await pause(POLL_MS, signal);
      continue;
    }
    const what = ended ? "ended at once" : `has not answered for ${waitMs / 1000} s`;
    const words = [`dockerd ${what}; its log is ${log}`, ...(daemon ? lastLines(log) : [])];
    throw setupFault("engine-not-started", words.join("\n"), { cause: failed, detail: { log } });
  }
}

function lastLines(log: string): string[] {
  return readFileSync(log, "utf8").trimEnd().split("\n").slice(-LAST_LINES);
}
