/** What one engine was asked for by this process and does not know to be gone. */
export interface Holdings {
  /** Ids of sandboxes that are being made, or were made or taken over and not disposed of yet. */
  readonly held: ReadonlySet<string>;
  /** Ids of sandboxes that ought to be gone, and of which the engine did not say that they are. */
  readonly unconfirmed: ReadonlySet<string>;
}

/** Keeps an engine's holdings. */
export class Custody implements Holdings {
  /** How often: one that is there may be asked for again, in vain. */
  readonly #counts = new Map<string, number>();
  readonly #unconfirmed = new Map<string, string>();

  get held(): ReadonlySet<string> {
    return new Set(this.#counts.keys());
  }

  get unconfirmed(): ReadonlySet<string> {
    return new Set(this.#unconfirmed.keys());
  }

  /** From now on it is held. Gives what says, once, that it is not any more, and whether it is gone. */
  take(owner: string, id: string): (isGone: boolean) => void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    let isHeld = true;
    return (isGone) => {
      if (!isHeld) return;
      isHeld = false;
      const count = (this.#counts.get(id) ?? 0) - 1;
      if (count > 0) this.#counts.set(id, count);
      else this.#counts.delete(id);
      if (!isGone) this.#unconfirmed.set(id, owner);
    };
  }

  /** The engine said that all of an owner's that it has is this. */
  confirm(owner: string, present: ReadonlySet<string>): void {
    for (const [id, whose] of this.#unconfirmed) {
      if (whose === owner && !present.has(id)) this.#unconfirmed.delete(id);
    }
  }

  /** The engine said that it has removed it. */
  confirmGone(id: string): void {
    this.#unconfirmed.delete(id);
  }
}
