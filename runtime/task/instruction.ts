import { didYouMean } from "../base/nearest.ts";
import { taskFault } from "./faults.ts";

const VARIABLE = /\{\{([^{}]*)\}\}/g;

/** The names of all {{variables}} of an instruction, each once, in their order. */
export function variablesOf(instruction: string): readonly string[] {
  return [...new Set([...instruction.matchAll(VARIABLE)].map(([, name]) => (name ?? "").trim()))];
}

/**
 * Puts the values in the places of the variables. Values are not looked through again.
 * Throws `task/unknown-variable`, naming `file`, for a variable without a value.
 */
export function fillInstruction(
  instruction: string,
  values: Readonly<Record<string, string>>,
  file: string,
): string {
  const unknown = variablesOf(instruction).find((name) => !Object.hasOwn(values, name));
  if (unknown !== undefined) {
    const near = didYouMean(unknown, Object.keys(values));
    throw taskFault(
      "unknown-variable",
      `${file}: nothing sets {{${unknown}}}${near || "; set it in generate.py"}`,
    );
  }
  return instruction.replaceAll(VARIABLE, (_, name: string) => values[name.trim()] ?? "");
}
