import { z } from "zod";
import { didYouMean } from "../base/nearest.ts";

/** An object that takes these fields and no others; an unknown one is refused naming the nearest. */
export function closedObject<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const [first = ""] = issue.keys ?? [];
      const name = first.length > 60 ? `${first.slice(0, 60)}…` : first;
      return `unknown field "${name}"${didYouMean(name, known) || `; known: ${known.join(", ")}`}`;
    },
  });
}

const ISSUES_SHOWN = 5;

/** What is wrong with a value, as sentences that name where, the first few. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => {
    const where = path.map(String).join(".").slice(0, 200);
    return where === "" ? message : `${where}: ${message}`;
  });
}
