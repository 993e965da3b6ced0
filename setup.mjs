// Gets everything ready that Cloche needs: npm packages (Node 24 among them), then an engine and
// its images. Plain JavaScript without a dependency, since any Node from 18 on must run it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const lock = join(root, "package-lock.json");
const installed = join(root, "node_modules", ".package-lock.json");
const stamp = join(root, "node_modules", ".cloche-lock");
const node = join(root, "node_modules", "node", "bin", "node");
const lockHash = createHash("sha256").update(readFileSync(lock)).digest("hex");

if (!packagesAreCurrent()) installPackages();
if (!existsSync(node)) fail(`${node} is not there: Node 24 was not installed for this machine`);
const { status } = spawnSync(
  node,
  [join(root, "runtime", "cli", "main.ts"), "setup", ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;

/** By the lock's hash; or, where a person ran npm, by npm's own mark, written last of all. */
function packagesAreCurrent() {
  if (!existsSync(node) || !existsSync(installed)) return false;
  if (existsSync(stamp)) return readFileSync(stamp, "utf8") === lockHash;
  if (statSync(installed).mtimeMs < statSync(lock).mtimeMs) return false;
  writeFileSync(stamp, lockHash);
  return true;
}

function installPackages() {
  const started = Date.now();
  say("packages      installing npm packages, Node 24 among them, up to a minute");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: pathWithoutPackages() },
  });
  if (result.status !== 0) {
    const why = result.error ? result.error.message : `it ended with ${result.status}`;
    fail(`"npm ci" did not install the packages (${why}); see npm's words above`);
  }
  writeFileSync(stamp, lockHash);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  say(`packages      installed (${seconds} s)`);
}

/** npm removes node_modules first, so it must not run on the Node that lies in there. */
function pathWithoutPackages() {
  const own = join("node_modules", ".bin");
  const folders = (process.env.PATH || "").split(delimiter);
  return folders.filter((folder) => !folder.endsWith(own)).join(delimiter);
}

function fail(sentence) {
  say(`setup         ${sentence}`);
  process.exit(1);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
