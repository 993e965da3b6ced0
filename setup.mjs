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
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    env: { ...process.env, PATH: pathWithoutPackages() },
  });
  if (result.status !== 0) {
    const words = result.error ? result.error.message : result.stderr || "";
    process.stderr.write(words.endsWith("\n") ? words : `${words}\n`);
    const how = result.status === null ? "could not run" : `ended with ${result.status}`;
    fail(
      `"npm ci" ${how}, so the packages are not installed; its words are above.\n${advice(words)}`,
    );
  }
  writeFileSync(stamp, lockHash);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  say(`packages      installed (${seconds} s)`);
}

/** What to do about npm's failure, by the words that npm gives for it. */
function advice(words) {
  const known = [
    [
      /Invalid Version|EUSAGE|can only install (packages )?with an existing|in sync/i,
      'package-lock.json is not whole (an entry without a version, or not in step with package.json). Take the committed one back, "git checkout package.json package-lock.json"; whoever changes packages writes it anew with "rm -rf node_modules package-lock.json && npm install --package-lock-only --ignore-scripts".',
    ],
    [
      /EINTEGRITY|sha512/i,
      'A package is not the one that package-lock.json pins. Empty npm\'s cache with "npm cache clean --force" and try again; if it comes again, do not install: what serves the packages serves others.',
    ],
    [
      /E404|ETARGET|notarget|No matching version/i,
      'The registry that npm is set to does not have a package named above. See "npm config get registry"; a mirror may be behind: try another one, or npm\'s own ("npm config delete registry").',
    ],
    [
      /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ERR_SOCKET|network|CERT|certificate/i,
      'npm cannot reach its registry. See "npm config get registry", "npm config get proxy" and "npm config get cafile", try "npm ping", then again.',
    ],
    [
      /E401|E403|authentication/i,
      'The registry refuses access. Try "npm login", or another registry ("npm config get registry").',
    ],
    [
      /ENOSPC|no space left/i,
      "The disk is full. Make room (about 600 MB for the packages) and try again.",
    ],
    [
      /EACCES|EPERM|EROFS/i,
      'npm may not write here. Make this folder and npm\'s cache ("npm config get cache") your own and try again.',
    ],
    [
      /ENOENT|not found/i,
      'There is no npm on the PATH. Install Node 20 or newer with npm (Debian: "apt-get install nodejs npm").',
    ],
  ];
  const found = known.find(([pattern]) => pattern.test(words));
  if (found) return found[1];
  return 'Try "npm ci" in this folder to see all of it; the log it names has more. npm 10 and 11 are known to work ("npm --version").';
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
