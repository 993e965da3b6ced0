import type { Reference } from "./formula.ts";
import { isOperator, type Parts } from "./formula-tree.ts";
import { takesList } from "./function-arguments.ts";

/** Cells in one list. */
export const MOST_CELLS = 60_000;

/** A formula that the engine would not answer rightly; the message says why. */
export class NotComputable extends Error {}

/** Whether it is by cells, not only by lists in braces, that there are several values. */
export function readsCells(parts: Parts): boolean {
  return parts.some((part) => {
    if (part.kind === "list") return false;
    if (part.kind === "token") {
      return part.token.kind === "reference" && part.token.last !== undefined;
    }
    return part.args.some((arg, k) => {
      return (part.kind === "group" || !takesList(part.name, k)) && readsCells(arg);
    });
  });
}

/** The engine is right about lists that only operators make. */
export function isPlain(parts: Parts): boolean {
  return parts.every((part) => {
    if (part.kind === "group") return part.args.every(isPlain);
    if (part.kind === "call") return part.args.every((_, k) => takesList(part.name, k));
    return part.kind === "token";
  });
}

/** Signs before an operand: 1 or -1, and where the operand is. */
export function signOf(parts: Parts, from: number): [factor: number, next: number] | undefined {
  const sign = (n: number) => {
    const part = parts[n];
    return part?.kind === "token" && part.token.kind === "other" ? part.token.text : "";
  };
  const before = parts[from - 1];
  if (sign(from) !== "-" || (before !== undefined && !isOperator(before))) return undefined;
  const operand = parts[from + 1];
  // A minus before a number is part of it.
  const number = sign(from + 1);
  if (/^[\d.]/.test(number) && operand !== undefined) return undefined;
  let [factor, n] = [1, from];
  while (sign(n) === "-" || sign(n) === "+") factor *= sign(n++) === "-" ? -1 : 1;
  return [factor, n];
}

export function listText(rows: readonly (readonly string[])[]): string {
  return `{${rows.map((row) => row.join(",")).join(";")}}`;
}

/** The elements of a list in braces, each as a formula of its own. */
export function listCells(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map((element) => `=${element}`));
}

export function elementOf(
  rows: readonly (readonly string[])[],
  { down, right }: { readonly down: number; readonly right: number },
): string {
  const row = rows[rows.length === 1 ? 0 : down];
  return row?.[row.length === 1 ? 0 : right] ?? "NA()";
}

export function isText(parts: Parts): boolean {
  const [only] = parts;
  return parts.length === 1 && only?.kind === "token" && only.token.kind === "string";
}

/** The range that an expression is and nothing else. */
export function onlyReference(parts: Parts): Reference | undefined {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== "token") return undefined;
  return only.token.kind === "reference" && only.token.last !== undefined ? only.token : undefined;
}
