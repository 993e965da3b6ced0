import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault, messageOf } from "../../base/fault.ts";
import type { Engine } from "../../engine/engine.ts";
import { runProgram } from "../../image/run-program.ts";
import { dockerdProgram, machineDaemon, startDaemon } from "./docker-daemon.ts";
import { setupFault } from "./faults.ts";
import { type Progress, type ProgressStep, silentProgress } from "./progress.ts";

export interface EnsureEngineOptions {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** Where the log of a daemon goes that is started here. */
  readonly cacheFolder: string;
  /** Who names the engine, if it is not the usual one (DOCKER_HOST, a context); then nothing is started. */
  readonly named?: string | undefined;
}

/** What this machine lets set-up do. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly root: boolean;
  readonly apt: boolean;
  readonly systemd: boolean;
  readonly dockerd: string | undefined;
}

/**
 * Makes sure that the engine answers. If none does and this is root on Linux, starts the Docker
 * daemon; on Debian and Ubuntu installs it first. Never asks for more rights than it has.
 * Rejects with `setup/no-engine` (and says what to do), `setup/engine-not-installed` or
 * `setup/engine-not-started`.
 */
export async function ensureEngine(
  open: () => Promise<Engine>,
  options: EnsureEngineOptions,
): Promise<Engine> {
  const { progress = silentProgress } = options;
  return progress.step("engine", async (step) => {
    const first = await attempt(open, options.signal);
    const engine = first instanceof Fault ? await bringUp(first, open, options, step) : first;
    const { summary, address } = await engine.check(callOf(options.signal));
    return { value: engine, summary: `${summary} at ${address}` };
  });
}

/** What to do by hand where set-up may not do it; undefined where it may. */
export function advice(machine: Machine, named: string | undefined): string | undefined {
  if (named !== undefined) return `start the engine that ${named} names, or name none`;
  if (machine.platform === "darwin") return "install and start Docker Desktop, then try again";
  if (machine.platform !== "linux") return "use Linux (or WSL 2), or macOS with Docker Desktop";
  if (!machine.root && machine.dockerd) {
    return 'start Docker ("sudo systemctl start docker") and join its group ("sudo usermod -aG docker $USER", then log in again), or run this as root';
  }
  if (!machine.root)
    return "install Docker (Debian: sudo apt-get install docker.io), or run this as root";
  if (!machine.dockerd && !machine.apt) {
    return "install Docker Engine by hand: only Debian and Ubuntu are known here";
  }
  return undefined;
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    apt: existsSync("/usr/bin/apt-get"),
    systemd: existsSync("/run/systemd/system"),
    dockerd: process.platform === "linux" ? dockerdProgram() : undefined,
  };
}

async function bringUp(
  first: Fault,
  open: () => Promise<Engine>,
  options: EnsureEngineOptions,
  step: ProgressStep,
): Promise<Engine> {
  const machine = thisMachine();
  const todo = advice(machine, options.named);
  if (todo !== undefined) {
    const sentence = `no Docker Engine answers (${first.message}): ${todo}`;
    throw setupFault("no-engine", sentence, { cause: first });
  }
  if (!machine.dockerd) {
    step.intent("no Docker here; installing Debian's docker.io, about 60 s");
    await installDocker(step, options.signal);
  }
  const afterwards = await attempt(open, options.signal);
  if (!(afterwards instanceof Fault)) return afterwards;
  return start(afterwards, machine.systemd, open, options, step);
}

async function start(
  without: Fault,
  systemd: boolean,
  open: () => Promise<Engine>,
  { cacheFolder, signal }: EnsureEngineOptions,
  step: ProgressStep,
): Promise<Engine> {
  let engine: Engine | Fault = without;
  const answers = async () => {
    engine = await attempt(open, signal);
    return !(engine instanceof Fault);
  };
  const result = () => {
    if (engine instanceof Fault) throw engine;
    return engine;
  };
  if (systemd) {
    step.intent("Docker is not running; starting its service");
    await startService(step, signal);
    await answers();
    return result();
  }
  const log = join(cacheFolder, "dockerd.log");
  step.intent(`Docker is not running; starting dockerd, whose log is ${log}`);
  await startDaemon(dockerdProgram() ?? "dockerd", machineDaemon(log), answers, callOf(signal));
  return result();
}

async function startService(step: ProgressStep, signal: AbortSignal | undefined): Promise<void> {
  const options = { onLine: step.detail, ...callOf(signal) };
  try {
    await runProgram("systemctl", ["start", "docker"], options);
  } catch (cause) {
    signal?.throwIfAborted();
    const sentence = `systemd did not start Docker: ${messageOf(cause)}`;
    throw setupFault("engine-not-started", sentence, { cause });
  }
}

async function installDocker(step: ProgressStep, signal: AbortSignal | undefined): Promise<void> {
  const options = { onLine: step.detail, ...callOf(signal) };
  try {
    await runProgram("apt-get", ["update", "-q"], options);
    const install = ["install", "-q", "-y", "--no-install-recommends", "docker.io"];
    await runProgram("apt-get", install, options);
  } catch (cause) {
    signal?.throwIfAborted();
    const sentence = `docker.io was not installed: ${messageOf(cause)}`;
    throw setupFault("engine-not-installed", sentence, { cause });
  }
}

/** An engine that answers, or why there is none. */
async function attempt(
  open: () => Promise<Engine>,
  signal: AbortSignal | undefined,
): Promise<Engine | Fault> {
  try {
    const engine = await open();
    try {
      await engine.check(callOf(signal));
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Fault) return error;
    throw error;
  }
}

function callOf(signal: AbortSignal | undefined) {
  return signal ? { signal } : {};
}
