import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import { secret } from "../base/id.ts";
import { type Caller, RIGHTS, type Right } from "../service/service.ts";
import { apiFault } from "./faults.ts";

/** A key as it is stored: never itself, only its hash. */
export interface StoredKey {
  readonly id: string;
  readonly sha256: string;
  /** Requests per second, on average; none: as many as come. */
  readonly rate?: number | undefined;
  /** Requests at once before the rate counts; default ten times the rate, at least 10. */
  readonly burst?: number | undefined;
  /** Rollouts open at once; none: as many as there is room for. */
  readonly open?: number | undefined;
  /** What it is allowed beyond what every key is; none: nothing. */
  readonly may?: readonly Right[] | undefined;
}

const LOCAL: Caller = { key: "local" };

const storedKey: z.ZodType<StoredKey> = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be letters, digits, . _ -"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in lower-case hexadecimal"),
  rate: z.number().positive().max(1e6).optional(),
  burst: z.int().positive().max(1e6).optional(),
  open: z.int().positive().max(1e6).optional(),
  may: z.array(z.enum(RIGHTS, `must be of ${RIGHTS.join(", ")}`)).optional(),
});

/** A new key, and the line of the key file that knows it. The key itself is stored nowhere. */
export function newKey(id: string): { readonly key: string; readonly line: string } {
  const key = `cloche-${secret()}`;
  return { key, line: `${id} ${sha256(key)}` };
}

/**
 * Reads the keys of a file: JSON, `[{"id", "sha256", "rate"?, "burst"?, "open"?, "may"?}]`, or one a
 * line, `<id> <sha256> [rate=10] [burst=20] [open=50] [may=grade:foreign]`, where `#` begins a comment.
 * @throws `api/keys-unreadable`, which names the line and never shows a hash
 */
export function parseKeys(text: string, from: string): readonly StoredKey[] {
  const isJson = /^\s*\[/.test(text);
  const raw = isJson ? jsonOf(text, from) : linesOf(text);
  const keys = raw.map(({ where, value }) => {
    const parsed = storedKey.safeParse(value);
    if (parsed.success) return parsed.data;
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "is no key" };
    throw apiFault("keys-unreadable", `${from}, ${where}: ${path.join(".")} ${message}`);
  });
  for (const member of ["id", "sha256"] as const) {
    const twice = keys.find((key, at) => keys.findIndex((k) => k[member] === key[member]) < at);
    if (twice) throw apiFault("keys-unreadable", `${from}: the key "${twice.id}" is there twice`);
  }
  return keys;
}

interface Raw {
  readonly where: string;
  readonly value: unknown;
}

function jsonOf(text: string, from: string): Raw[] {
  try {
    const list = JSON.parse(text) as unknown[];
    return list.map((value, at) => ({ where: `key ${at + 1}`, value }));
  } catch (error) {
    throw apiFault("keys-unreadable", `${from} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function linesOf(text: string): Raw[] {
  return text.split(/\r?\n|;/).flatMap((line, at) => {
    const [id, hash, ...options] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (id === undefined || id === "") return [];
    const members = options.map((option) => {
      const [name, value = ""] = option.split("=", 2) as [string, string?];
      return [name, name === "may" ? value.split(",") : Number(value || Number.NaN)];
    });
    const more = Object.fromEntries(members);
    return [{ where: `line ${at + 1}`, value: { id, sha256: hash, ...more } }];
  });
}

interface KnownKey {
  readonly stored: StoredKey;
  readonly bucket: Bucket | undefined;
}

const LOOK_MS = 1_000;

/**
 * Who may call. Keys are kept as hashes and compared in a time that tells nothing; each has a
 * bucket of requests that fills again at its rate.
 */
export class Keys {
  readonly #clock: Clock;
  readonly #changed: () => readonly StoredKey[] | undefined;
  #keys: readonly KnownKey[];
  #lookedMs: number;

  /**
   * Without any key everybody is the caller "local": only fit for a loopback address. `changed` is
   * asked before a request, at most once a second, and gives all keys if they are others now.
   */
  constructor(
    keys: readonly StoredKey[],
    clock: Clock,
    changed: () => readonly StoredKey[] | undefined = () => undefined,
  ) {
    this.#clock = clock;
    this.#changed = changed;
    this.#keys = keys.map((stored) => ({ stored, bucket: bucketOf(stored, clock) }));
    this.#lookedMs = clock.monotonicMs();
  }

  get isOpen(): boolean {
    return this.#keys.length === 0;
  }

  /**
   * The caller that an Authorization header proves.
   * @throws `api/no-key` or `api/rate-limited`
   */
  admit(authorization: string | undefined): Caller {
    this.#look();
    if (this.isOpen) return LOCAL;
    const presented = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1];
    const hash = createHash("sha256")
      .update(presented ?? "")
      .digest();
    // All are compared, so that the time does not say which one it was.
    const found = this.#keys.filter(({ stored }) =>
      timingSafeEqual(hash, Buffer.from(stored.sha256, "hex")),
    )[0];
    if (found === undefined || presented === undefined) {
      const what = presented === undefined ? "no key came with the request" : "the key is unknown";
      const detail = presented === undefined ? {} : { presented: true };
      throw apiFault("no-key", `${what}; send Authorization: Bearer <key>`, { detail });
    }
    const { id, open, may } = found.stored;
    const waitMs = found.bucket?.take() ?? 0;
    if (waitMs > 0) {
      const message = `the key "${id}" has used up its requests for now`;
      throw apiFault("rate-limited", message, { detail: { retryAfterMs: waitMs } });
    }
    return {
      key: id,
      ...(open === undefined ? {} : { maxOpen: open }),
      ...(may === undefined ? {} : { may }),
    };
  }

  /** A key that is the same as before does not get its requests back. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    const known = new Map(this.#keys.map((key) => [JSON.stringify(key.stored), key]));
    const keys = this.#changed();
    if (keys === undefined || keys.length === 0) return;
    this.#keys = keys.map(
      (stored) =>
        known.get(JSON.stringify(stored)) ?? { stored, bucket: bucketOf(stored, this.#clock) },
    );
  }
}

function bucketOf({ rate, burst }: StoredKey, clock: Clock): Bucket | undefined {
  if (rate === undefined) return undefined;
  return new Bucket(rate, burst ?? Math.max(10, Math.ceil(rate * 10)), clock);
}

/** Who has waited as long as it was told is not sent away for the last digit of a sum. */
const ROUNDING = 1e-6;

/** Fills at a rate up to its size; each request takes one. */
class Bucket {
  readonly #rate: number;
  readonly #size: number;
  readonly #clock: Clock;
  #level: number;
  #atMs: number;

  constructor(rate: number, size: number, clock: Clock) {
    this.#rate = rate;
    this.#size = size;
    this.#clock = clock;
    this.#level = size;
    this.#atMs = clock.monotonicMs();
  }

  /** 0 if one could be taken, else milliseconds until there is one. */
  take(): number {
    const now = this.#clock.monotonicMs();
    this.#level = Math.min(this.#size, this.#level + ((now - this.#atMs) / 1000) * this.#rate);
    this.#atMs = now;
    if (this.#level >= 1 - ROUNDING) {
      this.#level = Math.max(0, this.#level - 1);
      return 0;
    }
    return Math.max(1, Math.ceil(((1 - this.#level) / this.#rate) * 1000));
  }
}
