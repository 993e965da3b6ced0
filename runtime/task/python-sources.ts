import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const PROGRAM = fileURLToPath(
  new URL("../../python/cloche/src/cloche/sources.py", import.meta.url),
);
const MS = 20_000;

const sources = z.object({
  mistakes: z.array(z.object({ path: z.string(), line: z.number(), what: z.string() })),
  /** What grader.py lacks to be a grader, each as the end of a sentence about it. */
  grader: z.array(z.string()),
  /** What generate.py sets of the instruction's variables; null if that can't be read. */
  variables: z.nullable(
    z.object({
      names: z.array(z.string()),
      /** Whether no other names can be set. */
      sure: z.boolean(),
      /** Texts of the generator's sources: a name that it sets in another way is among them. */
      texts: z.array(z.string()),
    }),
  ),
});
export type PythonSources = z.output<typeof sources>;

/**
 * What the Python files of a folder say by their syntax: parsed by this machine's `python3`, and nothing
 * of them is run. Undefined if there is none that could parse them. Never rejects for the files' sake.
 */
export async function pythonSources(
  folder: string,
  paths: readonly string[],
): Promise<PythonSources | undefined> {
  const read = paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")]);
  const files: unknown = Object.fromEntries(await Promise.all(read));
  const child = spawn("python3", ["-I", "-S", "-B", PROGRAM], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  child.stdin.on("error", () => {}); // A program that is not there takes nothing.
  child.stdin.end(JSON.stringify(files));
  const [isWhole, said] = await Promise.all([ended, text(child.stdout)]);
  return isWhole ? sources.parse(JSON.parse(said)) : undefined;
}
