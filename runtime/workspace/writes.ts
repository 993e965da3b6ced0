/** Writes under way beside the reading: a file each, a few at a time. */
export class Writes {
  readonly #running = new Set<Promise<void>>();
  #failed: { readonly error: unknown } | undefined;

  /** Waits for a place. @throws what an earlier write failed with */
  async add(write: Promise<unknown>): Promise<void> {
    const ended = write.then(
      () => {},
      (error: unknown) => {
        this.#failed ??= { error };
      },
    );
    const running = ended.then(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
    if (this.#running.size >= MOST_WRITES) await Promise.race(this.#running);
    this.#check();
  }

  /** Waits for all. @throws what the first of them failed with */
  async settle(): Promise<void> {
    await this.ended();
    this.#check();
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #check(): void {
    if (this.#failed) throw this.#failed.error;
  }
}

const MOST_WRITES = 8;
