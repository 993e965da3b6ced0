import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { type MaybePython, PIP, UNREACHABLE } from "../support/pinned-python.ts";

const CLIENT = fileURLToPath(new URL("../../python/cloche_client", import.meta.url));

/** A Python of its own with the client and its extras in it, or why there is none. */
export async function installedPython(folder: string, extras = ""): Promise<MaybePython> {
  const made = await execa("python3", ["-m", "venv", folder], { all: true, reject: false });
  if (made.exitCode !== 0) return { missing: `no venv of Python: ${made.all ?? made.message}` };
  const python = join(folder, "bin", "python");
  const result = await execa(python, [...PIP, CLIENT + extras], { all: true, reject: false });
  if (result.exitCode === 0) return { python };
  // What cannot be downloaded here is skipped; what is wrong with our own package is not.
  assert.match(result.all, UNREACHABLE);
  return { missing: `PyPI cannot be reached: ${result.all.slice(0, 300)}` };
}
