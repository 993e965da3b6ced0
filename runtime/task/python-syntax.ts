import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";

/** The Python of the boxes, so that what a newer one would take is not taken here. */
const SCRIPT = `
import ast, json, sys
found = []
for path, source in json.load(sys.stdin).items():
    try:
        ast.parse(source, path, feature_version=(3, 11))
    except (SyntaxError, ValueError) as error:
        found.append({"path": path, "line": getattr(error, "lineno", None) or 1, "what": str(getattr(error, "msg", error))})
print(json.dumps(found))
`;
const MS = 20_000;

const mistakes = z.array(z.object({ path: z.string(), line: z.number(), what: z.string() }));
export type PythonMistake = z.output<typeof mistakes>[number];

/**
 * What is no Python in these files of a folder: parsed by this machine's `python3`, and nothing of it
 * is run. Undefined if there is none that could parse them. Never rejects for the files' sake.
 */
export async function pythonMistakes(
  folder: string,
  paths: readonly string[],
): Promise<readonly PythonMistake[] | undefined> {
  const read = paths.map(async (path) => [path, await readFile(join(folder, path), "utf8")]);
  const sources: unknown = Object.fromEntries(await Promise.all(read));
  const child = spawn("python3", ["-I", "-S", "-B", "-c", SCRIPT], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  child.stdin.on("error", () => {}); // A program that is not there takes nothing.
  child.stdin.end(JSON.stringify(sources));
  const [isWhole, said] = await Promise.all([ended, text(child.stdout)]);
  return isWhole ? mistakes.parse(JSON.parse(said)) : undefined;
}
