import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../base/hash.ts";
import type { ContextFile } from "./context.ts";
import type { Lockfile } from "./lockfile.ts";

/** Both ends of the way out of a sandbox, each one file: /opt/cloche/servers/egress-<name>.mjs. */
const PROGRAMS = ["forwarder", "outlet"] as const;

const FOLDER = "images/egress";
const OPTIONS = { bundle: true, platform: "node", target: "node24", format: "esm" } as const;

/** The programs as files of an image's build context; `root` is the repository. */
export async function egressFiles(root: string): Promise<ContextFile[]> {
  const { build } = await import("esbuild"); // Here, since most commands bundle nothing.
  const built = PROGRAMS.map(async (name) => {
    const entryPoints = [join(root, FOLDER, `${name}.ts`)];
    const { outputFiles } = await build({ ...OPTIONS, entryPoints, write: false });
    const [file] = outputFiles;
    if (file === undefined) throw new Error(`${name}.ts came to nothing`);
    return { path: `servers/egress-${name}.mjs`, content: file.contents };
  });
  return await Promise.all(built);
}

/** What decides about them. */
export function egressInputs(lock: Lockfile, root: string): unknown {
  const own = readdirSync(join(root, FOLDER)).sort();
  const files = [...own.map((name) => `${FOLDER}/${name}`), "runtime/base/host-name.ts"];
  const sources = files.map((path) => `${path} ${sha256(readFileSync(join(root, path)))}`);
  return { sources, bundler: { version: lock.version("esbuild"), options: OPTIONS } };
}
