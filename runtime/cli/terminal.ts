import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import type { Fault } from "../base/fault.ts";

/** Where a command writes. Results go to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person watches `err`: only then colour and progress in place. */
  readonly live: boolean;
  readonly paint: Paint;
}

export type Paint = ReturnType<typeof pc.createColors>;

export function openTerminal(env: NodeJS.ProcessEnv): Terminal {
  // Whoever reads may go away (`| head`): then nobody is told any more, and the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const live = process.stderr.isTTY === true && env["TERM"] !== "dumb";
  const colour = live && process.stdout.isTTY === true && !env["NO_COLOR"];
  return {
    out: (text) => void process.stdout.write(withoutMarks(text)),
    err: (text) => void process.stderr.write(withoutMarks(text)),
    live,
    paint: pc.createColors(colour),
  };
}

/**
 * Text that came from a sandbox, made fit for a terminal: control characters, escapes and
 * direction marks are shown as `\x1b` and the like, and it is cut to one line of `max` letters.
 */
export function plain(text: string, max = 160): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (letter) =>
    letter === "\n" ? " ⏎ " : `\\x${(letter.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`,
  );
  return safe.length > max ? `${safe.slice(0, max - 1)}…` : safe;
}

/** As `plain`, but of as many lines as it has. */
export function plainLines(text: string): string {
  const line = (one: string) => plain(one, Number.POSITIVE_INFINITY);
  return text.split(/\r?\n/).map(line).join("\n");
}

/** An error as every command tells it. */
export function errorLine(
  { code, message }: Pick<Fault, "code" | "message">,
  paint: Paint,
): string {
  return `${paint.red("error")} ${code}: ${plainLines(message)}\n`;
}

/**
 * The control characters that JSON may hold as they are, and marks of direction, as escapes: in
 * JSON they mean the same.
 */
function withoutMarks(text: string): string {
  return text.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** "0.42 s" or "12 ms". */
export function duration(ms: number): string {
  return ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** "12.3 MB", with powers of 1,000. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Columns aligned by their widest cell, colours not counted; the last is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, seenLength(cell));
    }
  }
  const padded = (cell: string, at: number) =>
    cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - seenLength(cell)));
  const line = (row: readonly string[]) => row.map(padded).join("  ").trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

function seenLength(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
