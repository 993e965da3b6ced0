import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";

/** Gives every set under fixtures/ of a test's repository the manifest of the files that it has. */
export function sealFixtures(root: string): void {
  const fixtures = join(root, "fixtures");
  if (!existsSync(fixtures)) return;
  for (const set of readdirSync(fixtures, { withFileTypes: true })) {
    if (!set.isDirectory()) continue;
    const folder = join(fixtures, set.name);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && entry.name !== "manifest.json")
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => listed(folder, path));
    const manifest = { schema: "cloche.fixture/1", description: "For a test.", files };
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  }
}

function listed(folder: string, full: string) {
  const path = relative(folder, full);
  if (lstatSync(full).isSymbolicLink()) return { path, link: readlinkSync(full) };
  const data = readFileSync(full);
  return { path, bytes: data.length, sha256: createHash("sha256").update(data).digest("hex") };
}
