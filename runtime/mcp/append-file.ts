import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../base/fault.ts";
import { mcpFault } from "./faults.ts";

/**
 * A file of lines that only grows. A line is with the kernel when `append` returns, so it survives
 * this process; `close` waits until it also survives the machine.
 */
export class AppendFile implements Disposable {
  readonly path: string;
  #fd: number | undefined;

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
    const fd = this.#fd;
    if (fd === undefined) throw mcpFault("record-failed", `${this.path} is closed already`);
    const bytes = Buffer.from(`${line}\n`, "utf8");
    this.#attempt(() => {
      let written = 0;
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    });
  }

  /** Idempotent. @throws Fault `mcp/record-failed` if the bytes did not reach the disk. */
  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    this.#attempt(() => {
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const message = `cannot write ${this.path}: ${messageOf(error)}`;
      throw mcpFault("record-failed", message, { cause: error, detail: { path: this.path } });
    }
  }
}
