import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeVersion, rootFile } from "./definitions.ts";
import { runProgram } from "./run-program.ts";

/** A Linux Node for the office image. Removes what it had to fetch when disposed. */
export interface NodeBinary extends AsyncDisposable {
  readonly path: string;
}

const NPM_NAMES = { amd64: "x64", arm64: "arm64" } as const;

/**
 * The Node that runs Cloche, if this machine is of the engine's kind; else the same version from
 * npm for that kind. Throws what npm says.
 */
export async function linuxNode(
  architecture: "amd64" | "arm64",
  signal?: AbortSignal,
): Promise<NodeBinary> {
  const kind = NPM_NAMES[architecture];
  if (process.platform === "linux" && process.arch === kind) {
    return { path: rootFile("node_modules/node/bin/node"), [Symbol.asyncDispose]: async () => {} };
  }
  const folder = await mkdtemp(join(tmpdir(), "cloche-node-"));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const options = { cwd: folder, ...(signal ? { signal } : {}) };
    const wanted = `node-linux-${kind}@${nodeVersion()}`;
    const packed = await runProgram("npm", ["pack", "--silent", wanted], options);
    await runProgram("tar", ["-xzf", packed.trim(), "package/bin/node"], options);
    const path = join(folder, "node");
    await copyFile(join(folder, "package/bin/node"), path);
    return { path, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
