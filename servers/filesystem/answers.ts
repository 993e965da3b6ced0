import * as z from "zod";
import type { Answer } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";

/** What all but one of the tools answer: their text, once more for programs. */
export const CONTENT = z.object({ content: z.string() });

export const PATH = z.string();

/** An answer holds its text twice, and the host passes on no line of more than 9 MiB. */
const ANSWER_BYTES = 4 * 2 ** 20;

export function content(text: string): Answer & { readonly data: { readonly content: string } } {
  const bytes = Buffer.byteLength(JSON.stringify(text));
  if (bytes <= ANSWER_BYTES) return { text, data: { content: text } };
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw new ToolError(
    `The answer would have ${size}; at most ${ANSWER_BYTES / 2 ** 20} MiB are given at once. ` +
      "Ask for less: head or tail of a file, a folder further down, or a program in the terminal.",
  );
}

/** Bytes for a reader, in the units of the reference server. */
export function formatSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return step === 0
    ? `${Math.max(0, bytes)} B`
    : `${(bytes / 1024 ** step).toFixed(2)} ${units[step]}`;
}
