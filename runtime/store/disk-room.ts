import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/fault.ts";
import { storeFault } from "./faults.ts";

/** Less than this is as good as nothing: a record, a step and a drawn-out log take as much. */
const PROBE_BYTES = 1024 * 1024;
const FRESH_MS = 1_000;

/** Whether a data folder still takes what rollouts write. */
export class DiskRoom {
  readonly #folder: string;
  #last: Promise<void> | undefined;
  #freshUntilMs = 0;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes something and waits until it is on the disk, once a second at most. Rejects with `store/no-room`. */
  require(): Promise<void> {
    if (this.#last === undefined || performance.now() >= this.#freshUntilMs) {
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#last = this.#write().finally(() => {
        this.#freshUntilMs = performance.now() + FRESH_MS;
      });
    }
    return this.#last;
  }

  async #write(): Promise<void> {
    this.#count += 1;
    const path = join(this.#folder, `room-${process.pid}-${this.#count}.draft`);
    try {
      try {
        await using file = await open(path, "wx", 0o600);
        await file.writeFile(Buffer.alloc(PROBE_BYTES, 1));
        await file.sync();
      } finally {
        await rm(path, { force: true });
      }
    } catch (error) {
      const why = messageOf(error);
      const what = `the data folder ${this.#folder} takes no megabyte more: ${why}`;
      throw storeFault("no-room", `${what}; free space there`, { cause: error });
    }
  }
}
