import { z } from "zod";
import type { Fault } from "../base/fault.ts";
import { nearest } from "../base/nearest.ts";
import { taskFault } from "./faults.ts";

/** One fault for all that a schema found wrong in a TOML file: each with its field and remedy. */
export function tomlFault(file: string, schema: z.ZodType, error: z.ZodError): Fault {
  const found = error.issues.flatMap((issue) => describe(schema, issue));
  const lines = found.map(({ text }) => `${file}: ${text}`);
  const kind = found.some((one) => one.kind === "unknown-key") ? "unknown-key" : "bad-value";
  const problems = found.map((one) => ({
    code: `task/${one.kind}`,
    message: `${file}: ${one.text}`,
  }));
  return taskFault(kind, lines.join("\n"), { detail: { file, problems } });
}

interface Problem {
  readonly kind: "unknown-key" | "bad-value";
  readonly text: string;
}

function describe(schema: z.ZodType, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const field = fieldName([...issue.path, key]);
      const near = hint(schema, issue.path, key);
      return { kind: "unknown-key", text: `${field} is no key that Cloche knows${near}` };
    });
  }
  return [{ kind: "bad-value", text: `${fieldName(issue.path)} ${sentence(issue)}` }];
}

/** `[cloche.budget].calls`, as the author has to write it. */
function fieldName(path: readonly PropertyKey[]): string {
  const [last, ...sections] = [...path].reverse().map(String);
  if (last === undefined) return "the file";
  const section = sections.reverse().map((part) => (/^\d+$/.test(part) ? `${+part + 1}` : part));
  return section.length === 0 ? last : `[${section.join(".")}].${last}`;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    return `is missing: give ${article(issue.expected)}`;
  }
  return issue.message.replace(/^Invalid input: /, "is wrong: ").replace(/^Too/, "is too");
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The near keys of the same section; else the same key where it belongs. */
function hint(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const known = membersOf(at(schema, path));
  const near = nearest(key, Object.keys(known)).map((name) => `"${name}"`);
  if (near.length > 0) return `; did you mean ${near.join(" or ")}?`;
  const elsewhere = allFields(schema, []).filter((field) => field.at(-1) === key);
  if (elsewhere[0]) return `; it belongs at ${fieldName(elsewhere[0])}`;
  return `; known here: ${Object.keys(known).join(", ")}`;
}

function at(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let here: z.ZodType | undefined = bare(schema);
  for (const part of path) {
    if (here instanceof z.ZodArray) here = bare(here.element as z.ZodType);
    else here = bare(membersOf(here)[String(part)]);
  }
  return here;
}

function membersOf(schema: z.ZodType | undefined): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {};
}

function bare(schema: z.ZodType | undefined): z.ZodType | undefined {
  let here = schema;
  while (
    here instanceof z.ZodOptional ||
    here instanceof z.ZodDefault ||
    here instanceof z.ZodPrefault
  ) {
    here = here.unwrap() as z.ZodType;
  }
  return here;
}

function allFields(schema: z.ZodType, path: readonly string[]): string[][] {
  return Object.entries(membersOf(bare(schema))).flatMap(([name, member]) => [
    [...path, name],
    ...allFields(member, [...path, name]),
  ]);
}
