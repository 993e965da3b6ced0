import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const LOOK_EACH_MS = 250;
const DEEPEST = 16;

/**
 * npm stands between a person and what `npx` or `npm run` started: npm, a shell, perhaps an older
 * Node. It hands SIGTERM on to the shell, which dies of it and tells nobody, and dies of SIGHUP
 * itself. So a process that npm started looks after whoever is in between, and calls `gone` once, when
 * one of them has died. Returns what ends it. Where nobody is in between nothing is looked at.
 */
export function onLauncherGone(env: NodeJS.ProcessEnv, gone: () => void): () => void {
  if (env["npm_lifecycle_event"] !== "npx" && env["npm_package_json"] !== OUR_PACKAGE) {
    return () => {};
  }
  const chain = launchers(process.ppid);
  const timer = setInterval(() => {
    if (isWhole(chain)) return;
    clearInterval(timer);
    gone();
  }, LOOK_EACH_MS);
  timer.unref();
  return () => clearInterval(timer);
}

const OUR_PACKAGE = fileURLToPath(new URL("../../package.json", import.meta.url));

/** Our parent, its parent and so on, up to npm, which is the first without npm's variables. */
function launchers(parent: number): readonly number[] {
  const chain = [parent];
  for (let pid = parent; chain.length < DEEPEST && wasStartedByNpm(pid); ) {
    const above = parentOf(pid);
    if (above === undefined || above <= 1) break;
    chain.push(above);
    pid = above;
  }
  return chain;
}

/** Whose parent has died gets another one. */
function isWhole(chain: readonly number[]): boolean {
  return chain.every((pid, index) => {
    const below = chain[index - 1];
    return (below === undefined ? process.ppid : parentOf(below)) === pid;
  });
}

function wasStartedByNpm(pid: number): boolean {
  return ofProcess(pid, "environ")?.includes("\0npm_command=") ?? false;
}

/** Undefined where there is no /proc: then only our own parent is looked after. */
function parentOf(pid: number): number | undefined {
  const stat = ofProcess(pid, "stat");
  // The name of a program stands in parentheses and may hold some.
  const parent = stat?.slice(stat.lastIndexOf(")")).split(" ")[2];
  return parent === undefined ? undefined : Number(parent);
}

function ofProcess(pid: number, file: "environ" | "stat"): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return undefined; // It has died, or is another user's.
  }
}
