import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { didYouMean } from "../base/nearest.ts";
import type { Policy } from "../rollout/policy.ts";
import type { Task } from "../task/task.ts";
import { policyFault } from "./faults.ts";
import { nullPolicy } from "./null-policy.ts";
import { type ScriptedParts, scriptedPolicy } from "./scripted-policy.ts";

/**
 * The policy of that name for this task: "oracle" plays solution.py, "cheat:<name>" plays
 * cheats/<name>.py, "null" does nothing. A script may import the modules beside task.toml; a cheat
 * also `solution`, to do all but one thing right. Throws `policy/unknown` or `policy/no-script`.
 */
export async function policyFor(name: string, task: Task, parts: ScriptedParts): Promise<Policy> {
  if (name === "null") return nullPolicy;
  const path = scriptOf(name, task);
  const text = await readFile(path, "utf8");
  const { modules, solution } = task.files;
  const more = solution === null || solution === path ? [] : [solution];
  return scriptedPolicy(name, { text, modules: await contents([...modules, ...more]) }, parts);
}

function scriptOf(name: string, { id, files }: Task): string {
  if (name === "oracle") {
    if (files.solution !== null) return files.solution;
    const what = `tasks/${id} has no solution.py, so there is no oracle for it`;
    throw policyFault("no-script", `${what}; write one, or choose another --policy`);
  }
  const cheat = name.replace(/^cheat:/, "");
  const path = Object.hasOwn(files.cheats, cheat) ? files.cheats[cheat] : undefined;
  if (name.startsWith("cheat:") && path !== undefined) return path;
  const known = ["oracle", "null", ...Object.keys(files.cheats).map((cheat) => `cheat:${cheat}`)];
  const near = didYouMean(name, known) || `; known: ${known.join(", ")}`;
  throw policyFault("unknown", `there is no policy "${name}" for ${id}${near}`);
}

async function contents(paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const read = paths.map(async (path) => [basename(path), await readFile(path, "utf8")] as const);
  return Object.fromEntries(await Promise.all(read));
}
