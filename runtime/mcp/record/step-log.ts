import { exactJson } from "../../base/exact-json.ts";
import { sha256 } from "../../base/hash.ts";
import type { AppendFile } from "./append-file.ts";
import type { Step } from "./step.ts";

/** Before the first line. */
export const FIRST_PREVIOUS = "0".repeat(64);

/** How many steps there are, and the hash of the last one's line. */
export interface ChainEnd {
  readonly count: number;
  readonly hash: string;
}

/** The lines of `steps.jsonl`: each holds the sha256 of the line before it. */
export class StepLog {
  readonly #file: AppendFile;
  #previous: string;
  #count: number;

  /** `past` is where an existing file ends. */
  constructor(file: AppendFile, past: ChainEnd = { count: 0, hash: FIRST_PREVIOUS }) {
    this.#file = file;
    this.#previous = past.hash;
    this.#count = past.count;
  }

  /** How many steps were written. */
  get count(): number {
    return this.#count;
  }

  get isOpen(): boolean {
    return this.#file.isOpen;
  }

  /**
   * Adds a step to the chain and writes it. `resultJson` is `step.result` as JSON, which the
   * caller has anyway. @throws Fault `mcp/record-failed`
   */
  append(step: Omit<Step, "previous">, resultJson: string): Step {
    const previous = this.#previous;
    const { result, ...rest } = step;
    const head = exactJson({ ...rest, previous }).slice(0, -1);
    const line = `${head},"result":${resultJson}}`;
    this.#file.append(line);
    this.#previous = sha256(line);
    this.#count += 1;
    return { ...rest, result, previous };
  }
}
