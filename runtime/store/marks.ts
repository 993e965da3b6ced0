import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import type { Criterion, Grade } from "../grading/grade.ts";

/** The marks of a grade's criteria (`Marks.criteria`). */
export function criterionMarks(grade: Grade | null): readonly string[] {
  return (grade?.criteria ?? []).map(criterionMark);
}

export function criterionMark(criterion: Criterion): string {
  return sha256(canonicalJson(criterion));
}
