import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { messageOf } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { apiFault } from "./faults.ts";
import { parseKeys, type StoredKey } from "./keys.ts";

/** A file changed less than this long ago may change again without looking any different. */
const SETTLED_MS = 2_000;

/**
 * The file of keys, read again when it has changed. One that is broken, empty or gone changes
 * nothing: who could call before still can, and nobody else.
 */
export class KeyFile {
  readonly #path: string;
  #keys: readonly StoredKey[];
  /** How the file looked when it was read last; undefined to read it in any case. */
  #look: string | undefined;
  #complaint: string | undefined;

  /** @throws `api/keys-unreadable` or `api/key-required` */
  constructor(path: string) {
    this.#path = path;
    this.#keys = this.#read();
  }

  /** As they were read last. */
  get keys(): readonly StoredKey[] {
    return this.#keys;
  }

  /** The keys, if they are others than before. What is wrong with the file is logged, once. */
  changed(log: Log): readonly StoredKey[] | undefined {
    const file = this.#path;
    try {
      const look = lookOf(statSync(file, { bigint: true }));
      if (look !== undefined && look === this.#look) return undefined;
      const keys = this.#read();
      this.#complaint = undefined;
      if (JSON.stringify(keys) === JSON.stringify(this.#keys)) return undefined;
      this.#keys = keys;
      log.info({ file, keys: keys.map(({ id }) => id) }, "the keys have changed");
      return keys;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#complaint) log.error({ file, problem }, "the old keys stay in force");
      this.#complaint = problem;
      return undefined;
    }
  }

  #read(): readonly StoredKey[] {
    const file = this.#path;
    this.#look = undefined;
    // Looked at before it is read: what changes in between is seen the next time.
    const { look, text } = readable(file, () => ({
      look: lookOf(statSync(file, { bigint: true })),
      text: readFileSync(file, "utf8"),
    }));
    this.#look = look;
    const keys = parseKeys(text, file);
    if (keys.length > 0) return keys;
    const message = `${file} holds no key; make a key with: ./cloche.mjs keys new <id>`;
    throw apiFault("key-required", message);
  }
}

function readable<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = `cannot read ${file}: ${messageOf(error)}`;
    throw apiFault("keys-unreadable", message, { cause: error });
  }
}

function lookOf({ dev, ino, size, mtimeNs, ctimeNs, ctimeMs }: BigIntStats): string | undefined {
  const isSettled = Date.now() - Number(ctimeMs) > SETTLED_MS;
  return isSettled ? [dev, ino, size, mtimeNs, ctimeNs].join(" ") : undefined;
}
