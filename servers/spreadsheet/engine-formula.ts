import type { Book } from "./book.ts";
import { type Reference, type Token, tokens } from "./formula.ts";
import { LIMITS, MAX_COLUMN, MAX_ROW } from "./limits.ts";
import { type Area, areaName } from "./refs.ts";
import { argumentsAt, type Place, PREFIXES, variablesOf } from "./stored-formula.ts";
import { structuredArea, type Table, tableAt, tablesOf } from "./tables.ts";

/** A formula put so that the engine understands it. */
export interface EngineFormula {
  readonly text: string;
  /** What it reads, as far as its text says. */
  readonly reads: readonly { readonly sheet: string; readonly area: Area }[];
  /** It may read anything: INDIRECT, OFFSET. */
  readonly readsAll: boolean;
  /** TODAY, NOW. */
  readonly readsClock: boolean;
  /** It says a name that the book does not have: it comes to #NAME?. */
  readonly unknownName: boolean;
}

/** Why a formula cannot be computed here. */
export interface Refusal {
  readonly reason: string;
  readonly reads: EngineFormula["reads"];
  readonly readsAll: boolean;
}

/** What the engine has not, or could not answer as the workbook's own program would. */
export const UNKNOWN: ReadonlySet<string> = new Set(
  (
    "CONVERT BAHTTEXT DBCS GETPIVOTDATA RTD GROUPBY PIVOTBY SHEETS FORMULATEXT CELL INFO " +
    "WEBSERVICE FILTERXML CUBEVALUE CUBEMEMBER CUBESET CUBESETCOUNT CUBERANKEDMEMBER " +
    "CUBEKPIMEMBER CUBEMEMBERPROPERTY EUROCONVERT CALL REGISTER.ID IMAGE STOCKHISTORY PY " +
    "ENCODEURL PHONETIC VALUETOTEXT FORECAST.ETS FORECAST.ETS.CONFINT FORECAST.ETS.SEASONALITY " +
    "FORECAST.ETS.STAT"
  ).split(" "),
);
/** What they come to is another thing each time, so that nobody could check it. */
export const RANDOM: ReadonlySet<string> = new Set(["RAND", "RANDBETWEEN", "RANDARRAY"]);
const READS_CLOCK = new Set(["NOW", "TODAY"]);
const READS_ALL = new Set(["INDIRECT", "OFFSET"]);
const DAY_TEXT = /^"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}/;
const LAMBDA = /^=?\s*(?:_xlfn\.)?LAMBDA\(/i;
const DEPTH = 12;

/** Puts formulas of a book into the engine's words: no prefixes, no tables, no defined names. */
export class Translator {
  readonly #tables: readonly Table[];
  readonly #names = new Map<string, string>();
  readonly #sheets: ReadonlyMap<string, string>;
  readonly #from1904: boolean;

  constructor(book: Book) {
    this.#tables = tablesOf(book);
    const { entries } = book;
    this.#sheets = new Map(entries.map(({ name }) => [name.toLowerCase(), name]));
    this.#from1904 = book.from1904;
    for (const element of book.root.child("definedNames")?.all("definedName") ?? []) {
      const scope = element.get("localSheetId");
      const sheet = scope === undefined ? "" : (entries[Number(scope)]?.name ?? "");
      const name = element.get("name") ?? "";
      this.#names.set(`${sheet}\n${name}`.toLowerCase(), element.text);
    }
  }

  get tables(): readonly Table[] {
    return this.#tables;
  }

  translate(stored: string, place: Place): EngineFormula | Refusal {
    const reads: { sheet: string; area: Area }[] = [];
    let [readsAll, readsClock, unknownName] = [false, false, false];
    const inWords = (formula: string, depth: number): string => {
      const parts = tokens(formula);
      const variables = variablesOf(parts);
      const words = parts.map((token, n) => {
        if (READS_ALL.has(bare(token))) readsAll = true;
        if (READS_CLOCK.has(bare(token))) readsClock = true;
        if (token.kind === "name" && variables.has(bare(token).toLowerCase())) {
          return token.text.replace(PREFIXES, "");
        }
        if (depth > DEPTH) throw new Refused("its names lead in a circle");
        const word = this.#word(parts, n, place, reads, (inner) => inWords(inner, depth + 1));
        const says = token.kind === "error" && word.toUpperCase() === "#NAME?";
        if (says || (token.kind === "name" && isUnknown(token.text, word))) unknownName = true;
        return word;
      });
      const text = words.join("");
      if (text.length > 8 * LIMITS.formulaText) throw new Refused("it is too long");
      return text;
    };
    try {
      if (stored.length > LIMITS.formulaText) throw new Refused("it is too long");
      const text = inWords(stored, 0);
      const cells = reads.reduce((sum, { area }) => sum + cellsIn(area), 0);
      if (cells > LIMITS.readCells)
        throw new Refused(`it reads more than ${LIMITS.readCells} cells`);
      return { text, reads, readsAll, readsClock, unknownName };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { reason: error.message, ...this.readsOf(stored, place) };
    }
  }

  /** What a formula reads, as far as that can be told without understanding it. */
  readsOf(stored: string, place: Place): Pick<Refusal, "reads" | "readsAll"> {
    const parts = tokens(stored);
    const reads = parts.flatMap((token) => {
      if (token.kind !== "reference" || token.sheet?.includes("[")) return [];
      const named = token.sheet?.split(":") ?? [place.sheet];
      return named.map((sheet) => {
        return { sheet: this.#sheets.get(sheet.toLowerCase()) ?? sheet, area: areaOf(token) };
      });
    });
    const named = ({ kind, text }: Token) => kind === "name" && !/^(?:true|false)$/i.test(text);
    const all = (token: Token) => {
      const several = token.kind === "reference" && token.sheet?.includes(":");
      return several || named(token) || token.kind === "table" || READS_ALL.has(bare(token));
    };
    return { reads, readsAll: parts.some(all) };
  }

  #word(
    parts: readonly Token[],
    n: number,
    place: Place,
    reads: { sheet: string; area: Area }[],
    inner: (formula: string) => string,
  ): string {
    const token = parts[n];
    if (token === undefined) return "";
    switch (token.kind) {
      case "reference":
        reads.push({ sheet: this.#sheetOf(token, place), area: areaOf(token) });
        return bare(parts[n - 2]) === "ANCHORARRAY" ? `${token.text}#` : token.text;
      case "function":
        return this.#function(parts, n, place, inner);
      case "name":
        return this.#name(token.text, place, inner);
      case "string":
        if (
          this.#from1904 &&
          DAY_TEXT.test(token.text) &&
          !/^[(,]$/.test(parts[n - 1]?.text ?? "")
        ) {
          throw new Refused(
            "it computes with the text of a day in a workbook that counts from 1904",
          );
        }
        return token.text;
      case "error":
        return token.text.slice(token.text.indexOf("#"));
      case "table":
        return this.#table(token.text, place, reads);
      case "other":
        return operator(parts, n, token.text);
    }
  }

  #sheetOf({ sheet, prefix }: Reference, place: Place): string {
    if (sheet === undefined) return place.sheet;
    if (sheet.includes("[")) throw new Refused(`it reads another workbook (${prefix})`);
    const known = this.#sheets.get(sheet.toLowerCase());
    if (known === undefined && sheet.includes(":")) {
      throw new Refused(`it reads several sheets at once (${prefix})`);
    }
    return known ?? sheet;
  }

  #function(
    parts: readonly Token[],
    n: number,
    place: Place,
    inner: (formula: string) => string,
  ): string {
    const token = parts[n];
    const name = token === undefined ? "" : bare(token);
    if (name === "HYPERLINK") return "CHOOSE";
    if (name === "ANCHORARRAY") return "";
    if (name === "SINGLE") throw new Refused("it uses the @ operator");
    if (UNKNOWN.has(name)) throw new Refused(`it uses ${name}, which cannot be computed here`);
    if (RANDOM.has(name))
      throw new Refused(`it uses ${name}, which comes to another value each time`);
    const defined = this.#defined(token?.text ?? "", place);
    // A value of a function's name is no function: RATE(…) beside a cell that is called Rate.
    return defined !== undefined && LAMBDA.test(defined) ? `(${inner(defined)})` : name;
  }

  #defined(name: string, { sheet }: Place): string | undefined {
    const key = name.toLowerCase();
    return this.#names.get(`${sheet.toLowerCase()}\n${key}`) ?? this.#names.get(`\n${key}`);
  }

  #name(text: string, place: Place, inner: (formula: string) => string): string {
    const bang = text.lastIndexOf("!");
    if (bang >= 0) {
      const prefix = text.slice(0, bang);
      if (prefix.includes("[")) throw new Refused(`it reads another workbook (${prefix})`);
    }
    const sheet = bang < 0 ? place.sheet : text.slice(0, bang).replace(/^'|'$/g, "");
    const defined = this.#defined(text.slice(bang + 1), { ...place, sheet });
    if (defined === undefined) {
      const table = this.#tables.find(({ name }) => name.toLowerCase() === text.toLowerCase());
      return table === undefined ? text : this.#table(`${text}[]`, place, []);
    }
    const words = inner(defined);
    return /^[^(),+*/&<>=^-]+$/.test(words) ? words : `(${words})`;
  }

  #table(text: string, place: Place, reads: { sheet: string; area: Area }[]): string {
    const start = text.indexOf("[");
    const name = text.slice(0, start).toLowerCase();
    const table =
      name === ""
        ? tableAt(this.#tables, place.sheet, place.row, place.column)
        : this.#tables.find((one) => one.name.toLowerCase() === name);
    if (table === undefined) {
      const why = /^\[\d+\]/.test(text) ? "another workbook" : `a table that is not here (${text})`;
      throw new Refused(`it reads ${why}`);
    }
    const area = structuredArea(table, text.slice(start), place.row);
    if (typeof area === "string") throw new Refused(area);
    reads.push({ sheet: table.sheet, area });
    return `'${table.sheet.replaceAll("'", "''")}'!${areaName(area)}`;
  }
}

