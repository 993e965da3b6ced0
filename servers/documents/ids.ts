import { createHash } from "node:crypto";
import { ToolError } from "../kit/tool-error.ts";
import { type Block, blockText, current } from "./model/blocks.ts";

/**
 * The id of a block: its place from 1, and a few letters of its content, "12-k3f9". It stays good
 * while the block itself stays as it is, even if others come and go before it.
 */
export function idsOf(blocks: readonly Block[]): string[] {
  return blocks.map((block, n) => `${n + 1}-${mark(block)}`);
}

function mark(block: Block): string {
  const style = "style" in block ? block.style : "";
  const facts = JSON.stringify([block.kind, style ?? "", blockText(block)]);
  const digest = createHash("sha256").update(facts).digest();
  return (digest.readUIntBE(0, 6) % 36 ** 4).toString(36).padStart(4, "0");
}

/**
 * The place of the block that an id names.
 * @throws ToolError for an id of a block that is not there any more, or never was.
 */
export function placeOf(id: string, blocks: readonly Block[]): number {
  const asked = /^\[?(\d+)-([0-9a-z]{4})\]?$/.exec(id.trim());
  if (asked === null) {
    throw new ToolError(
      `"${id}" is no block id. Ids look like 12-k3f9; read_document shows one before each block.`,
    );
  }
  const [place, wanted] = [Number(asked[1]) - 1, asked[2]];
  const here = blocks[place];
  if (here !== undefined && mark(here) === wanted) return place;
  const marks = blocks.map(mark);
  const first = marks.indexOf(wanted ?? "");
  if (first >= 0 && marks.lastIndexOf(wanted ?? "") === first) return first;
  const now =
    here === undefined
      ? `The document has ${blocks.length} blocks`
      : `Now ${place + 1}-${mark(here)} stands there: "${opening(here)}"`;
  throw new ToolError(
    `Block ${id} is not in the document: it was changed or removed since it was read. ${now}. ` +
      "Nothing was changed. Call read_document again and use the ids that it shows.",
  );
}

/** The first words of a block, in one line. */
export function opening(block: Block, most = 60): string {
  const text = ("inlines" in block ? current(block.inlines) : blockText(block)).replace(
    /\s+/g,
    " ",
  );
  const shown = text.trim() === "" ? `(${block.kind})` : text.trim();
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown;
}
