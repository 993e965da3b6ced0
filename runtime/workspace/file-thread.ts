import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Answer, FileJob } from "./file-thread-worker.ts";

/** From here on a thread is worth its start: a file costs the event loop five times as much. */
export const MANY_FILES = 256;

/**
 * Work on many small files, a batch at a time, in a thread of its own: with calls that wait, which
 * cost a fifth of those that do not, and hold up nobody there. Started with its first batch.
 */
export class FileThread implements AsyncDisposable {
  #worker: Worker | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** One batch after the other. Rejects if the thread is gone; what a file failed with is an answer. */
  async run<Job extends FileJob>(job: Job): Promise<Answer<Job>> {
    const mine = this.#turn.then(() => this.#ask(job));
    this.#turn = mine.catch(() => {});
    return (await mine) as Answer<Job>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    await this.#worker?.terminate();
  }

  async #ask(job: FileJob): Promise<unknown> {
    this.#worker ??= new Worker(new URL("./file-thread-worker.ts", import.meta.url));
    const worker = this.#worker;
    const gone = new AbortController();
    const { signal } = gone;
    try {
      const over = once(worker, "exit", { signal }).then(() => {
        throw new Error("the thread for files has ended");
      });
      over.catch(() => {});
      const answered = once(worker, "message", { signal }); // It rejects with "error" too.
      worker.postMessage(job, job.kind === "write" ? [job.bytes.buffer as ArrayBuffer] : []);
      const [answer] = await Promise.race([answered, over]);
      return answer;
    } finally {
      gone.abort();
    }
  }
}
