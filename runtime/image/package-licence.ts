import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The name and the licence of the npm package in a folder (by its path from the root).
 * @throws Error if it names none: somebody has to look.
 */
export function packageLicence(folder: string): {
  readonly name: string;
  readonly licence: string;
} {
  const text = readFileSync(join(ROOT, folder, "package.json"), "utf8");
  const { name, license: licence } = JSON.parse(text) as {
    readonly name: string;
    license?: unknown;
  };
  if (typeof licence === "string" && !/see license/i.test(licence)) return { name, licence };
  throw new Error(`${name} does not name its licence in its package.json`);
}
