import { posix } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../base/log.ts";
import type {
  ArchiveSource,
  Box,
  BoxProcess,
  BoxState,
  EngineCall,
  ExecOptions,
  ExecResult,
  OpenOptions,
} from "../engine.ts";
import { engineFault } from "../faults.ts";
import { getArchive, putArchive } from "./archive.ts";
import { checkedProgram } from "./check-program.ts";
import { endTree } from "./descendants.ts";
import { type DockerApi, failed, failureOf, Refusal } from "./docker-api.ts";
import { collect, DockerProcess } from "./docker-process.ts";
import { lostByGvisor, stumbled } from "./gvisor-loss.ts";
import { KEPT_PARENT } from "./host-config.ts";
import type { Identity } from "./identity.ts";
import { launch } from "./launch.ts";
import { isGvisor } from "./oci-runtime.ts";
import { startExec } from "./start-exec.ts";
import { requireStarted, wordsOf } from "./started.ts";

/** Of a program that was ended with its box. */
const KILLED = 137;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long a killed program may take to vanish before its streams are let go of. */
const AFTERMATH_MS = 5_000;
export interface BoxParts {
  readonly api: DockerApi;
  readonly log: Log;
  /** Docker's id of the container: nobody can take its place, as with a name. */
  readonly container: string;
  /** Its name, for messages. */
  readonly name: string;
  readonly identity: Identity;
  /** The users that this box has, "init" included. */
  readonly users: readonly string[];
  /** The OCI runtime that it was made with; undefined: the engine's own choice. */
  readonly runtime: string | undefined;
  /** Programs that say what they write are held to it. */
  readonly confines: boolean;
  /** Directories that are memory of the container alone and cannot be read as archives. */
  readonly unreadable: readonly string[];
}

/** One container. */
export class DockerBox implements Box {
  readonly parts: BoxParts;
  readonly #running = new Set<DockerProcess>();
  #isEnding = false;
  #watch: Promise<void> | undefined;

  constructor(parts: BoxParts) {
    this.parts = parts;
  }

