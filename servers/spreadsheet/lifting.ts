import { likeOthers } from "./engine-quirks.ts";
import { type End, type Reference, referenceText, sheetPrefix } from "./formula.ts";
import {
  isOperator,
  larger,
  type Part,
  type Parts,
  referenceShape,
  type Shape,
  SINGLE,
} from "./formula-tree.ts";
import { COMPUTES_LISTS, GIVES_CELLS, GIVES_LIST, takesList } from "./function-arguments.ts";
import {
  elementOf,
  isPlain,
  listText,
  MOST_CELLS,
  NotComputable,
  readsCells,
  signOf,
} from "./list-parts.ts";
import { areaName } from "./refs.ts";
import { areaOfReference, cutArea, type Extent, searchesSorted } from "./sorted-lists.ts";
import type { Place } from "./stored-formula.ts";

export interface LiftingOptions {
  readonly legacy: boolean;
  readonly extent: Extent;
  /** Puts a list into cells; the answer is where they are. */
  readonly list: (cells: readonly (readonly string[])[]) => string;
  /** Puts a formula into a cell from where it may fill others; the answer means them all. */
  readonly spill: (text: string) => string;
}

/** One value of a list, or the one in the formula's own row or column. */
type At = { readonly down: number; readonly right: number } | "here";

/** The lifting of one formula. */
export class Lifting {
  readonly #place: Place;
  readonly #options: LiftingOptions;
  asArray = false;
  #native = 0;
  #inside = false;

  constructor(place: Place, options: LiftingOptions) {
    this.#place = place;
    this.#options = options;
  }

  root(parts: Parts): string {
    const [only] = parts;
    if (parts.length === 1 && only?.kind === "group" && only.args.length === 1) {
      return this.root(only.args[0] ?? []);
    }
    const call = only?.kind === "call" ? only.name : "";
    if (parts.length === 1 && (GIVES_LIST.has(call) || GIVES_CELLS.has(call))) {
      return this.#render(parts);
    }
    return this.#computed(parts);
  }

