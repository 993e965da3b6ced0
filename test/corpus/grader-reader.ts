import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
export const GRADER = fileURLToPath(new URL("../../python/cloche/src", import.meta.url));

/** Opens a folder as graders see what an agent made, in the library's own words. */
const OPEN = `
import hashlib, json, sys
from pathlib import Path
from cloche.criteria import Failed
from cloche.files import Entry, Tree

root = Path(sys.argv[1])
entries = {}
for path in sorted(root.rglob("*")):
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        entries[name] = Entry(name, "directory", 0o700)
    else:
        data = path.read_bytes()
        entries[name] = Entry(name, "file", 0o600, len(data), hashlib.sha256(data).hexdigest())

def tree(place="/workspace"):
    return Tree(entries, root, agents_work=True, place=place)

def told(read):
    """What was read; a Failed of the library's is said, anything else ends the program."""
    try:
        return read()
    except Failed as failed:
        return {"failed": str(failed)}
`;

/** What a Python program prints as JSON that has the folder's files as `tree()`. */
export async function graderReads<T>(folder: string, program: string): Promise<T> {
  const { stdout } = await run("/usr/bin/python3", ["-B", "-c", OPEN + program, folder], {
    env: { ...process.env, PYTHONPATH: GRADER, TZ: "UTC", LC_ALL: "C.UTF-8" },
    timeout: 300_000,
    maxBuffer: 256 * 1024 * 1024,
  });
  return JSON.parse(stdout) as T;
}
