import type { Task } from "../task/task.ts";
import { cliFault } from "./faults.ts";

const MOST = 1000;

/** "3", "1..5" or "1,3" as numbers, each a variant of the task. Throws `cli/bad-option`. */
export function variantsOf(
  { id, variants }: Pick<Task, "id" | "variants">,
  text: string,
): number[] {
  const wanted = text.split(",").flatMap((part) => {
    const range = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(part.trim());
    if (!range) throw cliFault("bad-option", `--variant ${text}: give a number, "1..5" or "1,3"`);
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    return Array.from(
      { length: Math.min(Math.max(0, last - first + 1), MOST) },
      (_, at) => first + at,
    );
  });
  const outside = wanted.find((variant) => variant < 1 || variant > variants.count);
  if (wanted.length > 0 && outside === undefined) return wanted;
  throw cliFault("bad-option", `--variant ${text}: ${id} has variants 1 to ${variants.count}`);
}
