import { globSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { FaultKind } from "../../runtime/base/fault.ts";

/** Every room's fault table, read from its faults.ts: `engine/image-missing` and so on, sorted. */
export async function sourceFaults(): Promise<[code: string, kind: FaultKind][]> {
  const all: [string, FaultKind][] = [];
  for (const file of globSync("{runtime,bench}/**/faults.ts")) {
    const room = /faultMaker\(\s*"([^"]+)"/.exec(readFileSync(file, "utf8"))?.[1];
    const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    const [, table] = Object.entries(module).find(([name]) => name.endsWith("_FAULTS")) ?? [];
    if (!room || !table) throw new Error(`${file} has no …_FAULTS table bound to a faultMaker`);
    for (const [kind, fault] of Object.entries(table as Record<string, FaultKind>)) {
      all.push([`${room}/${kind}`, fault]);
    }
  }
  return all.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A code's row in docs/errors.md. */
export function errorRow([code, { blame, means, remedy }]: [string, FaultKind]): string {
  return `| \`${code}\` | ${blame} | ${means} | ${remedy} |`;
}
