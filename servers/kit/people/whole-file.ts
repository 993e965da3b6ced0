import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** Puts a file of the state there whole or not at all; makes its folder. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${dirname(path)}/.${basename(path)}.draft`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, path);
}
