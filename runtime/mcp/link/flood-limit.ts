/**
 * What a server may say in one rollout without having been asked: notifications, requests, answers
 * to nothing. The rest is dropped, unrecorded but for one frame that says so.
 */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 16 * 2 ** 20;
/** Past the bound this often it is no server any more. */
const FLOODS = 5;

/** What is to be done with a message that nobody asked for. */
export type FloodAction = "take" | "drop" | "first-drop" | "break";

/** Counts what one server says unasked. */
export class FloodLimit {
  #messages = 0;
  #bytes = 0;

  /** One more message of so many bytes. */
  count(bytes: number): FloodAction {
    const before = this.#excess();
    this.#messages += 1;
    this.#bytes += bytes;
    const excess = this.#excess();
    if (excess > FLOODS) return "break";
    if (excess <= 1) return "take";
    return before <= 1 ? "first-drop" : "drop";
  }

  get sentence(): string {
    return `${this.#messages} messages, ${this.#bytes} bytes that nobody asked for`;
  }

  #excess(): number {
    return Math.max(this.#messages / MAX_MESSAGES, this.#bytes / MAX_BYTES);
  }
}
