import { type Reference, type Token, tokens } from "./formula.ts";

/** A formula by its brackets: what is between them is a row of parts, operators among them. */
export type Part =
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Parts[] }
  | { readonly kind: "group"; readonly args: readonly Parts[] }
  | { readonly kind: "list"; readonly rows: readonly (readonly string[])[] };
export type Parts = readonly Part[];

/** @throws SyntaxError if its brackets do not match. */
export function treeOf(formula: string): Parts {
  const reader = new Reader(tokens(formula).filter(({ text }) => text.trim() !== ""));
  const parts = reader.parts();
  if (!reader.atEnd) throw new SyntaxError("its brackets do not match");
  return parts;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  parts(): Part[] {
    const found: Part[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      const sign = token?.kind === "other" ? token.text : "";
      if (token === undefined || sign === ")" || sign === "," || sign === "}") return found;
      this.#at++;
      if (sign === "{") found.push(this.#list());
      else if (sign === "(") found.push({ kind: "group", args: this.#args() });
      else if (token.kind === "function" && this.#tokens[this.#at]?.text === "(") {
        this.#at++;
        found.push({ kind: "call", name: token.text.toUpperCase(), args: this.#args() });
      } else found.push({ kind: "token", token });
    }
  }

  #args(): Parts[] {
    const args: Parts[] = [];
    for (;;) {
      args.push(this.parts());
      const sign = this.#tokens[this.#at++]?.text;
      if (sign === ")") break;
      if (sign !== ",") throw new SyntaxError("its brackets do not match");
    }
    const [only] = args;
    return args.length === 1 && only?.length === 0 ? [] : args;
  }

  #list(): Part {
    const rows: string[][] = [[""]];
    for (;;) {
      const token = this.#tokens[this.#at++];
      if (token === undefined) throw new SyntaxError("its brackets do not match");
      if (token.text === "}") return { kind: "list", rows };
      const row = rows.at(-1) ?? [];
      if (token.text === ";") rows.push([""]);
      else if (token.text === ",") row.push("");
      else row[row.length - 1] += token.text;
    }
  }
}

export interface Shape {
  readonly height: number;
  readonly width: number;
}

export const SINGLE: Shape = { height: 1, width: 1 };

export function referenceShape({ first, last }: Reference): Shape {
  if (last === undefined) return SINGLE;
  const rows = first.row === 0 ? 1_048_576 : Math.abs(last.row - first.row) + 1;
  const columns = first.column === 0 ? 16_384 : Math.abs(last.column - first.column) + 1;
  return { height: rows, width: columns };
}

export function larger(a: Shape, b: Shape): Shape {
  return { height: Math.max(a.height, b.height), width: Math.max(a.width, b.width) };
}

export function isOperator(part: Part | undefined): boolean {
  return (
    part?.kind === "token" && part.token.kind === "other" && /^[-+*/^&=<>,]$/.test(part.token.text)
  );
}
