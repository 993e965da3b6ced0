import { execa } from "execa";

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** One line of the program's output or error output. */
  readonly onLine?: (line: string) => void;
}

const LAST_LINES = 8;

/**
 * Runs a program of this machine to its end, asking it no questions, and returns what it printed.
 * Throws an Error that names the program, how it ended and its last lines.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { signal, cwd, onLine }: RunOptions = {},
): Promise<string> {
  const running = execa(program, args, {
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    stdin: "ignore",
    all: true,
    reject: false,
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  for await (const line of running.iterable({ from: "all" })) onLine?.(String(line));
  const result = await running;
  signal?.throwIfAborted();
  if (!result.failed) return result.stdout;
  const last = result.all.split("\n").slice(-LAST_LINES).join("\n");
  throw new Error(`${result.shortMessage}${last === "" ? "" : `\n${last}`}`);
}