  /** An argument that is a list of cells. */
  #argument(parts: Parts, name: string): string {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      if (only.kind === "group" && only.args.length === 1) {
        return this.#argument(only.args[0] ?? [], name);
      }
      if (only.kind === "call" && GIVES_LIST.has(only.name)) {
        return this.#options.spill(`=${this.#qualified(() => this.#render(parts))}`);
      }
      if (only.kind === "call" && GIVES_CELLS.has(only.name)) {
        if (this.#shape(parts) === SINGLE) return this.#render(parts);
      }
      if (only.kind === "token") return this.#render(parts);
      if (only.kind === "list" && !/LOOKUP|XMATCH/.test(name)) return this.#render(parts);
    }
    return this.#computed(parts);
  }

  #computed(parts: Parts): string {
    const shape = this.#shape(parts);
    if (shape.height * shape.width === 1) return this.#render(parts);
    if (this.#native === 0 && readsCells(parts)) {
      if (this.#options.legacy) return this.#render(parts, "here");
      this.asArray = true;
    }
    if (isPlain(parts)) return this.#render(parts);
    if (shape.height * shape.width > MOST_CELLS) {
      throw new NotComputable("it computes with very long lists; give it shorter ranges");
    }
    const cells = Array.from({ length: shape.height }, (_, down) => {
      return Array.from({ length: shape.width }, (_, right) => {
        return `=${this.#qualified(() => this.#render(parts, { down, right }))}`;
      });
    });
    return this.#options.list(cells);
  }

  /** What is put on a sheet of ours has to say where its cells are. */
  #qualified(render: () => string): string {
    const before = this.#inside;
    this.#inside = true;
    const text = render();
    this.#inside = before;
    return text;
  }

  /** How many values an expression has; functions of lists have one. */
  #shape(parts: Parts): Shape {
    let shape: Shape = SINGLE;
    for (const [n, part] of parts.entries()) {
      if (part.kind === "list") {
        shape = larger(shape, { height: part.rows.length, width: part.rows[0]?.length ?? 1 });
      } else if (part.kind === "token") {
        if (part.token.kind !== "reference") continue;
        const next = parts[n + 1];
        if (next?.kind === "token" && next.token.text === "#" && parts.length > 2) {
          throw new NotComputable("it computes with a list whose length is not known beforehand");
        }
        shape = larger(shape, referenceShape(part.token));
      } else if (part.kind === "group") {
        for (const arg of part.args) shape = larger(shape, this.#shape(arg));
      } else {
        if (GIVES_LIST.has(part.name)) {
          throw new NotComputable(
            `it computes with the list that ${part.name} gives; give it cells of its own`,
          );
        }
        for (const [k, arg] of part.args.entries()) {
          if (!takesList(part.name, k)) shape = larger(shape, this.#shape(arg));
        }
      }
    }
    return shape.height * shape.width === 1 ? SINGLE : shape;
  }

  /** The text of an expression; of one value of it, if `at` says which. */
  #render(parts: Parts, at?: At): string {
    let text = "";
    for (let n = 0; n < parts.length; n++) {
      const part = parts[n];
      if (part === undefined) break;
      const sign = signOf(parts, n);
      if (sign === undefined) {
        text += this.#part(part, at);
        continue;
      }
      // The engine makes no number of a truth value by its sign, but by multiplying.
      const [factor, next] = sign;
      const operand = parts[next];
      const single = operand === undefined || isOperator(operand);
      if (single)
        throw new NotComputable("it could not be understood; check its brackets and arguments");
      text += `(${factor}*${this.#part(operand, at)})`;
      n = next;
    }
    return text;
  }

  #part(part: Part, at: At | undefined): string {
    switch (part.kind) {
      case "list":
        return at === undefined || at === "here" ? listText(part.rows) : elementOf(part.rows, at);
      case "group":
        return `(${part.args.map((arg) => this.#render(arg, at)).join(",")})`;
      case "call":
        return this.#call(part, at);
      default:
        if (part.token.kind !== "reference") return part.token.text;
        return this.#reference(part.token, at);
    }
  }

  #call({ name, args }: Extract<Part, { kind: "call" }>, at: At | undefined): string {
    if (args.length === 0 && name === "ROW") return String(this.#place.row);
    if (args.length === 0 && name === "COLUMN") return String(this.#place.column);
    const native = COMPUTES_LISTS.has(name) ? 1 : 0;
    this.#native += native;
    if (name === "LOOKUP" && this.#isList(args[1] ?? [])) return this.#lookup(args, at);
    if ((name === "MAX" || name === "MIN") && args.some(isText)) {
      throw new NotComputable(`it gives ${name} a text; give it a number`);
    }
    const sorted = searchesSorted(name, args);
    const texts = args.map((arg, k) => {
      if (!takesList(name, k)) return this.#render(arg, at);
      return sorted ? this.#cut(arg, name, args) : this.#argument(arg, name);
    });
    this.#native -= native;
    return likeOthers(name, texts);
  }

  #reference(reference: Reference, at: At | undefined): string {
    const { first, last } = reference;
    const prefix = reference.prefix || (this.#inside ? sheetPrefix(this.#place.sheet) : "");
    if (at === undefined || last === undefined) return referenceText(prefix, first, last);
    if (at === "here") return this.#crossing(reference, prefix);
    const { height, width } = referenceShape(reference);
    const row = Math.min(first.row, last.row) + (height === 1 ? 0 : at.down);
    const column = Math.min(first.column, last.column) + (width === 1 ? 0 : at.right);
    const outside = at.down >= height && height > 1;
    if (outside || (at.right >= width && width > 1)) return "NA()";
    const end: End = { row, column, fixedRow: true, fixedColumn: true };
    return referenceText(prefix, end, undefined);
  }

  #isList(parts: Parts): boolean {
    return onlyReference(parts) === undefined && this.#shape(parts) !== SINGLE;
  }

  /**
   * LOOKUP in a list that is computed, LOOKUP(2,1/(A1:A9="x"),B1:B9): the engine stops at errors in
   * it, others pass over them. So it becomes the last place whose value is not more.
   */
  #lookup([wanted = [], list = [], results = list]: readonly Parts[], at: At | undefined): string {
    const { height, width } = this.#shape(list);
    const value = this.#qualified(() => this.#render(wanted, at));
    const cells = Array.from({ length: height }, (_, down) => {
      return Array.from({ length: width }, (_, right) => {
        const one = this.#qualified(() => this.#render(list, { down, right }));
        return `=IFERROR(IF((${one})<=(${value}),${down * width + right + 1},0),0)`;
      });
    });
    const place = `MAX(${this.#options.list(cells)})`;
    this.#native++;
    const from = this.#argument(results, "LOOKUP");
    this.#native--;
    return `IF(${place}=0,NA(),INDEX(${from},${place}))`;
  }

  /** Of a range the cell that lies in the formula's own row or column. */
  #crossing(reference: Reference, prefix: string): string {
    const area = areaOfReference(reference);
    const { row, column } = this.#place;
    const fixed = { fixedRow: true, fixedColumn: true };
    if (area.left === area.right && row >= area.top && row <= area.bottom) {
      return referenceText(prefix, { row, column: area.left, ...fixed }, undefined);
    }
    if (area.top === area.bottom && column >= area.left && column <= area.right) {
      return referenceText(prefix, { row: area.top, column, ...fixed }, undefined);
    }
    return "#VALUE!";
  }

  /** A sorted list without the empty cells after it, and what is looked up in the same length. */
  #cut(arg: Parts, name: string, args: readonly Parts[]): string {
    const list = onlyReference(args[1] ?? []);
    const own = onlyReference(arg);
    if (list === undefined || own === undefined) return this.#argument(arg, name);
    const sheet = list.sheet ?? this.#place.sheet;
    const area = areaOfReference(list);
    const cut = cutArea(name, area, sheet, this.#options.extent);
    if (cut === undefined) {
      throw new NotComputable("it searches a sorted list that has empty cells in it");
    }
    const mine = areaOfReference(own);
    const down = cut.bottom - area.bottom;
    const right = cut.right - area.right;
    const wide = area.top === area.bottom;
    const tall = mine.top === mine.bottom && !wide;
    const bottom = tall ? mine.bottom : mine.bottom + down;
    const far = tall ? mine.right + down : mine.right + right;
    const prefix = own.prefix || (this.#inside ? sheetPrefix(this.#place.sheet) : "");
    return prefix + areaName({ ...mine, bottom, right: far });
  }
}

function isText(parts: Parts): boolean {
  const [only] = parts;
  return parts.length === 1 && only?.kind === "token" && only.token.kind === "string";
}

function onlyReference(parts: Parts): Reference | undefined {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== "token") return undefined;
  return only.token.kind === "reference" && only.token.last !== undefined ? only.token : undefined;
}
