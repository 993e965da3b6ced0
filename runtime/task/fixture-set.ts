import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "../base/fault.ts";
import { didYouMean } from "../base/nearest.ts";
import { leadsOut } from "../workspace/link-target.ts";
import type { SnapshotLink } from "../workspace/snapshot.ts";
import { taskFault } from "./faults.ts";
import { MANIFEST_FILE, verifyFixture } from "./fixture-manifest.ts";
import { KNOWN_STATE_FOLDERS } from "./state-folders.ts";
import type { FixtureSet } from "./task.ts";
import { type FolderEntry, listFolder } from "./task-folder.ts";

/** What a fixture set may hold, each a folder: files of the workspace, and state of services. */
export const WORKSPACE_PART = "workspace";
export const STATE_PART = "state";

/** The set of this name under fixtures/. `asked` says who names it, such as a task.toml. */
export async function findFixture(root: string, name: string, asked: string): Promise<FixtureSet> {
  const known = await fixtureNames(root);
  if (known.includes(name)) return { name, folder: join(root, "fixtures", name) };
  const near = didYouMean(name, known) || `; make the folder ${join(root, "fixtures", name)}`;
  throw taskFault("no-fixture", `${asked} is "${name}", but there is no such fixture set${near}`);
}

/** The one set of this name, whichever root it is in. Rejects with `task/no-fixture`, `task/ambiguous`. */
export async function findSet(roots: readonly string[], name: string): Promise<FixtureSet> {
  const asked = "the set that was asked for";
  const known = await Promise.all(roots.map((root) => fixtureNames(root)));
  const places = roots.filter((_, index) => known[index]?.includes(name));
  if (places.length === 1) return await findFixture(places[0] ?? "", name, asked);
  if (places.length === 0) return await findFixture(roots[0] ?? "", name, asked);
  const folders = places.map((root) => join(root, "fixtures", name)).join(" and ");
  throw taskFault("ambiguous", `"${name}" is in ${folders}: leave one --root out`);
}

/** The names of all sets, sorted. */
export async function fixtureNames(root: string): Promise<readonly string[]> {
  const sets = await readdir(join(root, "fixtures"), { withFileTypes: true }).catch(() => []);
  return sets
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** All entries of a set but its manifest, which they are held against. Rejects as `layOut` too. */
export async function listFixture(set: FixtureSet): Promise<readonly FolderEntry[]> {
  const entries = await layOut(set);
  await verifyFixture(set, entries);
  return entries;
}

/**
 * All entries of a set but its manifest, whatever that says. What no task could begin with is
 * refused here already, so that a list of tasks shows it: other folders than the two, state of no
 * service, links that leave, folders with nothing in them.
 */
export async function layOut({ folder }: FixtureSet): Promise<readonly FolderEntry[]> {
  const entries = (await listFolder(folder)).filter(({ path }) => path !== MANIFEST_FILE);
  const filled = new Set(
    entries.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))),
  );
  for (const entry of entries) {
    if (entry.kind === "directory" && !filled.has(entry.path)) {
      throw refused(folder, entry.path, "is an empty folder, which git does not keep: remove it");
    }
    const problem = layoutProblem(entry);
    if (problem !== undefined) throw refused(folder, entry.path, problem);
  }
  const links = await Promise.all(
    entries
      .filter(({ kind }) => kind === "link")
      .map(async ({ path }): Promise<SnapshotLink> => {
        const target = await readlink(join(folder, path));
        return { type: "link", path: path.slice(`${WORKSPACE_PART}/`.length), target };
      }),
  );
  const targets = new Map(links.map(({ path, target }) => [path, target]));
  const out = links.find((link) => leadsOut(link, targets));
  if (out === undefined) return entries;
  throw refused(
    folder,
    `${WORKSPACE_PART}/${out.path}`,
    `is a link that leads out of the fixture set's workspace, to "${out.target}": ` +
      "put a copy in its place, or a relative link to a file inside",
  );
}

function layoutProblem({ path, kind }: FolderEntry): string | undefined {
  const [part, service, ...rest] = path.split("/");
  if (part !== WORKSPACE_PART && part !== STATE_PART) {
    return (
      "is in no part of the set: move it into workspace/ (what the agent's files are) or " +
      "state/<server>/ (what a service holds)"
    );
  }
  if (service === undefined) return kind === "directory" ? undefined : "must be a folder";
  if (part === WORKSPACE_PART) return undefined;
  if (kind === "link") return "is a link: services follow none, put the file itself there";
  if (!KNOWN_STATE_FOLDERS.includes(service)) {
    const near = didYouMean(service, KNOWN_STATE_FOLDERS);
    return `is state of no service (they are ${KNOWN_STATE_FOLDERS.join(", ")})${near}`;
  }
  return rest.length === 0 && kind !== "directory" ? "must be a folder" : undefined;
}

function refused(folder: string, path: string, problem: string): Fault {
  return taskFault("fixture-refused", `${join(folder, path)} ${problem}`);
}
