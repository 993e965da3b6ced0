import { readFileSync } from "node:fs";
import type { ProfileName } from "../engine.ts";
import { engineFault } from "../faults.ts";

export type Found = boolean | string | number | readonly string[];

/** What a sandbox should be like in one respect. Less than that is tighter and no deviation. */
export type Wanted =
  /** Exactly this. */
  | { readonly is: boolean | string }
  /** Some of these and nothing else. */
  | { readonly most: readonly string[] }
  /** No more than so many. */
  | { readonly upTo: number }
  /** This runtime has no such limit; what bounds it instead. */
  | { readonly instead: string };

/** What sandboxes of one runtime and profile are like, property by property. */
export interface Golden {
  readonly runtime: string;
  readonly profile: ProfileName;
  /** What this runtime does not do as others do. */
  readonly notes: readonly string[];
  readonly properties: Readonly<Record<string, Wanted>>;
}

/** Of runtimes that have no file of their own, as much is wanted as of runc. */
export function goldenFor(engine: string, runtime: string, profile: ProfileName): Golden {
  const family = /runsc|gvisor/i.test(runtime) ? "runsc" : "runc";
  const file = new URL(`../${engine}/golden/${family}-${profile}.json`, import.meta.url);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Golden;
  } catch (cause) {
    const message = `it is not known what sandboxes of ${engine} should be like: ${file.pathname}`;
    throw engineFault("probe-failed", message, { cause });
  }
}

/** Said by a trial that took all that it was told to take. */
export const NO_LIMIT = "no limit found";

export type Verdict = "as wanted" | "tighter" | "weaker";

export interface Property {
  readonly property: string;
  readonly wanted: string;
  readonly found: string;
  /** How it was checked. */
  readonly how: string;
  readonly verdict: Verdict;
}

/** How far a sandbox is what it should be. What was not reported, or is not known, is weaker. */
export function compare(
  golden: Golden,
  found: Readonly<Record<string, Found>>,
  howOf: (property: string) => string,
): Property[] {
  const names = [...new Set([...Object.keys(golden.properties), ...Object.keys(found)])];
  return names.map((property) => {
    const wanted = golden.properties[property];
    const value = found[property];
    const how = howOf(property);
    if (wanted === undefined || value === undefined) {
      const words = {
        wanted: "(unknown)",
        found: value === undefined ? "(not reported)" : say(value),
      };
      return {
        property,
        ...words,
        ...(wanted ? { wanted: sayWanted(wanted) } : {}),
        how,
        verdict: "weaker",
      };
    }
    const verdict = judge(wanted, value);
    const shown =
      verdict === "weaker" && "most" in wanted ? beyond(wanted.most, value) : say(value);
    return { property, wanted: sayWanted(wanted), found: shown, how, verdict };
  });
}

function judge(wanted: Wanted, found: Found): Verdict {
  if ("is" in wanted) return found === wanted.is ? "as wanted" : "weaker";
  if ("instead" in wanted) return found === NO_LIMIT ? "as wanted" : "tighter";
  if ("upTo" in wanted) {
    if (typeof found !== "number" || !(found <= wanted.upTo)) return "weaker";
    return found === wanted.upTo ? "as wanted" : "tighter";
  }
  if (!Array.isArray(found) || found.some((one) => !wanted.most.includes(one))) return "weaker";
  return found.length === wanted.most.length ? "as wanted" : "tighter";
}

function beyond(most: readonly string[], found: Found): string {
  return Array.isArray(found) ? say(found.filter((one) => !most.includes(one))) : say(found);
}

function sayWanted(wanted: Wanted): string {
  if ("is" in wanted) return say(wanted.is);
  if ("upTo" in wanted) return `at most ${wanted.upTo}`;
  if ("instead" in wanted) return `no limit; ${wanted.instead}`;
  return wanted.most.length === 0 ? "none" : `at most ${wanted.most.join(", ")}`;
}

function say(found: Found): string {
  if (typeof found === "boolean") return found ? "yes" : "no";
  if (typeof found === "object") return found.length === 0 ? "none" : found.join(", ");
  return String(found);
}
