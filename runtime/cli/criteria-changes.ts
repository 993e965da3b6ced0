import type { Criterion } from "../grading/grade.ts";
import { type Paint, plain } from "./terminal.ts";

/** What is otherwise than in an earlier grade, a line for each criterion; says so if nothing is. */
export function criteriaChanges(
  before: readonly Criterion[],
  after: readonly Criterion[],
  paint: Paint,
): string {
  const earlier = new Map(before.map((one) => [one.name, one]));
  const now = new Set(after.map(({ name }) => name));
  const lines = [
    ...after.flatMap((one) => changeOf(earlier.get(one.name), one, paint)),
    ...before.filter(({ name }) => !now.has(name)).map(({ name }) => `- ${plain(name, 80)}`),
  ];
  return lines.length === 0 ? "no criterion has changed\n" : `${lines.join("\n")}\n`;
}

function changeOf(old: Criterion | undefined, one: Criterion, paint: Paint): string[] {
  const said = `${plain(one.name, 80)}: ${paint.dim(plain(one.error ?? one.reason, 140))}`;
  if (old === undefined) return [`+ ${score(one, paint)}  ${said}`];
  if (old.score !== one.score) return [`~ ${score(old, paint)} -> ${score(one, paint)}  ${said}`];
  if (old.reason !== one.reason || old.error !== one.error) {
    return [`~ ${score(one, paint)}  ${said}`];
  }
  const same = old.weight === one.weight && old.polarity === one.polarity && old.cap === one.cap;
  return same ? [] : [`~ weight ${old.weight} -> ${one.weight}  ${said}`];
}

function score({ score: value }: Criterion, paint: Paint): string {
  if (value === null) return paint.red("error");
  const text = String(Number(value.toFixed(2)));
  return value === 1 ? paint.green(text) : paint.red(text);
}
