import { ToolError } from "../kit/tool-error.ts";
import type { Book } from "./book.ts";
import { type Area, columnName, columnNumber } from "./refs.ts";
import type { Sheet } from "./sheet.ts";

/** The columns of an area with a header row: by header, capitals aside, or by letter. */
export class Columns {
  readonly #headers: ReadonlyMap<string, number>;
  readonly #area: Area;
  readonly names: readonly string[];

  constructor(book: Book, sheet: Sheet, area: Area, hasHeader: boolean) {
    this.#area = area;
    const headers = new Map<string, number>();
    const names: string[] = [];
    for (let column = area.left; column <= area.right; column++) {
      const value = hasHeader ? book.valueOf(sheet.data.cell(area.top, column)).value : null;
      const name = value === null ? "" : String(value).trim();
      names.push(name === "" ? columnName(column) : name);
      const key = name.toLowerCase();
      if (name !== "" && !headers.has(key)) headers.set(key, column);
    }
    this.#headers = headers;
    this.names = names;
  }

  /** @throws ToolError that lists the columns there are. */
  find(asked: string): number {
    const byHeader = this.#headers.get(asked.trim().toLowerCase());
    if (byHeader !== undefined) return byHeader;
    const column = columnNumber(asked.trim());
    if (column >= this.#area.left && column <= this.#area.right) return column;
    throw new ToolError(
      `There is no column "${asked}". Columns: ${this.names.slice(0, 60).join(", ")} ` +
        `(letters ${columnName(this.#area.left)} to ${columnName(this.#area.right)} work, too).`,
    );
  }
}
