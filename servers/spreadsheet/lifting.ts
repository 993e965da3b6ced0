import { lookup } from "./computed-lookup.ts";
import { criteriaCall } from "./criteria.ts";
import { crossing } from "./crossing.ts";
import { argumentsFrom1904, resultFrom1904 } from "./engine-epoch.ts";
import { likeOthers } from "./engine-quirks.ts";
import { type End, type Reference, referenceText, sheetPrefix } from "./formula.ts";
import {
  larger,
  type Part,
  type Parts,
  referenceShape,
  type Shape,
  SINGLE,
} from "./formula-tree.ts";
import { COMPUTES_LISTS, GIVES_CELLS, GIVES_LIST, takesList } from "./function-arguments.ts";
import type { At, LiftTools } from "./lift-tools.ts";
import { chosen, placeCall, plainArguments } from "./list-calls.ts";
import {
  elementOf,
  isPlain,
  isText,
  listCells,
  listText,
  MOST_CELLS,
  NotComputable,
  onlyReference,
  readsCells,
} from "./list-parts.ts";
import { operandsText } from "./operands.ts";
import { areaName } from "./refs.ts";
import { areaOfReference, cutArea, type Extent, searchesSorted } from "./sorted-lists.ts";
import type { Place } from "./stored-formula.ts";
import { textJoin } from "./text-join.ts";
import { asText, isTextArgument, joins, pieces } from "./text-operands.ts";

const MOST_PARTS = 200_000;

export interface LiftingOptions {
  readonly legacy: boolean;
  readonly extent: Extent;
  readonly from1904: boolean;
  readonly book: Pick<LiftTools, "bottom"> & {
    readonly constant: (sheet: string, cell: Reference) => string | undefined;
    readonly hasBreaks: (sheet: string, range: Reference) => boolean;
  };
  readonly list: LiftTools["list"];
  /** Puts a formula into a cell from where it may fill others; the answer means them all. */
  readonly spill: (text: string) => string;
}

/** The lifting of one formula. */
export class Lifting {
  readonly #place: Place;
  readonly #options: LiftingOptions;
  asArray = false;
  #native = 0;
  #inside = false;
  #rendered = 0;
  readonly #tools: LiftTools;

  constructor(place: Place, options: LiftingOptions) {
    this.#place = place;
    this.#options = options;
    const { list, book } = options;
    this.#tools = {
      render: (parts, at) => this.#render(parts, at),
      qualified: (render) => this.#qualified(render),
      shape: (parts) => this.#shape(parts),
      list,
      bottom: book.bottom,
      constant: (cell) => book.constant(cell.sheet ?? place.sheet, cell),
      hasBreaks: (range) => book.hasBreaks(range.sheet ?? place.sheet, range),
    };
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
      const range = only.kind === "call" ? chosen(only) : undefined;
      if (range !== undefined) return this.#argument(range, name);
      if (only.kind === "call" && GIVES_CELLS.has(only.name)) {
        if (this.#shape(parts) === SINGLE) return this.#render(parts);
      }
      if (only.kind === "token") return this.#render(parts);
      if (only.kind === "list") return this.#options.list(listCells(only.rows));
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
    if (isPlain(parts) && !joins(parts)) return this.#render(parts);
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
    if (!joins(parts)) return this.#operands(parts, at);
    return pieces(parts).reduce((text, piece) => {
      const own = this.#operands(piece.parts, at);
      const single = at !== undefined || this.#shape(piece.parts) === SINGLE;
      return `${text}${piece.sign}${piece.joined && single ? asText(piece.parts, own) : own}`;
    }, "");
  }

  #operands(parts: Parts, at: At | undefined): string {
    this.#rendered += parts.length;
    if (this.#rendered > MOST_PARTS)
      throw new NotComputable("it is too long when it is written out");
    return operandsText(parts, {
      part: (part) => this.#part(part, at),
      isSingle: (part) => at !== undefined || this.#shape([part]) === SINGLE,
      typed: (part) => this.#typed(part),
      from1904: this.#options.from1904,
    });
  }

  #typed(part: Part): string | undefined {
    const cell = part.kind === "token" && part.token.kind === "reference" ? part.token : undefined;
    return cell?.last === undefined && cell !== undefined ? this.#tools.constant(cell) : undefined;
  }

  #part(part: Part, at: At | undefined): string {
    switch (part.kind) {
      case "list":
        return at === undefined || at === "here" ? listText(part.rows) : elementOf(part.rows, at);
      case "group":
        if (part.args.length > 1) throw new NotComputable("it uses several ranges as one");
        return `(${part.args.map((arg) => this.#render(arg, at)).join(",")})`;
      case "call":
        return this.#call(part, at);
      default:
        if (part.token.kind !== "reference") return part.token.text;
        return this.#reference(part.token, at);
    }
  }

  #call({ name, args: given }: Extract<Part, { kind: "call" }>, at: At | undefined): string {
    const place = placeCall(name, given, at, this.#place);
    if (place !== undefined) return place;
    const criteria = criteriaCall(name, plainArguments(name, given), at, this.#tools);
    if (criteria !== undefined && "text" in criteria) return criteria.text;
    const args = criteria?.args ?? plainArguments(name, given);
    const native = COMPUTES_LISTS.has(name) ? 1 : 0;
    this.#native += native;
    const joined =
      name === "TEXTJOIN"
        ? textJoin(args, at, this.#tools, (parts) => this.#isSingle(parts))
        : undefined;
    if (joined !== undefined) return joined;
    if (name === "LOOKUP" && this.#isList(args[1] ?? [])) {
      const found = lookup(args, at, this.#tools, (parts) => this.#argument(parts, "LOOKUP"));
      this.#native -= native;
      return found;
    }
    if ((name === "MAX" || name === "MIN") && args.some(isText)) {
      throw new NotComputable(`it gives ${name} a text; give it a number`);
    }
    const sorted = searchesSorted(name, args);
    const texts = args.map((arg, k) => {
      if (takesList(name, k)) {
        return sorted ? this.#cut(arg, name, args) : this.#argument(arg, name);
      }
      const text = this.#render(arg, at);
      return isTextArgument(name, k) ? asText(arg, text) : text;
    });
    this.#native -= native;
    if (!this.#options.from1904) return likeOthers(name, texts);
    return resultFrom1904(name, likeOthers(name, argumentsFrom1904(name, texts)));
  }

  /** Whether a computed list stands for one value of it; else it makes the formula one of lists. */
  #isSingle(parts: Parts): boolean {
    const [only] = parts;
    if (parts.length === 1 && only?.kind === "token") return false;
    if (this.#native > 0 || !readsCells(parts) || this.#shape(parts) === SINGLE) return false;
    if (this.#options.legacy) return true;
    this.asArray = true;
    return false;
  }

  #reference(reference: Reference, at: At | undefined): string {
    const { first, last } = reference;
    const prefix = reference.prefix || (this.#inside ? sheetPrefix(this.#place.sheet) : "");
    if (at === undefined || last === undefined) return referenceText(prefix, first, last);
    if (at === "here") return crossing(reference, prefix, this.#place);
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
