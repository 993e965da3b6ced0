import type { Reference } from "./formula.ts";
import { type Part, type Parts, referenceShape } from "./formula-tree.ts";
import type { At, LiftTools } from "./lift-tools.ts";
import { refuseTilde } from "./list-calls.ts";
import { MOST_CELLS, NotComputable } from "./list-parts.ts";

/** Where a function has its first range of criteria; the criterion follows, and more such pairs. */
const FIRST_PAIR: Readonly<Record<string, number>> = {
  COUNTIF: 0,
  SUMIF: 0,
  AVERAGEIF: 0,
  COUNTIFS: 0,
  SUMIFS: 1,
  AVERAGEIFS: 1,
  MAXIFS: 1,
  MINIFS: 1,
};

/**
 * The arguments of a function with criteria as the engine answers them rightly: one cell is a
 * range, and "<>x" is what "=x" is not, for empty cells too. So a range with such a criterion
 * becomes a list of ones and zeros. Undefined for other functions.
 */
export function criteriaCall(
  name: string,
  given: readonly Parts[],
  at: At | undefined,
  tools: LiftTools,
): { readonly text: string } | { readonly args: readonly Parts[] } | undefined {
  const first = FIRST_PAIR[name];
  if (first === undefined) return undefined;
  const isCriterion = (n: number) => n > first && (n - first) % 2 === 1;
  let args = given.map((arg, n) => (isCriterion(n) ? arg : asRange(arg)));
  args = sameShape(name, args).map((arg, n) => (isCriterion(n) ? criterionOf(arg) : arg));
  args = args.map((arg, n) => {
    return isCriterion(n + 1) ? onOneLine(arg, args[n + 1] ?? [], tools) : arg;
  });
  const pairs: { readonly range: number; readonly equal: Parts }[] = [];
  for (let n = first; n + 1 < args.length; n += 2) {
    if (n > first && !name.endsWith("IFS")) break;
    const equal = equalOf(args[n + 1] ?? [], tools);
    if (equal !== undefined) pairs.push({ range: n, equal });
  }
  if (pairs.length === 0) return { args };
  if (/^COUNTIFS?$/.test(name) && args.length === 2) {
    const [range = [], criterion = []] = [args[0], pairs[0]?.equal];
    const cells = tools.render(range, undefined);
    return {
      text: `(ROWS(${cells})*COLUMNS(${cells})-COUNTIF(${cells},${tools.render(criterion, at)}))`,
    };
  }
  if (first === 0 && args.length === 2) args = [...args, args[0] ?? []];
  args = args.map((arg) => cutColumns(arg, name, tools));
  for (const { range, equal } of pairs) {
    const reference = rangeOf(args[range] ?? []);
    if (reference === undefined) throw new NotComputable(`${name} is given no cells to look at`);
    args = args.with(range, text(mask(reference, equal, at, tools))).with(range + 1, text("1"));
  }
  return { args };
}

/** What SUMIF adds up is as large as the range that it looks at, wherever it is said to end. */
function sameShape(name: string, args: readonly Parts[]): readonly Parts[] {
  const [looked, summed] = [rangeOf(args[0] ?? []), rangeOf(args[2] ?? [])];
  if (!/^(?:SUM|AVERAGE)IF$/.test(name) || looked === undefined || summed === undefined)
    return args;
  const [one, other] = [referenceShape(looked), referenceShape(summed)];
  if (one.height === other.height && one.width === other.width) return args;
  const { row, column } = summed.first;
  if (looked.first.row === 0 || looked.first.column === 0 || row === 0 || column === 0)
    throw new NotComputable(`${name} is given ranges of different sizes`);
  const last = { ...summed.first, row: row + one.height - 1, column: column + one.width - 1 };
  return args.with(2, [{ kind: "token", token: { ...summed, last } }]);
}

/** Blanks after the sign of a criterion count for nothing before a number. @throws NotComputable */
function criterionOf(criterion: Parts): Parts {
  refuseTilde(criterion);
  const [only] = criterion;
  if (criterion.length !== 1 || only?.kind !== "token" || only.token.kind !== "string")
    return criterion;
  return [word(only.token.text.replace(/^("[<>=]+) +(?=-?[\d.]+ *"$)/, "$1"))];
}

