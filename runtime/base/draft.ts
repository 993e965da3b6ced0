import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { namedId } from "./id.ts";
import { isAlive, processIdentity } from "./process-identity.ts";

const DRAFT = /^\.draft-(?<process>.+)-w-[0-9a-z]+$/;

/** A name for what is being written, that says which process writes it. It begins with a dot. */
export function draftName(): string {
  return `.draft-${processIdentity()}-${namedId("w")}`;
}

/** Removes the drafts in a folder whose writers are dead. Those of living processes stay. */
export async function sweepDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const writer = DRAFT.exec(name)?.groups?.["process"];
    if (writer !== undefined && !isAlive(writer)) await removeDraft(join(folder, name));
  }
}

/** Removes a draft, whatever its modes. Absent is no error. */
export async function removeDraft(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => {});
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }).catch(
    () => [],
  )) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700);
  }
  await rm(path, { recursive: true, force: true });
}
