import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import type { PreparedVariant } from "../task/prepare.ts";
import type { ProofEvidence } from "./evidence.ts";
import { type Finding, finding } from "./proof.ts";
import { reasonFor } from "./sharp.ts";

/** A part of what is expected with fewer values may come back by chance: a room, two names. */
const VALUES_MIN = 5;
/** Of two variants nobody can tell what is the same in all. */
const CONSTANT_IN = 3;
const WHOLE = "expected";

/** One variant as it is held against the others. */
export interface ComparedVariant {
  readonly variant: number;
  readonly isHeldOut: boolean;
  /** Over instruction, fixture and state: equal for variants that an agent can't tell apart. */
  readonly given: string;
  readonly expected: Json;
}

export function comparedVariant(prepared: PreparedVariant, isHeldOut: boolean): ComparedVariant {
  const { variant, instruction, fixture, state, expected } = prepared;
  const given = sha256(canonicalJson([instruction, fixture.entries, state.entries] as never));
  const parsed = JSON.parse(Buffer.from(expected).toString("utf8")) as Json;
  return { variant, isHeldOut, given, expected: parsed };
}

/** No two variants are the same or have the same answer, and no answer for training is held out too. */
export function distinct({ compared, settings }: ProofEvidence): Finding {
  const problems: string[] = [];
  const notes: string[] = [];
  const equal = shared(compared.map(({ variant, given }) => [given, variant]));
  for (const variants of equal) {
    const what = "instruction, files and state are the same";
    problems.push(`variants ${variants.join(", ")} are equal: ${what}`);
  }
  const tell = (what: string, sentence: string) => {
    const why = reasonFor(what, settings.alike);
    if (why === null) problems.push(sentence);
    else notes.push(`alike: ${sentence}: ${why}`);
  };
  const answers = compared.filter(({ expected }) => valuesIn(expected) > 0);
  for (const variants of sharedBy(answers, ({ expected }) => expected)) {
    tell(WHOLE, `the expected answer of variants ${variants.join(", ")} is the same`);
  }
  const heldOut = new Set(compared.filter((one) => one.isHeldOut).map(({ variant }) => variant));
  for (const [way, values] of partsByWay(answers)) {
    for (const variants of shared(values)) {
      const isEverywhere = variants.length === compared.length && variants.length >= CONSTANT_IN;
      const held = variants.filter((variant) => heldOut.has(variant));
      const train = variants.filter((variant) => !heldOut.has(variant));
      if (held.length === 0 || train.length === 0) continue;
      const what = `${way} of held-out variant ${held[0]} is that of variant ${train[0]}, too`;
      if (isEverywhere) notes.push(`${way} is the same in all variants: taken for no answer`);
      else tell(way, what);
    }
  }
  const summary = `${compared.length} variants compared, ${answers.length} of them by what is expected`;
  return finding("distinct", summary, problems, notes);
}

/** The variants of which a value is the same, two or more each. */
function sharedBy(
  all: readonly ComparedVariant[],
  value: (one: ComparedVariant) => Json,
): readonly (readonly number[])[] {
  return shared(all.map((one) => [canonicalJson(value(one)), one.variant]));
}

function shared(all: readonly (readonly [string, number])[]): readonly (readonly number[])[] {
  const byValue = new Map<string, number[]>();
  for (const [value, variant] of all) {
    byValue.set(value, [...(byValue.get(value) ?? []), variant]);
  }
  return [...byValue.values()].filter(({ length }) => length > 1);
}

/** Members of what is expected, however deep, of at least so many values; by their path. */
function partsByWay(
  all: readonly ComparedVariant[],
): ReadonlyMap<string, readonly (readonly [string, number])[]> {
  const found = new Map<string, [string, number][]>();
  const look = (way: string, value: Json, variant: number) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [name, member] of Object.entries(value)) {
      const path = `${way}.${name}`;
      if (valuesIn(member) >= VALUES_MIN) {
        found.set(path, [...(found.get(path) ?? []), [canonicalJson(member), variant]]);
      }
      look(path, member, variant);
    }
  };
  for (const { variant, expected } of all) look(WHOLE, expected, variant);
  return found;
}

/** How many numbers, texts and truth values stand in it. */
function valuesIn(value: Json): number {
  if (value === null) return 0;
  if (typeof value !== "object") return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + valuesIn(each), 0);
}