class Refused extends Error {}

function operator(parts: readonly Token[], n: number, text: string): string {
  if (text === "@") throw new Refused("it uses the @ operator");
  if (text === ":") throw new Refused("it makes a range of what it computes");
  // A link shows its last argument: the name, or the address if there is none.
  const link = text === "(" && bare(parts[n - 1]) === "HYPERLINK";
  return link ? `(${argumentsAt(parts, n).length},` : text;
}

/** A name that was left as it is: neither the book nor a table has it. */
function isUnknown(text: string, word: string): boolean {
  return word === text && !/^(?:true|false)$/i.test(text);
}

function bare(token: Token | undefined): string {
  return token?.text.replace(PREFIXES, "").toUpperCase() ?? "";
}

/** Of whole columns only what is filled is read. */
function cellsIn({ top, left, bottom, right }: Area): number {
  return top === 1 && bottom === MAX_ROW ? 0 : (bottom - top + 1) * (right - left + 1);
}

function areaOf({ first, last = first }: Reference): Area {
  const rows = [first.row || 1, last.row || MAX_ROW];
  const columns = [first.column || 1, last.column || MAX_COLUMN];
  return {
    top: Math.min(...rows),
    bottom: Math.max(...rows),
    left: Math.min(...columns),
    right: Math.max(...columns),
  };
}
