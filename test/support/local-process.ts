import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Box, BoxProcess, BoxState, OpenOptions } from "../../runtime/engine/engine.ts";

/**
 * A place where programs run as plain children of this process, unsealed: for tests of what talks
 * to programs, where an engine would only add time. `die` makes it look as a box that is gone.
 */
export class LocalBox implements Box, AsyncDisposable {
  readonly processes: LocalProcess[] = [];
  #state: BoxState = { running: true, exitCode: null, outOfMemory: false };

  async open(argv: readonly string[], options: OpenOptions): Promise<BoxProcess> {
    const [command = "", ...args] = argv;
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin", ...options.env };
    const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    const process = new LocalProcess(child);
    this.processes.push(process);
    return process;
  }

  async state(): Promise<BoxState> {
    return this.#state;
  }

  /** Kills everything, as the kernel does when the init of a container is killed. */
  async die(outOfMemory: boolean): Promise<void> {
    this.#state = { running: false, exitCode: 137, outOfMemory };
    await Promise.all(this.processes.map((process) => process.kill()));
  }

  exec(): never {
    throw new Error("a local box only opens programs");
  }

  putArchive(): never {
    throw new Error("a local box has no archives");
  }

  getArchive(): never {
    throw new Error("a local box has no archives");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill()));
  }
}

class LocalProcess implements BoxProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<{ readonly exitCode: number | null }>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("no streams");
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.on("error", () => resolve({ exitCode: 127 }));
      child.on("close", (code, signal) => resolve({ exitCode: signal === null ? code : 137 }));
    });
  }

  async kill(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // It ended in this very moment.
      }
    }
    this.stdin.destroy();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
