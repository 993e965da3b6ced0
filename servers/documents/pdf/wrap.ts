import type { PDFFont } from "pdf-lib";
import type { Inline, Look } from "../model/blocks.ts";
import type { Fonts } from "./fonts.ts";

export interface Sheet {
  readonly width: number;
  readonly size: number;
}

export interface Part {
  readonly text: string;
  readonly look: Look;
  readonly font: PDFFont;
  readonly size: number;
  readonly width: number;
}

export interface WrappedLine {
  readonly parts: readonly Part[];
  readonly width: number;
}

/** Breaks text into lines of a width, at blanks where it can. */
export class Wrapper {
  readonly #fonts: Fonts;
  readonly #widths = new Map<PDFFont, Map<string, number>>();

  constructor(fonts: Fonts) {
    this.#fonts = fonts;
  }

  lines(inlines: readonly Inline[], width: number, size: number): WrappedLine[] {
    const lines: WrappedLine[] = [];
    let parts: Part[] = [];
    let used = 0;
    const end = () => {
      lines.push({ parts, width: used });
      parts = [];
      used = 0;
    };
    for (const inline of inlines) {
      if (inline.change === "removed") continue;
      for (const [n, row] of inline.text.split("\n").entries()) {
        if (n > 0) end();
        for (const word of this.#writable(row, inline.code === true).match(/\S+\s*|\s+/g) ?? []) {
          const part = this.#part(word, inline, size);
          if (used > 0 && used + this.#bare(part) > width) end();
          for (const piece of part.width > width ? this.#broken(part, width) : [part]) {
            if (used > 0 && used + this.#bare(piece) > width) end();
            parts.push(piece);
            used += piece.width;
          }
        }
      }
    }
    if (parts.length > 0) end();
    return lines;
  }

  #part(text: string, look: Look, size: number): Part {
    const { usual, bold, mono } = this.#fonts;
    const font = look.code ? mono : look.bold ? bold : usual;
    return { text, look, font, size, width: this.#width(text, font) * size };
  }

  /** Without the blanks at its end, which may stand in the margin. */
  #bare({ text, font, size }: Part): number {
    return this.#width(text.trimEnd(), font) * size;
  }

  /** A word that is longer than a line, cut. */
  #broken({ text, look, size }: Part, width: number): Part[] {
    const parts: Part[] = [];
    let open = "";
    for (const letter of text) {
      if (open !== "" && this.#part(open + letter, look, size).width > width) {
        parts.push(this.#part(open, look, size));
        open = "";
      }
      open += letter;
    }
    return open === "" ? parts : [...parts, this.#part(open, look, size)];
  }

  /** Of a text at size 1; letters one by one, so that a text of many megabytes is not shaped. */
  #width(text: string, font: PDFFont): number {
    const known = this.#widths.get(font) ?? new Map<string, number>();
    this.#widths.set(font, known);
    let sum = 0;
    for (const letter of text) {
      let width = known.get(letter);
      if (width === undefined) {
        width = font.widthOfTextAtSize(letter, 1);
        known.set(letter, width);
      }
      sum += width;
    }
    return sum;
  }

  #writable(text: string, code: boolean): string {
    const letters = [...text.replaceAll("\t", code ? "    " : "   ").replaceAll("\r", "")];
    return letters
      .map((letter) => {
        if (this.#fonts.has(letter)) return letter;
        this.#fonts.missing.add(letter);
        return "?";
      })
      .join("");
  }
}
