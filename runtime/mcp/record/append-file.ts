import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Fault, messageOf } from "../../base/fault.ts";
import { mcpFault } from "../faults.ts";

/**
 * A file of lines that only grows. A line is with the kernel when `append` returns, so it survives
 * this process; `close` waits until it also survives the machine.
 */
export class AppendFile implements Disposable {
  readonly path: string;
  #fd: number | undefined;
  #held = "";
  #failure: unknown;

  /** Makes the file and its folder, or goes on at its end. @throws Fault `mcp/record-failed` */
  constructor(path: string) {
    this.path = path;
    this.#fd = this.#attempt(() => {
      mkdirSync(dirname(path), { recursive: true });
      return openSync(path, "a", 0o600);
    });
  }

  get isOpen(): boolean {
    return this.#fd !== undefined;
  }

  /** Writes one line; `line` holds no line end. @throws Fault `mcp/record-failed` */
  append(line: string): void {
    this.#held += `${line}\n`;
    this.flush();
  }

  /**
   * As `append`, but the line may wait for the next one of this turn of the event loop, so that both
   * cost one write. Nothing that follows from it may leave before `append` or `flush`, which also
   * fail for it.
   */
  hold(line: string): void {
    if (this.#held === "") queueMicrotask(() => this.#flushLate());
    this.#held += `${line}\n`;
  }

  /** Writes what was held. @throws Fault `mcp/record-failed` */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#held === "") return;
    const fd = this.#fd;
    if (fd === undefined) throw mcpFault("record-failed", `${this.path} is closed already`);
    const bytes = Buffer.from(this.#held, "utf8");
    this.#held = "";
    try {
      this.#attempt(() => {
        let written = 0;
        while (written < bytes.length) written += writeSync(fd, bytes, written);
      });
    } catch (error) {
      this.#failure = error; // Half a line may be there: nothing may follow it.
      throw error;
    }
  }

  /** Idempotent. @throws Fault `mcp/record-failed` if the bytes did not reach the disk. */
  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#attempt(() => {
      try {
        this.flush();
        fsyncSync(fd);
      } finally {
        this.#fd = undefined;
        closeSync(fd);
      }
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Nobody is there to hear of a failure now: the next line does. */
  #flushLate(): void {
    try {
      if (this.#fd !== undefined) this.flush();
    } catch {
      // It is kept.
    }
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof Fault) throw error;
      const message = `cannot write ${this.path}: ${messageOf(error)}`;
      throw mcpFault("record-failed", message, { cause: error, detail: { path: this.path } });
    }
  }
}
