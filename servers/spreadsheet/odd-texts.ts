import type { Book } from "./book.ts";
import type { Result } from "./calculation.ts";
import type { EngineFormula } from "./engine-formula.ts";
import { tokens } from "./formula.ts";
import { cellName, placesIn } from "./refs.ts";
import { PREFIXES } from "./stored-formula.ts";
import { typedNumber } from "./typed-numbers.ts";

const FEW_CELLS = 64;
/** Times, months by name, amounts in brackets, fractions, days without a year. */
const ODD = /[:(]|[a-z]{3}|^\d+ \d+\/|^\d{1,2}[-/]\d{1,4}$/i;

/**
 * Why "#VALUE!" may be the engine's own: the formula says a text, or reads a cell with one, which others
 * take for a number and the engine does not.
 */
export function oddText(
  book: Book,
  { text: formula, reads }: Pick<EngineFormula, "text" | "reads">,
  results: ReadonlyMap<string, Result>,
): string | undefined {
  const literals =
    formula.length > 2000 ? [] : tokens(formula).filter(({ kind }) => kind === "string");
  const said = literals.map(({ text }) => text.slice(1, -1)).find(isOdd);
  if (said !== undefined) return `it may compute with the text "${said}"`;
  for (const { sheet: name, area } of reads) {
    const cells = (area.bottom - area.top + 1) * (area.right - area.left + 1);
    const sheet = cells > FEW_CELLS ? undefined : book.sheets.find((one) => one.name === name);
    if (sheet === undefined) continue;
    for (const { row, column } of placesIn(area)) {
      const at = `${name}!${cellName(row, column)}`;
      const [computed] = results.get(at)?.values ?? [];
      const cell = sheet.data.cell(row, column);
      const typed = cell === undefined ? undefined : book.valueOf(cell);
      const held = typed?.type === "text" ? String(typed.value) : "";
      const text = computed?.kind === "text" ? computed.text : computed === undefined ? held : "";
      if (isOdd(text)) return `it may compute with the text "${text}" in ${at}`;
    }
  }
  return undefined;
}

function isOdd(text: string): boolean {
  return ODD.test(text) && typedNumber(text) !== undefined;
}

/** That one of a formula's functions cannot be computed with what it is given. */
export function notHere(formula: string): string {
  const words = tokens(formula).filter(({ kind }) => kind === "function");
  const names = [...new Set(words.map(({ text }) => text.replace(PREFIXES, "").toUpperCase()))];
  const said = names.length > 1 ? `one of ${names.join(", ")}` : (names[0] ?? "a text");
  return `it uses ${said}, which cannot be computed here with what it is given`;
}
