import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "../base/fault.ts";
import { didYouMean } from "../base/nearest.ts";
import { leadsOut } from "../workspace/link-target.ts";
import type { SnapshotLink } from "../workspace/snapshot.ts";
import { taskFault } from "./faults.ts";
import { KNOWN_STATE_FOLDERS } from "./state-folders.ts";
import type { FixtureSet } from "./task.ts";
import { type FolderEntry, listFolder } from "./task-folder.ts";

/** What a fixture set may hold, each a folder: files of the workspace, and state of services. */
export const WORKSPACE_PART = "workspace";
export const STATE_PART = "state";

/** The set of this name under fixtures/. `file` is the task.toml that names it. */
export async function findFixture(root: string, name: string, file: string): Promise<FixtureSet> {
  const sets = await readdir(join(root, "fixtures"), { withFileTypes: true }).catch(() => []);
  const known = sets.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (known.includes(name)) return { name, folder: join(root, "fixtures", name) };
  const near = didYouMean(name, known) || `; make the folder ${join(root, "fixtures", name)}`;
  throw taskFault(
    "no-fixture",
    `${file}: [cloche].fixture is "${name}", but there is no such fixture set${near}`,
  );
}

/**
 * All entries of a set. What no task could begin with is refused here already, so that a list of
 * tasks shows it: other folders than the two, state of no service, links that leave.
 */
export async function listFixture({ folder }: FixtureSet): Promise<readonly FolderEntry[]> {
  const entries = await listFolder(folder);
  for (const entry of entries) {
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
