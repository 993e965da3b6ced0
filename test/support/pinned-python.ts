import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, ".cache");
const PACKAGES = join(ROOT, "python", "checks.txt");
const NEWEST_UNFIT = 10;
const NAME = "python-";
/** What pip says where packages cannot be had here, and not that one of them is wrong. */
export const UNREACHABLE: RegExp =
  /No matching distribution|Could not find a version|NewConnectionError|Temporary failure|timed out|CERTIFICATE_VERIFY_FAILED|ProxyError/i;
export const PIP: readonly string[] =
  "-m pip install --quiet --no-input --disable-pip-version-check --retries 1 --timeout 20".split(
    " ",
  );

export type MaybePython =
  | { readonly python: string; readonly missing?: undefined }
  | { readonly python?: undefined; readonly missing: string };

/**
 * The Python that checks the repository's own: a venv with what python/checks.txt pins by hashes,
 * made once for that file's content, or why there is none here. Throws if a package is not the one
 * that is pinned.
 */
export function pinnedPython(): MaybePython {
  const version = run("python3", ["-c", "import sys; print(*sys.version_info[:2])"]);
  const [major = 0, minor = 0] = version.stdout.split(" ").map(Number);
  if (major !== 3 || minor <= NEWEST_UNFIT) {
    return { missing: `Python 3.11 or newer is needed as python3 (${wordsOf(version)})` };
  }
  const content = readFileSync(PACKAGES);
  const hash = createHash("sha256").update(content).update(version.stdout).digest("hex");
  const folder = join(CACHE, NAME + hash.slice(0, 16));
  const python = join(folder, "bin", "python");
  if (existsSync(folder)) return { python };
  const missing = install(folder);
  return missing === undefined ? { python } : { missing };
}

/** In a folder beside it first: two that start at the same time do not meet half of it. */
function install(folder: string): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const draft = join(CACHE, `draft-${randomUUID()}`);
  try {
    const made = venv(draft);
    if (made.status !== 0) return `python3 makes no venv: ${wordsOf(made)}`;
    const pip = [...PIP, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", PACKAGES];
    const result = run(join(draft, "bin", "python"), pip);
    if (result.status !== 0) {
      assert.match(wordsOf(result), UNREACHABLE);
      return `PyPI cannot be reached: ${wordsOf(result).slice(0, 300)}`;
    }
    for (const old of readdirSync(CACHE).filter((name) => name.startsWith(NAME))) {
      if (join(CACHE, old) !== folder) rmSync(join(CACHE, old), { recursive: true, force: true });
    }
    if (!existsSync(folder)) renameSync(draft, folder);
    return undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Debian has what makes venvs in a package of its own. */
function venv(folder: string): SpawnSyncReturns<string> {
  const first = run("python3", ["-m", "venv", folder]);
  if (first.status === 0 || process.getuid?.() !== 0) return first;
  if (!existsSync("/usr/bin/apt-get")) return first;
  run("apt-get", ["update", "-q"]);
  const got = run("apt-get", "install -q -y --no-install-recommends python3-venv".split(" "));
  return got.status === 0 ? run("python3", ["-m", "venv", "--clear", folder]) : first;
}

function run(program: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: "utf8" });
}

function wordsOf({ error, stdout, stderr }: SpawnSyncReturns<string>): string {
  return error?.message ?? `${stdout}${stderr}`.trim();
}
