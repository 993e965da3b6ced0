import type { Part, Parts } from "./formula-tree.ts";
import { NotComputable } from "./list-parts.ts";

const FUNCTIONS = (
  "AVERAGE COUNT COUNTA MAX MIN PRODUCT STDEV.S STDEV.P SUM VAR.S VAR.P MEDIAN MODE.SNGL LARGE SMALL " +
  "PERCENTILE.INC QUARTILE.INC PERCENTILE.EXC QUARTILE.EXC"
).split(" ");
/** The last one that SUBTOTAL has, too. */
const LAST_SUBTOTAL = 11;
/** From here on it computes with a list and a number. */
const FIRST_WITH_NUMBER = 14;

/** AGGREGATE as the function that it stands for. @throws NotComputable for options that none is. */
export function withoutAggregate(parts: Parts): Parts {
  return parts.map((part) => {
    if (part.kind === "group") return { ...part, args: part.args.map(withoutAggregate) };
    if (part.kind !== "call") return part;
    const args = part.args.map(withoutAggregate);
    return part.name === "AGGREGATE" ? standsFor(args) : { ...part, args };
  });
}

function standsFor([which = [], options = [], ...cells]: readonly Parts[]): Part {
  const [number, option] = [numberOf(which), numberOf(options)];
  const name = FUNCTIONS[number - 1];
  if (name === undefined || Number.isNaN(option)) throw refused();
  if (option === 4) return call(name, cells);
  if (number <= LAST_SUBTOTAL && (option === 0 || option === 1 || option === 5)) {
    return call("SUBTOTAL", [word(String(option === 0 ? number : number + 100)), ...cells]);
  }
  if (option !== 6 || name === "COUNTA") throw refused();
  const [numbers, ...rest] =
    number >= FIRST_WITH_NUMBER ? [cells.slice(0, 1), ...cells.slice(1)] : [cells];
  const good = (numbers ?? []).map((list) => [
    call("IF", [
      [call("ISERROR", [list])],
      word('""'),
      [call("IF", [[call("ISBLANK", [list])], word('""'), list])],
    ]),
  ]);
  // SUMPRODUCT of one value is that value, and has lists computed in every program.
  return call("SUMPRODUCT", [[call(name, [...good, ...rest])]]);
}

function refused(): NotComputable {
  return new NotComputable("it uses AGGREGATE with options that cannot be computed here");
}

function numberOf(parts: Parts): number {
  const [only] = parts;
  return parts.length === 1 && only?.kind === "token" ? Number(only.token.text) : Number.NaN;
}

function call(name: string, args: readonly Parts[]): Part {
  return { kind: "call", name, args };
}

function word(text: string): Parts {
  return [{ kind: "token", token: { kind: text.startsWith('"') ? "string" : "other", text } }];
}
