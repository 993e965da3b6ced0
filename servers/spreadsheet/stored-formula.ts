import { type Token, tokens } from "./formula.ts";
import { type Table, tableAt } from "./tables.ts";

/** Functions that are younger than the file format: a file says them with a prefix. */
const YOUNG = new Set(
  (
    "ACOT ACOTH AGGREGATE ANCHORARRAY ARABIC ARRAYTOTEXT BASE BETA.DIST BETA.INV BINOM.DIST " +
    "BINOM.DIST.RANGE BINOM.INV BITAND BITLSHIFT BITOR BITRSHIFT BITXOR BYCOL BYROW CEILING.MATH " +
    "CEILING.PRECISE CHISQ.DIST CHISQ.DIST.RT CHISQ.INV CHISQ.INV.RT CHISQ.TEST CHOOSECOLS " +
    "CHOOSEROWS COMBINA CONCAT CONFIDENCE.NORM CONFIDENCE.T COT COTH COVARIANCE.P COVARIANCE.S CSC " +
    "CSCH DAYS DECIMAL DROP ERF.PRECISE ERFC.PRECISE EXPAND EXPON.DIST F.DIST F.DIST.RT F.INV " +
    "F.INV.RT F.TEST FILTERXML FLOOR.MATH FLOOR.PRECISE FORECAST.ETS FORECAST.LINEAR FORMULATEXT " +
    "GAMMA GAMMA.DIST GAMMA.INV GAMMALN.PRECISE GAUSS HSTACK HYPGEOM.DIST IFNA IFS IMCOSH IMCOT " +
    "IMCSC IMCSCH IMSEC IMSECH IMSINH IMTAN ISFORMULA ISOMITTED ISOWEEKNUM LAMBDA LET LOGNORM.DIST " +
    "LOGNORM.INV MAKEARRAY MAP MAXIFS MINIFS MODE.MULT MODE.SNGL MUNIT NEGBINOM.DIST NORM.DIST " +
    "NORM.INV NORM.S.DIST NORM.S.INV NUMBERVALUE PDURATION PERCENTILE.EXC PERCENTILE.INC " +
    "PERCENTRANK.EXC PERCENTRANK.INC PERMUTATIONA PHI POISSON.DIST QUARTILE.EXC QUARTILE.INC " +
    "RANDARRAY RANK.AVG RANK.EQ REDUCE RRI SCAN SEC SECH SEQUENCE SHEET SHEETS SINGLE SKEW.P SORTBY " +
    "STDEV.P STDEV.S SWITCH T.DIST T.DIST.2T T.DIST.RT T.INV T.INV.2T T.TEST TAKE TEXTAFTER " +
    "TEXTBEFORE TEXTJOIN TEXTSPLIT TOCOL TOROW UNICHAR UNICODE UNIQUE VALUETOTEXT VAR.P VAR.S " +
    "VSTACK WEIBULL.DIST WRAPCOLS WRAPROWS XLOOKUP XMATCH XOR Z.TEST"
  ).split(" "),
);
const WORKSHEET = new Set(["FILTER", "SORT"]);

/** Where a formula stands, and what it may mean by name. */
export interface Place {
  readonly sheet: string;
  readonly row: number;
  readonly column: number;
}

/**
 * A formula as a person types it, without "=", as a file holds it: with prefixes for young
 * functions and variables, and with tables said by name.
 */
export function storedFormula(typed: string, place: Place, tables: readonly Table[]): string {
  const parts = tokens(typed);
  const variables = variablesOf(parts);
  let text = "";
  for (const [n, token] of parts.entries()) {
    const spills = parts[n + 1]?.text === "#" && token.kind === "reference";
    if (spills) text += `_xlfn.ANCHORARRAY(${token.text})`;
    else if (token.text === "#" && parts[n - 1]?.kind === "reference") continue;
    else text += storedToken(token, place, tables, variables);
  }
  return text;
}

function storedToken(
  token: Token,
  place: Place,
  tables: readonly Table[],
  variables: ReadonlySet<string>,
): string {
  const { kind, text } = token;
  if (kind === "name" && variables.has(text.toLowerCase())) return `_xlpm.${text}`;
  if (kind === "function") {
    const bare = text.replace(PREFIXES, "");
    if (variables.has(bare.toLowerCase())) return `_xlpm.${bare}`;
    const name = bare.toUpperCase();
    if (WORKSHEET.has(name)) return `_xlfn._xlws.${name}`;
    return YOUNG.has(name) ? `_xlfn.${name}` : /^_xl/i.test(text) ? text : bare.toUpperCase();
  }
  if (kind === "table") return storedTable(text, place, tables);
  return text;
}

/** "[@Amount]" and "Sales[@Amount]" are "Sales[[#This Row],[Amount]]" in a file. */
function storedTable(
  text: string,
  { sheet, row, column }: Place,
  tables: readonly Table[],
): string {
  const start = text.indexOf("[");
  const name = text.slice(0, start) || tableAt(tables, sheet, row, column)?.name || "";
  const inside = text.slice(start + 1, -1).trim();
  if (!inside.startsWith("@")) return name + text.slice(start);
  const rest = inside.slice(1);
  if (rest === "") return `${name}[#This Row]`;
  return `${name}[[#This Row],${rest.startsWith("[") ? rest : `[${rest}]`}]`;
}

export const PREFIXES = /^(?:_xlfn\.|_xlws\.|_xlpm\.)+/i;

/** The names that LET and LAMBDA give, in small letters. */
export function variablesOf(parts: readonly Token[]): Set<string> {
  const names = new Set<string>();
  for (const [n, token] of parts.entries()) {
    if (token.kind !== "function") continue;
    const name = token.text.replace(PREFIXES, "").toUpperCase();
    if (name !== "LET" && name !== "LAMBDA") continue;
    for (const [k, argument] of argumentsAt(parts, n + 1).entries()) {
      const words = argument.filter(({ text }) => text.trim() !== "");
      const [only] = words;
      const naming = name === "LAMBDA" || k % 2 === 0;
      if (words.length === 1 && only?.kind === "name" && naming) {
        names.add(only.text.replace(PREFIXES, "").toLowerCase());
      }
    }
  }
  return names;
}

/** The arguments of a call whose "(" stands at `open`. */
export function argumentsAt(parts: readonly Token[], open: number): Token[][] {
  const all: Token[][] = [[]];
  let depth = 0;
  for (const token of parts.slice(open)) {
    const { text, kind } = token;
    if (kind === "other") {
      if (text === "(" || text === "{") depth++;
      if (text === ")" || text === "}") depth--;
      if (depth === 0) return all;
      if (text === "(" && depth === 1) continue;
      if (text === "," && depth === 1) {
        all.push([]);
        continue;
      }
    }
    all.at(-1)?.push(token);
  }
  return all;
}
