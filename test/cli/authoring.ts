import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder for tasks and one for data, both gone afterwards, and `cloche` on them. */
export interface AuthorFolder extends AsyncDisposable {
  readonly root: string;
  readonly data: string;
  cloche(args: readonly string[], input?: string): Promise<Ran>;
  /** `cloche reap --json` of this data folder. */
  reap(): Promise<Ran>;
  /** Starts a command whose input stays open; what it has printed so far is in `printed`. */
  start(args: readonly string[]): Started;
}

export interface Started {
  readonly ended: Promise<Ran>;
  printed(): string;
  write(text: string): void;
  signal(name: NodeJS.Signals): void;
}

export async function openAuthorFolder(): Promise<AuthorFolder> {
  const home = await mkdtemp(join(tmpdir(), "cloche-author-"));
  const [root, data] = [join(home, "root"), join(home, "data")];
  const start = (args: readonly string[]) => spawnCloche([...args, "--root", root], data);
  return {
    root,
    data,
    start,
    reap: async () => await spawnCloche(["reap", "--json"], data).ended,
    cloche: async (args, input = "") => {
      const started = start(args);
      started.write(input);
      started.close();
      return await started.ended;
    },
    [Symbol.asyncDispose]: async () => {
      await execa("chmod", ["-R", "u+w", home]);
      await rm(home, { recursive: true, force: true });
    },
  };
}

function spawnCloche(
  args: readonly string[],
  data: string,
): Started & { readonly close: () => void } {
  const child = spawn(process.execPath, ["cloche.mjs", ...args], {
    env: { ...process.env, CLOCHE_DATA: data },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const [out, err, all]: [string[], string[], string[]] = [[], [], []];
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out.push(text);
    all.push(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err.push(text);
    all.push(text);
  });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }));
  });
  return {
    ended,
    printed: () => all.join(""),
    write: (text) => void child.stdin.write(text),
    close: () => child.stdin.end(),
    signal: (name) => void child.kill(name),
  };
}

/** Waits until a command has printed this; fails if it ends before. */
export async function untilPrinted(started: Started, wanted: RegExp, from = 0): Promise<void> {
  const over = started.ended.then(({ out, err }) => {
    if (!wanted.test((out + err).slice(from)))
      throw new Error(`it ended without ${wanted}: ${err}`);
  });
  while (!wanted.test(started.printed().slice(from))) {
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}
