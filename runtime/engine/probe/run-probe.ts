import { readFileSync } from "node:fs";
import { sha256 } from "../../base/hash.ts";
import { namedId } from "../../base/id.ts";
import type { Box, BoxLimits, Engine, EngineCall, Sandbox, SandboxLabels } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type Found, NO_LIMIT } from "./golden.ts";
import { KEEPER } from "./properties.ts";

/** What a real sandbox told of itself. */
export interface ProbeReport {
  readonly found: Readonly<Record<string, Found>>;
  readonly about: ProbedKernel;
}

/** What differs from host to host and is neither better nor worse. */
export interface ProbedKernel {
  readonly kernel: string;
  readonly machine: string;
  /** The user ids inside are others on the host. */
  readonly userNamespace: boolean;
  /** The AppArmor profile that programs run under, "" for none. */
  readonly appArmor: string;
  /** The version of Landlock that programs may use, 0 for none. */
  readonly landlock: number;
  /** A program that says where it writes could write nowhere else. */
  readonly confined: boolean;
}

export interface ProbeOptions extends EngineCall {
  /** Of sandboxes, and of what judges. */
  readonly images: { readonly office: string; readonly grader: string };
  readonly labels: Pick<SandboxLabels, "owner" | "process">;
}

const MIB = 2 ** 20;
const LIMITS: BoxLimits = {
  memoryBytes: 256 * MIB,
  processes: 32,
  cpus: 1,
  tmpBytes: 8 * MIB,
  fileBytes: 3 * MIB,
  openFiles: 64,
};
const ROOM = { bytes: 8 * MIB, files: 128 };
const STATE = { bytes: 4 * MIB, files: 64 };
const LEASE_MS = 15 * 60_000;
const PATIENCE_MS = 120_000;

/** More than there is room for: the folders in which an agent can write, and all that is counted. */
const TRIAL = {
  big: "/workspace",
  ...{ fileBytes: 2 * LIMITS.fileBytes, openFiles: 2 * LIMITS.openFiles, processes: 40 },
  memoryMib: (2 * LIMITS.memoryBytes) / MIB,
  folders: {
    "/workspace": { bytes: 2 * ROOM.bytes, files: 2 * ROOM.files },
    "/tmp": { bytes: LIMITS.tmpBytes, files: 4_000 },
    "/dev/shm": { bytes: LIMITS.tmpBytes, files: 2_000 },
    "/home/agent": { bytes: LIMITS.tmpBytes, files: 2_000 },
  },
};
const STATE_TRIAL = { folders: { "/state": { bytes: 2 * STATE.bytes, files: 2 * STATE.files } } };

const PROGRAMS = ["calls.py", "see.py", "try.py"].map((name) =>
  readFileSync(new URL(name, import.meta.url)),
);
const [CALLS = Buffer.alloc(0), SEE = Buffer.alloc(0), TRY = Buffer.alloc(0)] = PROGRAMS;

/** Of a program that says that it writes to the workspace: what else it could write. */
const BEYOND = [
  ...["/bin/sh", "-c"],
  "for d in /workspace /home/server /state /tmp /dev/shm; do ( : > $d/.probe ) 2>/dev/null && echo $d; done",
];

/** Another probe asks other questions: what an older one found does not answer them. */
export const PROBE_HASH: string = sha256(
  Buffer.concat([...PROGRAMS, Buffer.from(JSON.stringify([LIMITS, ROOM, STATE, TRIAL, BEYOND]))]),
);

/**
 * Makes a sandbox as every rollout gets one, looks around in both of its boxes as an agent's program
 * could, takes more of everything than is allowed, and removes it. Rejects with a fault of the
 * engine, or `engine/probe-failed` if it did not come to an end.
 */
export async function runProbe(engine: Engine, options: ProbeOptions): Promise<ProbeReport> {
  const call = options.signal ? { signal: options.signal } : {};
  const sandbox = await makeSandbox(engine, options, call);
  await using _sandbox = sandbox;
  const keeper = sandbox.keeper;
  if (keeper === undefined) throw engineFault("no-keeper", "the probe's sandbox has no keeper");
  // Somebody whom the agent must not reach.
  await using neighbour = await sandbox.open(["/bin/sleep", "300"], { user: "server", ...call });
  neighbour.stdout.resume();
  neighbour.stderr.resume();
  const confined = await isConfined(sandbox, call);
  const seen = await look(sandbox, "agent", call);
  const judges = await look(keeper, "grader", call);
  const state = await tryLimits(sandbox, "server", STATE_TRIAL, call);
  const limits = await tryLimits(sandbox, "agent", TRIAL, call);
  const { outOfMemory } = await sandbox.stop(call);
  const prefixed = Object.entries(judges.said).map(([name, found]) => [`${KEEPER}${name}`, found]);
  // Under gVisor the trials before it may have had all memory, and the whole box ends with a program.
  const memory = outOfMemory ? { [MEMORY]: 0 } : {};
  const found = { ...seen.said, ...state, ...memory, ...limits, ...Object.fromEntries(prefixed) };
  return { found, about: { ...seen.about, confined } };
}