/** A list of 1 where a cell is not what the criterion says, and 0 where it is. */
function mask(range: Reference, equal: Parts, at: At | undefined, tools: LiftTools): string {
  const { height, width } = referenceShape(range);
  if (height * width > MOST_CELLS) {
    throw new NotComputable(
      "it looks at very many cells that are not something; give it shorter ranges",
    );
  }
  const criterion = tools.qualified(() => tools.render(equal, at));
  const cells = Array.from({ length: height }, (_, down) => {
    return Array.from({ length: width }, (_, right) => {
      const cell = tools.qualified(() =>
        tools.render([{ kind: "token", token: range }], { down, right }),
      );
      const own = cell.slice(cell.lastIndexOf("!") + 1);
      return `=IF(COUNTIF(${cell}:${own},${criterion})>0,0,1)`;
    });
  });
  return tools.list(cells);
}

/** Cells whose texts have line breaks, which the engine's patterns do not pass over. */
function onOneLine(range: Parts, criterion: Parts, tools: LiftTools): Parts {
  const reference = rangeOf(range);
  const [first] = criterion;
  const pattern = first?.kind === "token" && first.token.kind === "string" ? first.token.text : "";
  const matches = /[*?]/.test(pattern) && /[^"*?~<>=]/.test(pattern);
  if (reference === undefined || !matches || !tools.hasBreaks(reference)) return range;
  const { height, width } = referenceShape(reference);
  if (height * width > MOST_CELLS) {
    throw new NotComputable("it looks for a pattern in very many cells; give it shorter ranges");
  }
  const cells = Array.from({ length: height }, (_, down) => {
    return Array.from({ length: width }, (_, right) => {
      const cell = tools.qualified(() => tools.render(range, { down, right }));
      return `=IF(ISTEXT(${cell}),SUBSTITUTE(${cell},CHAR(10)," "),IF(ISBLANK(${cell}),"",${cell}))`;
    });
  });
  return text(tools.list(cells));
}

/** The same criterion with "=" where it says "<>"; undefined if it does not, or means blanks. */
function equalOf(criterion: Parts, tools: LiftTools): Parts | undefined {
  const [first, sign] = criterion;
  if (first?.kind !== "token") return undefined;
  const { token } = first;
  if (token.kind === "reference" && token.last === undefined && criterion.length === 1) {
    const typed = tools.constant(token);
    if (typed === undefined || !typed.startsWith("<>") || typed === "<>") return undefined;
    return [word(`"=${typed.slice(2).replaceAll('"', '""')}"`)];
  }
  if (token.kind !== "string" || !token.text.startsWith('"<>')) return undefined;
  const joined = sign?.kind === "token" && sign.token.text === "&";
  if (criterion.length === 1 ? token.text === '"<>"' : !joined) return undefined;
  return [word(`"=${token.text.slice(3)}`), ...criterion.slice(1)];
}

/** Whole columns up to the last row that is filled in the book; of counts all rows matter. */
function cutColumns(parts: Parts, name: string, tools: LiftTools): Parts {
  const reference = rangeOf(parts);
  if (reference?.last === undefined || reference.first.row !== 0) return parts;
  if (name === "COUNTIFS") {
    throw new NotComputable(
      "it counts in whole columns what is not something; give it shorter ranges",
    );
  }
  const first = { ...reference.first, row: 1, fixedRow: true };
  const last = { ...reference.last, row: tools.bottom, fixedRow: true };
  return [{ kind: "token", token: { ...reference, first, last } }];
}

function asRange(parts: Parts): Parts {
  const reference = rangeOf(parts);
  if (reference === undefined || reference.last !== undefined) return parts;
  return [{ kind: "token", token: { ...reference, last: reference.first } }];
}

function rangeOf(parts: Parts): Reference | undefined {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== "token") return undefined;
  return only.token.kind === "reference" ? only.token : undefined;
}

function text(words: string): Parts {
  return [{ kind: "token", token: { kind: "other", text: words } }];
}

function word(literal: string): Part {
  return { kind: "token", token: { kind: "string", text: literal } };
}
