import { z } from "zod";
import type { Fault } from "../base/fault.ts";
import type { DeclaredCriterion } from "../grading/grade.ts";
import { declaredSchema } from "../grading/verdict.ts";

const schema = z
  .array(declaredSchema)
  .min(1, "it declares no criterion; declare one with @criterion")
  .max(500, "it declares more than 500 criteria");

/** Checks what a grader declares; throws `refuse(…)` with a sentence for its author. */
export function readCriteria(
  value: unknown,
  refuse: (what: string) => Fault,
): readonly DeclaredCriterion[] {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: "unreadable" };
    throw refuse(path.length === 0 ? message : `its criterion ${path.join(".")}: ${message}`);
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw refuse(`two criteria are named "${twice}"; give each a name of its own`);
  }
  const capped = parsed.data.find(({ polarity, cap }) => polarity === "must" && cap !== null);
  if (capped) throw refuse(`criterion "${capped.name}" has a cap; only one that is must_not can`);
  if (parsed.data.some(({ polarity }) => polarity === "must")) return parsed.data;
  throw refuse("all its criteria are must_not, so who does nothing would pass");
}