async function makeSandbox(
  engine: Engine,
  { images, labels }: ProbeOptions,
  call: EngineCall,
): Promise<Sandbox> {
  const id = namedId("probe");
  const expires = new Date(Date.now() + LEASE_MS);
  const spec = {
    ...{ id, labels: { ...labels, rollout: id, expires }, image: images.office },
    users: ["agent", "server"],
    workspace: { path: "/workspace", owner: "agent", ...ROOM },
    state: { path: "/state", owner: "server", ...STATE },
    limits: LIMITS,
    keeper: {
      image: images.grader,
      users: ["grader"],
      scratch: { path: "/grade", owner: "grader", ...ROOM },
      limits: LIMITS,
    },
  };
  return await engine.create(spec, call);
}

async function isConfined(box: Box, call: EngineCall): Promise<boolean> {
  await using program = await box.open(BEYOND, { user: "server", writes: ["/workspace"], ...call });
  program.stdin.end();
  const [stdout, stderr] = await Promise.all([textOf(program.stdout), textOf(program.stderr)]);
  if (!stdout.startsWith("/workspace\n")) throw unfinished("write to its workspace", stderr);
  return stdout === "/workspace\n";
}

interface Seen {
  readonly said: Readonly<Record<string, Found>>;
  readonly about: Omit<ProbedKernel, "confined">;
}

async function look(box: Box, user: string, call: EngineCall): Promise<Seen> {
  const options = { user, stdin: Buffer.concat([CALLS, SEE]), timeoutMs: PATIENCE_MS, ...call };
  const { exitCode, stdout, stderr } = await box.exec(["/usr/bin/python3", "-I", "-"], options);
  if (exitCode !== 0) throw unfinished("look around", `${stderr}`);
  return parsed(stdout.toString(), "look around") as Seen;
}

interface Trial {
  readonly folders: Readonly<Record<string, { readonly bytes: number; readonly files: number }>>;
  readonly memoryMib?: number;
  readonly fileBytes?: number;
  readonly openFiles?: number;
  readonly processes?: number;
}

/** The last that it does is to take memory until it is ended, and perhaps its box with it. */
async function tryLimits(
  box: Box,
  user: string,
  trial: Trial,
  call: EngineCall,
): Promise<Record<string, Found>> {
  const argv = ["/usr/bin/python3", "-I", "-c", TRY.toString(), JSON.stringify(trial)];
  await using program = await box.open(argv, { user, ...call });
  program.stdin.end();
  const [stdout, stderr] = await Promise.all([textOf(program.stdout), textOf(program.stderr)]);
  await program.ended;
  const lines = stdout.split("\n").filter((line) => line.startsWith("["));
  if (lines.length === 0) throw unfinished("try the limits", stderr);
  const pairs = lines.map((line) => parsed(line, "try the limits") as [string, number]);
  const found: Record<string, number> = Object.fromEntries(pairs);
  const taken = askedFor(trial);
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name, value === taken[name] ? NO_LIMIT : value]),
  );
}

function askedFor(trial: Trial): Record<string, number | undefined> {
  const folders = Object.entries(trial.folders).flatMap(([folder, { bytes, files }]) => [
    [`bytes written to ${folder}`, bytes],
    [`files made in ${folder}`, files],
  ]);
  return {
    ...Object.fromEntries(folders),
    [MEMORY]: trial.memoryMib,
    "largest file": trial.fileBytes,
    "open files": trial.openFiles,
    processes: trial.processes,
  };
}

const MEMORY = "memory (MiB)";
const OUTPUT_MAX = 64 * 1024;

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) if (text.length < OUTPUT_MAX) text += chunk.toString();
  return text;
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unfinished(what, text.slice(0, 500), cause);
  }
}

function unfinished(what: string, words: string, cause?: unknown) {
  const message = `the probe did not ${what} to its end: ${words.trim() || "it said nothing"}`;
  return engineFault("probe-failed", message, { cause });
}
