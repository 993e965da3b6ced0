/** A stretch of text of one look. Line breaks are "\n". */
export interface Inline {
  readonly text: string;
  readonly bold?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly code?: boolean;
  readonly link?: string;
  /** A tracked change: the text was added, or taken out. */
  readonly change?: "added" | "removed";
  /** What stands for something that is no text: an image, the mark of a note. */
  readonly placeholder?: boolean;
}

export type Look = Omit<Inline, "text" | "placeholder" | "change">;

/** One cell of a table; cells that a wider or taller one covers are there, and say so. */
export interface Cell {
  readonly blocks: readonly Block[];
  /** Covered by the cell at its left, or above it. */
  readonly covered?: "left" | "above";
}

/** What all formats are read into and written from. Lists are flat: items with a level. */
export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly inlines: readonly Inline[] }
  | {
      readonly kind: "paragraph";
      readonly inlines: readonly Inline[];
      readonly indent?: number;
      /** A style of Word other than the usual one. */
      readonly style?: string;
      /** Blanks and line breaks count, as in plain text. */
      readonly verbatim?: boolean;
    }
  | {
      readonly kind: "item";
      readonly level: number;
      /** "•", "3.", "b)". */
      readonly label: string;
      readonly ordered: boolean;
      readonly inlines: readonly Inline[];
      readonly style?: string;
    }
  | { readonly kind: "quote"; readonly inlines: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | {
      readonly kind: "table";
      readonly rows: readonly (readonly Cell[])[];
      /** Whether the first row is a header. */
      readonly header: boolean;
    }
  | { readonly kind: "rule" }
  | { readonly kind: "page-break"; readonly page?: number };

/** A document of any kind, read. */
export interface Reading {
  readonly blocks: readonly Block[];
  readonly title?: string;
  /** What the reading could not show. */
  readonly notes: readonly string[];
}

export function plain(inlines: readonly Inline[]): string {
  return inlines.map(({ text }) => text).join("");
}

/** What the text says once tracked changes are accepted. */
export function current(inlines: readonly Inline[]): string {
  return plain(inlines.filter(({ change }) => change !== "removed"));
}

export function cellText(cell: Cell): string {
  return cell.blocks.map(blockText).filter(Boolean).join("\n");
}

/** The words of a block without marks; rows of a table are lines, cells parted by tabs. */
export function blockText(block: Block): string {
  switch (block.kind) {
    case "code":
      return block.text;
    case "table":
      return block.rows.map((row) => row.map(cellText).join("\t")).join("\n");
    case "rule":
    case "page-break":
      return "";
    default:
      return current(block.inlines);
  }
}

/** Joins neighbours of one look, and drops what is empty. */
export function joined(inlines: readonly Inline[]): Inline[] {
  const found: Inline[] = [];
  for (const one of inlines) {
    const last = found.at(-1);
    if (one.text === "") continue;
    if (last !== undefined && sameLook(last, one)) {
      found[found.length - 1] = { ...last, text: last.text + one.text };
    } else found.push(one);
  }
  return found;
}

/** A cell of a header, which is bold anyway. */
export function withoutBold(cell: Cell): Cell {
  const blocks = cell.blocks.map((block): Block => {
    if (!("inlines" in block)) return block;
    return { ...block, inlines: joined(block.inlines.map(({ bold: _, ...one }) => one)) };
  });
  return { ...cell, blocks };
}

const LOOKS = [
  ...(["bold", "italic", "underline", "strike", "code", "link", "change", "placeholder"] as const),
];

function sameLook(a: Inline, b: Inline): boolean {
  return LOOKS.every((look) => (a[look] ?? false) === (b[look] ?? false));
}