  async exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const { stdin, timeoutMs = 60_000, maxOutputBytes = 10 * 2 ** 20, signal } = options;
    const process = await this.#start(argv, options, stdin !== undefined);
    if (stdin !== undefined) process.stdin.end(stdin);
    const output = Promise.all([
      collect(process.stdout, maxOutputBytes),
      collect(process.stderr, maxOutputBytes),
    ]);
    const first = await firstOf(process.ended, Math.min(timeoutMs, DAY_MS), signal);
    if (first !== "ended") await this.#end(process);
    if (first === "aborted") {
      process.abandon();
      throw signal?.reason;
    }
    const [stdout, stderr] = await output;
    const timedOut = first === "late";
    const { exitCode } = timedOut ? { exitCode: null } : await process.ended;
    if (exitCode === null && !timedOut) await this.#explainLoss(argv);
    return {
      exitCode,
      stdout: stdout.bytes,
      stderr: stderr.bytes,
      timedOut,
      dropped: { stdout: stdout.dropped, stderr: stderr.dropped },
    };
  }

  async open(argv: readonly string[], options: OpenOptions): Promise<BoxProcess> {
    return await this.#start(argv, options, true);
  }

  async putArchive(tar: ArchiveSource, path: string, options: EngineCall = {}): Promise<void> {
    await this.#mustRun(options);
    await putArchive(this.parts, tar, path, options);
  }

  async getArchive(path: string, options: EngineCall = {}): Promise<Readable> {
    await this.#mustRun(options);
    const plain = posix.normalize(path);
    if (plain === KEPT_PARENT || plain.startsWith(`${KEPT_PARENT}/`)) {
      throw engineFault("path-missing", `${path} of ${this.parts.name} is not for reading`);
    }
    return await getArchive(this.parts, plain, options);
  }

  async state({ signal }: EngineCall = {}): Promise<BoxState> {
    const { api, container, name } = this.parts;
    const what = `inspect ${name}`;
    const path = `/containers/${container}/json`;
    try {
      const { State } = await api.json<Inspection>({ what, method: "GET", path, signal });
      const exitCode = State.Running ? null : State.ExitCode;
      return { running: State.Running, exitCode, outOfMemory: State.OOMKilled };
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return GONE;
      throw failed(error);
    }
  }

  /** The box is about to be ended; see `DockerProcess.hurry`. */
  hurry(): void {
    this.#isEnding = true;
    for (const process of this.#running) process.hurry();
  }

  /** Reads where the keeper holds the workspace; only for its own sandbox. */
  async getKept(path: string, signal: AbortSignal | undefined): Promise<Readable> {
    await this.#mustRun(signal ? { signal } : {});
    return await getArchive(this.parts, path, signal ? { signal } : {});
  }

  /** Archives of a stopped container lack its volumes, or show them empty. */
  async #mustRun(options: EngineCall): Promise<void> {
    const state = await this.state(options);
    if (state.running) return;
    throw engineFault("box-gone", `${this.parts.name} is not running (${wordsOf(state)})`);
  }

  async #start(argv: readonly string[], options: OpenOptions, stdin: boolean) {
    const patience = this.parts.api.patience();
    let canStumble = isGvisor(this.parts.runtime);
    for (;;) {
      try {
        return await this.#startOnce(argv, options, stdin);
      } catch (error) {
        if (canStumble && stumbled(error)) canStumble = false;
        else if (!options.startsWithInput || failureOf(error) !== "lost") throw error;
        else if (!(await patience.pause(options.signal))) throw error;
      }
    }
  }

  async #startOnce(argv: readonly string[], options: OpenOptions, stdin: boolean) {
    const { api, log, container, name } = this.parts;
    const { tellsLoss = false, signal } = options;
    const user = this.#userOf(options.user);
    const { cwd, writes } = checkedProgram(name, argv, options);
    const { argv: Cmd, nonce } = launch(argv, {
      cwd,
      hasSubreapers: !isGvisor(this.parts.runtime),
      tellsLoss,
      isServer: writes !== undefined,
      endsFirst: options.endsFirst ?? false,
      writes: this.parts.confines ? writes : undefined,
    });
    const Env = Object.entries({ ...userEnv(options.user), ...options.env }).map(
      ([key, value]) => `${key}=${value}`,
    );
    const what = `run ${argv[0]} in ${name}`;
    const attach = { AttachStdin: stdin, AttachStdout: true, AttachStderr: true };
    const body = { ...attach, User: user, Env, Cmd };
    const { socket, execId } = await startExec(api, { what, container, body, signal });
    const endDescendants = (root: { pid: number; startTime: string }) =>
      endTree({ api, container, user }, root);
    const meaning = (exitCode: number | null) => this.#meaning(exitCode);
    const how = { api, container, user, execId, hasInput: stdin, socket, nonce, log, tellsLoss };
    const process = new DockerProcess({ ...how, endDescendants, meaning });
    this.#running.add(process);
    if (isGvisor(this.parts.runtime)) this.#watch ??= this.#watchEnd();
    void process.ended.then(() => this.#running.delete(process));
    await requireStarted(process, this, argv, options);
    return process;
  }

  async #meaning(exitCode: number | null): Promise<number | null> {
    if (!isGvisor(this.parts.runtime)) return exitCode;
    if (!(await lostByGvisor(exitCode, () => this.state()))) return exitCode;
    return this.#isEnding ? KILLED : null;
  }

  /**
   * Docker goes on waiting for the programs of a gVisor box that died at one blow.
   */
  async #watchEnd(): Promise<void> {
    const { api, log, container, name } = this.parts;
    const what = `wait for the end of ${name}`;
    const path = `/containers/${container}/wait`;
    const ask = { what, method: "POST", path, query: { condition: "not-running" } } as const;
    await api
      .json({ ...ask, deadlineMs: DAY_MS })
      .catch((err: unknown) => log.debug({ err }, what));
    await sleep(AFTERMATH_MS / 5);
    for (const process of this.#running) process.lose();
  }

  async #end(process: DockerProcess): Promise<void> {
    try {
      await process.kill();
    } catch (error) {
      this.parts.log.warn({ err: error }, "a program could not be ended; it ends with its box");
    }
    await firstOf(process.ended, AFTERMATH_MS, undefined);
    process.abandon();
  }

  async #explainLoss(argv: readonly string[]): Promise<void> {
    const { name } = this.parts;
    const state = await this.state();
    const fate = state.running ? "the box runs" : wordsOf(state);
    const code = state.running ? "program-lost" : "box-gone";
    throw engineFault(code, `${name} lost the program ${argv[0]} while it ran (${fate})`);
  }

  #userOf(user: string): string {
    const { identity, users, name } = this.parts;
    const uid = users.includes(user) ? identity.uids[user] : undefined;
    if (uid !== undefined) return `${uid}:${identity.gid}`;
    const message = `${name} has no user "${user}" (it has ${users.join(", ")})`;
    throw engineFault("exec-refused", message);
  }
}

interface Inspection {
  readonly State: {
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
  };
}

const GONE: BoxState = { running: false, exitCode: null, outOfMemory: false };

function userEnv(user: string): Record<string, string> {
  return { HOME: user === "init" ? "/" : `/home/${user}`, USER: user, LOGNAME: user };
}

async function firstOf(
  ended: Promise<unknown>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<"ended" | "late" | "aborted"> {
  const over = new AbortController();
  const both = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  const timer = sleep(timeoutMs, "late" as const, { signal: both }).catch(() => "aborted" as const);
  const first = await Promise.race([ended.then(() => "ended" as const), timer]);
  over.abort();
  return first;
}
