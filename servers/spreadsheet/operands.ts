import { numberOfText } from "./engine-numbers.ts";
import { isOperator, type Part, type Parts } from "./formula-tree.ts";
import { NotComputable, signOf } from "./list-parts.ts";
import { givesText } from "./text-operands.ts";
import { typedNumber } from "./typed-numbers.ts";

export interface OperandTools {
  readonly part: (part: Part) => string;
  /** Whether an operand stands for one value. */
  readonly isSingle: (part: Part) => boolean;
  /** The text that is typed in a cell; undefined for anything else. */
  readonly typed: (part: Part) => string | undefined;
  readonly from1904: boolean;
}

/** Operands and the signs between them, in the engine's words. */
export function operandsText(parts: Parts, tools: OperandTools): string {
  const words: string[] = [];
  const operands: Part[] = [];
  for (let n = 0; n < parts.length; n++) {
    const part = parts[n];
    if (part === undefined) break;
    const sign = signOf(parts, n);
    const [factor, at] = sign ?? [1, n];
    const operand = parts[at];
    if (sign !== undefined && (operand === undefined || isOperator(operand)))
      throw new NotComputable("it could not be understood; check its brackets and arguments");
    if (operand === undefined) break;
    if (isReference(parts[n - 1]) && isReference(part))
      throw new NotComputable("it uses what two ranges have in common");
    const computes = sign !== undefined || isCounted(parts[n - 1]) || isCounted(parts[at + 1]);
    const text = computes ? asNumber(operand, tools) : tools.part(operand);
    // The engine makes no number of a truth value by its sign, but by multiplying.
    words.push(sign === undefined ? text : `(${factor}*${text})`);
    operands.push(operand);
    n = at;
  }
  return powers(words, (n) => isSingle(operands[n], tools));
}

function isReference(part: Part | undefined): boolean {
  return part?.kind === "token" && part.token.kind === "reference";
}

function isCounted(part: Part | undefined): boolean {
  return part?.kind === "token" && /^[-+*/^%]$/.test(part.token.text);
}

/** An operand of arithmetic: a text is the number that Excel reads there. */
function asNumber(part: Part, tools: OperandTools): string {
  const text = tools.part(part);
  if (part.kind === "call" && givesText(part.name) && tools.isSingle(part))
    return numberOfText(text);
  const literal = part.kind === "token" && part.token.kind === "string";
  const typed = literal ? part.token.text.slice(1, -1).replaceAll('""', '"') : tools.typed(part);
  if (typed === undefined) return text;
  return typedText(typed, tools.from1904) ?? text;
}

/** A typed text as the number that it is to Excel; undefined if it is none. @throws NotComputable */
function typedText(typed: string, from1904: boolean): string | undefined {
  const found = typedNumber(typed);
  if (found === undefined) return undefined;
  if (found === "this year")
    throw new NotComputable(`it computes with "${typed}", a day of whichever year it is`);
  const number = found.number - (found.day && from1904 ? 1462 : 0);
  return number < 0 ? `(${number})` : String(number);
}

function isSingle(part: Part | undefined, tools: OperandTools): boolean {
  return part !== undefined && !isOperator(part) && tools.isSingle(part);
}

/** Powers as calls: of the sign the engine makes 1 of 0^0. */
function powers(words: readonly string[], isSingle: (n: number) => boolean): string {
  const out: string[] = [];
  // Where the last word of `out` comes from.
  let last = -1;
  for (let n = 0; n < words.length; n++) {
    const word = words[n] ?? "";
    const signed = /^[-+]$/.test(words[n + 1] ?? "") ? 1 : 0;
    const exponent = `${signed ? words[n + 1] : ""}${words[n + 1 + signed] ?? ""}`;
    const certain = /^[-+]?[\d.]*[1-9][\d.]*$/.test(exponent);
    const plain = certain || words[n + 2 + signed] === "%" || out.at(-1) === "%";
    if (word === "^" && !plain && last >= 0 && isSingle(last) && isSingle(n + 1 + signed)) {
      out.push(`POWER(${out.pop()},${exponent})`);
      n += 1 + signed;
      continue;
    }
    out.push(word);
    last = n;
  }
  return out.join("");
}
