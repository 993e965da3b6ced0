import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ToolError } from "../kit/tool-error.ts";
import { LIMITS } from "./limits.ts";

/** What a job gives back. `file`: new bytes for the file that it worked on, or made. */
export interface JobResult {
  readonly text: string;
  readonly data: Record<string, unknown>;
  readonly file?: Uint8Array;
}

export type Reply =
  | { readonly id: number; readonly result: JobResult }
  | { readonly id: number; readonly mistake: string }
  | { readonly id: number; readonly bug: string };

export interface Request {
  readonly id: number;
  readonly job: string;
  readonly input: unknown;
}

/** Idle for so long, the child goes, and its memory with it. */
const IDLE_MS = 15_000;
const HEAP_MIB = 448;
/** Beside the heap, for what a file inflates to. */
const BUFFERS_MIB = 224;
/** Its heap is bounded by Node, what buffers take beside it by the kernel; it is the first to go. */
const BOUNDED =
  "echo 900 2>/dev/null >/proc/self/oom_score_adj; " +
  `ulimit -d ${dataOfNodeKib() + (HEAP_MIB + BUFFERS_MIB) * 1024}; ulimit -c 0; exec "$@"`;
const FONTS = "/usr/share/fonts/truetype/dejavu/";

/**
 * Does all parsing in a child process, one job at a time: a file that makes a parser loop, crash or
 * eat memory costs one call and not the server. The child gets bytes and gives bytes; it may read
 * its own code and some fonts, and nothing else (Node's permission model).
 */
export class Engine {
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ids = 0;

  /** @throws ToolError for what the caller can mend; Error for our bugs. */
  async run(job: string, input: unknown, signal?: AbortSignal): Promise<JobResult> {
    const mine = this.#last.then(() => this.#perform(job, input, signal));
    this.#last = mine.catch(() => {});
    return await mine;
  }

  async #perform(job: string, input: unknown, signal?: AbortSignal): Promise<JobResult> {
    if (signal?.aborted) throw new ToolError("The call was cancelled.");
    clearTimeout(this.#idle);
    const child = this.#child ?? this.#start();
    const id = this.#ids++;
    try {
      const reply = await answerOf(child, { id, job, input }, signal);
      if ("result" in reply) return reply.result;
      if ("mistake" in reply) throw new ToolError(reply.mistake);
      throw new Error(reply.bug);
    } finally {
      if (child.exitCode !== null || child.signalCode !== null || child.killed) {
        if (this.#child === child) this.#child = undefined;
      } else {
        this.#idle = setTimeout(() => this.#stop(), IDLE_MS);
        this.#idle.unref();
        child.unref();
        child.channel?.unref();
      }
    }
  }

  #start(): ChildProcess {
    const { script, readable } = places();
    const reads = [...readable, FONTS].map((path) => `--allow-fs-read=${path}`);
    const flags = ["--permission", ...reads, `--max-old-space-size=${HEAP_MIB}`, "--no-warnings"];
    const command = [process.execPath, ...flags, script];
    const child = spawn("/bin/sh", ["-c", BOUNDED, "sh", ...command], {
      env: { TZ: "UTC", LC_ALL: "C.UTF-8", PATH: "/usr/bin:/bin" },
      cwd: "/",
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    child.on("error", () => {});
    this.#child = child;
    return child;
  }

  #stop(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

async function answerOf(
  child: ChildProcess,
  request: Request,
  signal?: AbortSignal,
): Promise<Reply> {
  child.ref();
  child.channel?.ref();
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const end = (message: string) => {
    child.kill("SIGKILL");
    reject(new ToolError(message));
  };
  const [started, used] = [performance.now(), cpuMs(child)];
  const late = setInterval(() => {
    const [busy, waited] = [cpuMs(child) - used, performance.now() - started];
    if (busy < LIMITS.callCpuMs && waited < LIMITS.callMs) return;
    end(`It took too long and was stopped: ${TOO_HEAVY}`);
  }, 500);
  const onMessage = (reply: Reply) => {
    if (reply.id === request.id) resolve(reply);
  };
  const onExit = () => end(`It could not be worked through: ${TOO_HEAVY}`);
  const onAbort = () => end("The call was cancelled.");
  child.on("message", onMessage);
  child.on("exit", onExit);
  signal?.addEventListener("abort", onAbort);
  try {
    child.send(request, (error) => {
      if (error !== null) onExit();
    });
    return await promise;
  } finally {
    clearInterval(late);
    child.off("message", onMessage);
    child.off("exit", onExit);
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * What the kernel counts as data of a Node that has done nothing yet: the stacks of its threads and
 * what V8 sets aside, far more than is used, and not the same on each machine. This process has just
 * begun, and is such a one. (/proc/self/status, in KiB)
 */
function dataOfNodeKib(): number {
  const found = /^VmData:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
  if (found === null) throw new Error("this kernel does not say how much data a process has");
  return Number(found[1]);
}

/** Processor time that a process has used so far, of all its threads. */
function cpuMs({ pid }: ChildProcess): number {
  try {
    const facts = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/, "").split(" ");
    return (Number(facts[12]) + Number(facts[13])) * TICK_MS;
  } catch {
    return 0; // It has just ended, which is heard of elsewhere.
  }
}

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const TICK_MS = 10;

const TOO_HEAVY =
  "the file is damaged, or far larger or more tangled than a document is. It is unchanged. " +
  "Split it, or try a program in the terminal.";

/** Beside this module as source; beside the bundle in an image. */
function places(): { readonly script: string; readonly readable: readonly string[] } {
  if (!import.meta.url.endsWith(".ts")) {
    const script = fileURLToPath(new URL("./documents-worker.mjs", import.meta.url));
    return { script, readable: [`${dirname(script)}/`] };
  }
  let root = dirname(fileURLToPath(import.meta.url));
  while (root !== "/" && !existsSync(`${root}/node_modules`)) root = dirname(root);
  return {
    script: fileURLToPath(new URL("./worker.ts", import.meta.url)),
    readable: [`${root}/`],
  };
}
