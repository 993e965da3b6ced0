import { ToolError } from "../../kit/tool-error.ts";
import { LIMITS } from "../limits.ts";
import type { Block, Reading } from "./blocks.ts";

/** @throws ToolError for what is no text. A note tells if it had to be guessed how it is encoded. */
export function decodeText(bytes: Buffer): { text: string; notes: string[] } {
  if (bytes.length > LIMITS.textBytes) {
    throw new ToolError(
      `The file has ${(bytes.length / 1024 / 1024).toFixed(1)} MiB of text; these tools take up to ` +
        `${LIMITS.textBytes / 1024 / 1024}. Read it in parts with head, tail or sed in the terminal.`,
    );
  }
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return { text: decoded("utf-16le", bytes), notes: [] };
  if (first === 0xfe && second === 0xff) return { text: decoded("utf-16be", bytes), notes: [] };
  if (bytes.subarray(0, 64 * 1024).includes(0)) {
    throw new ToolError(
      "The file is no document that these tools read, nor text: it holds binary data. " +
        'See what it is with "file" in the terminal.',
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text: text.replaceAll("\r\n", "\n"), notes: [] };
  } catch {
    const notes = ["It is not UTF-8; its letters were read as Windows-1252."];
    return { text: decoded("windows-1252", bytes), notes };
  }
}

function decoded(encoding: string, bytes: Buffer): string {
  return new TextDecoder(encoding).decode(bytes).replaceAll("\r\n", "\n");
}

/** Plain text: what blank lines part is a block. */
export function readText(text: string): Reading {
  const blocks = text
    .split(/\n[\t ]*\n(?:[\t ]*\n)*/)
    .map((part) => part.replace(/^\n+|\s+$/g, ""))
    .filter((part) => part !== "")
    .map((part): Block => ({ kind: "paragraph", inlines: [{ text: part }], verbatim: true }));
  return { blocks, notes: [] };
}
