import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type * as z from "zod";

/** The file beside site.json that a site's rows are in: as the fixture brought it, then as changed. */
const DATA_FILE = "data.json";

/**
 * The rows of one site: in memory to be read, in one JSON file to be kept. A change is whole or
 * not at all, on disk too: the file is written beside itself and renamed, so that a process that
 * is killed leaves the state before or after, never between.
 *
 * Why JSON and not SQLite: what is captured is read as it lies, without a journal to replay; two
 * moments can be compared line by line, a row being a line; equal states are equal bytes.
 *
 * Everything is synchronous. No request sees another's half of a change, and two never sell the
 * last of something twice.
 */
export class SiteStore<Data extends object> {
  readonly #path: string;
  readonly #schema: z.ZodType<Data>;
  #data: Data | undefined;

  constructor(folder: string, schema: z.ZodType<Data>) {
    this.#path = `${folder}/${DATA_FILE}`;
    this.#schema = schema;
  }

  /** What there is now; not to be written to. Throws what is wrong with the file. */
  get data(): Data {
    this.#data ??= this.#load();
    return this.#data;
  }

  /**
   * Whatever `edit` changes is kept when it returns, and forgotten when it throws. An answer with
   * a `problem` says that it changed nothing; then nothing is written.
   */
  change<T>(edit: (data: Data) => T): T {
    try {
      const result = edit(this.data);
      if (typeof result === "object" && result !== null && "problem" in result) return result;
      const draft = `${this.#path}.draft`;
      rmSync(draft, { force: true });
      writeFileSync(draft, rowsAsLines(this.data), { flag: "wx" });
      renameSync(draft, this.#path);
      return result;
    } catch (error) {
      this.#data = undefined; // What is on disk is what counts.
      throw error;
    }
  }

  #load(): Data {
    let text = "{}";
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    return this.#schema.parse(JSON.parse(text));
  }
}

/** JSON with one row of each table on a line of its own. */
function rowsAsLines(data: object): string {
  const tables = Object.entries(data).map(([name, rows]) => {
    const key = JSON.stringify(name);
    if (!Array.isArray(rows) || rows.length === 0) return `${key}: ${JSON.stringify(rows)}`;
    return `${key}: [\n  ${rows.map((row) => JSON.stringify(row)).join(",\n  ")}\n]`;
  });
  return `{\n${tables.join(",\n")}\n}\n`;
}

/** The next number of a kind in this site: ids that are the same in every run. */
export function nextNumber(counters: Record<string, number>, kind: string, first = 1): number {
  const number = (counters[kind] ?? first - 1) + 1;
  counters[kind] = number;
  return number;
}

/** The next id of a kind, such as SO-1001, past those that the fixture brought. */
export function nextId(
  counters: Record<string, number>,
  kind: string,
  {
    prefix,
    first = 1,
    taken,
  }: {
    readonly prefix: string;
    readonly first?: number;
    readonly taken: readonly { readonly id: string }[];
  },
): string {
  let last = counters[kind] ?? first - 1;
  for (const { id } of taken) {
    const number = id.startsWith(prefix) ? Number(id.slice(prefix.length)) : 0;
    if (Number.isSafeInteger(number)) last = Math.max(last, number);
  }
  counters[kind] = last;
  return `${prefix}${nextNumber(counters, kind, first)}`;
}
