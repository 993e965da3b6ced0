import { parentOf } from "./entry-path.ts";
import type { SnapshotLink } from "./snapshot.ts";

/** Whether a relative target, taken as text, climbs above the root. */
export function climbsOut({ path, target }: SnapshotLink): boolean {
  let depth = path.split("/").length - 1;
  if (target.startsWith("/")) return false;
  for (const segment of target.split("/")) {
    if (segment === "..") depth -= 1;
    else if (segment !== "" && segment !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/**
 * Whether following a link would lead out of the root, other links on the way followed too.
 * A link to nothing, or in a circle, stays inside.
 */
export function leadsOut(link: SnapshotLink, links: ReadonlyMap<string, string>): boolean {
  const at = segmentsOf(parentOf(link.path));
  let left = segmentsOf(link.target);
  if (link.target.startsWith("/")) return true;
  for (let hops = 0; left.length > 0; ) {
    const [segment = "", ...rest] = left;
    left = rest;
    if (segment === "..") {
      if (at.pop() === undefined) return true;
      continue;
    }
    const target = links.get([...at, segment].join("/"));
    if (target === undefined) {
      at.push(segment);
    } else {
      hops += 1;
      if (target.startsWith("/")) return true;
      if (hops > MAX_HOPS) return false;
      left = [...segmentsOf(target), ...left];
    }
  }
  return false;
}

/** As Linux has it. */
const MAX_HOPS = 40;

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}
