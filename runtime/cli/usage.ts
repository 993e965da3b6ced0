import type { CommanderError } from "commander";
import type { Fault } from "../base/fault.ts";
import { cliFault } from "./faults.ts";

const CODES: Readonly<Record<string, "unknown-command" | "unknown-option" | "bad-option">> = {
  "commander.unknownCommand": "unknown-command",
  "commander.unknownOption": "unknown-option",
};

/**
 * What commander says about words that are wrong, in the style of all others; undefined for what is no
 * mistake, such as --help and --version.
 */
export function usageFault(error: CommanderError): Fault | undefined {
  const { code, message, exitCode } = error;
  if (exitCode === 0 || code === "commander.help" || code === "commander.helpDisplayed") return;
  const [what = "", ...rest] = message.replace(/^error: /, "").split("\n");
  const near = /^\(Did you mean (.*)\?\)$/.exec(rest.join(" "))?.[1];
  const names = near?.replace(/^one of /, "").split(", ");
  const mean = names ? `; did you mean ${names.map((name) => `"${name}"`).join(" or ")}?` : "";
  return cliFault(CODES[code] ?? "bad-option", `${what}${mean || "; --help says what there is"}`);
}
