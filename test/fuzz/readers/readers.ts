import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** Each reader of the graders' library that meets what an agent made: `cases.py` has how. */
export const READERS =
  "text csv html word workbook pdf mail calendar memory people search web steps".split(" ");

export interface ReaderFigures {
  readonly cases: number;
  readonly accepted: number;
  /** Ended by the library's own Failed. */
  readonly refused: number;
  readonly failures: readonly { readonly case: number; readonly error: string }[];
  readonly seconds: number;
  readonly slowestMs: number;
  readonly peakMiB: number;
}

export interface ReaderRun {
  readonly cases: number;
  readonly seed: number;
  /** After so long no further case is begun. Default: without end. */
  readonly seconds?: number;
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Fuzzes a reader in a process of its own, on the sources. Rejects if that breaks. */
export async function fuzzReader(
  reader: string,
  { cases, seed, seconds }: ReaderRun,
): Promise<ReaderFigures> {
  const bounds = ["--cases", String(cases), "--seed", String(seed)];
  if (seconds !== undefined) bounds.push("--seconds", String(seconds));
  const args = ["-B", path("run.py"), reader, "--node", process.execPath, ...bounds];
  const modules = [path("../.."), path("../../../python/cloche/src")].join(":");
  const env = { ...process.env, PYTHONPATH: modules, TZ: "UTC", LC_ALL: "C.UTF-8" };
  const child = spawn("/usr/bin/python3", args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [said, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0)
    throw new Error(`the reader ${reader} ended with ${code}: ${errors.slice(-2000)}`);
  return JSON.parse(said) as ReaderFigures;
}
