import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { ofNote, smallTask } from "../support/small-task.ts";

/** What the tests read of an entry of `rollouts`. */
interface Entry {
  readonly variant: number;
  readonly outcome: string;
  readonly reward: { readonly sparse: number; readonly dense: number } | null;
  readonly fault: { readonly code: string; readonly message: string } | null;
}

describe("cloche run", () => {
  let data: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-run-"));
  });

  after(async () => {
    await cloche(["reap"]);
    await promisify(execFile)("chmod", ["-R", "u+w", data]); // Bundles are closed to writing.
    await rm(data, { recursive: true, force: true });
  });

  it("loses nothing of other variants by one that cannot be made: it has an entry, exit 1", async () => {
    const refuse = `variant):\n    if variant.number == 2: raise ValueError("no shelf")\n`;
    await using bad = await smallTask({
      "task.toml": ofNote("task.toml", "count = 2", "count = 3"),
      "generate.py": ofNote("generate.py", "variant):\n", refuse),
    });
    const all = ["run", "test/note", "--variant", "1..3"];
    const { code, out, err } = await cloche([...all, "--json"], bad.path);
    const { rollouts } = JSON.parse(out);
    assert.equal(code, 1, err);
    assert.deepEqual(
      rollouts.map((one: Entry) => [one.variant, one.outcome, one.reward?.sparse ?? null]),
      [
        [1, "graded", 1],
        [2, "task_error", null],
        [3, "graded", 1],
      ],
    );
    assert.equal(rollouts[1].fault.code, "task/generate-failed");
    assert.match(rollouts[1].fault.message, /variant 2: .*no shelf/s);
    assert.match(err, /error task\/generate-failed: variant 2 was not made/);
    const forPeople = await cloche(all, bad.path);
    assert.equal(forPeople.code, 1);
    assert.equal(forPeople.out.match(/^sparse {2}1 /gm)?.length, 2);
    assert.match(forPeople.out, /task_error \(variant 2 .*\nreward {2}null.*\nfault .*no shelf/s);
  });

  it("says that nothing could start if not one of the variants can be made", async () => {
    await using bad = await smallTask({
      "generate.py": "def generate(variant):\n    raise ValueError('no shelf')\n",
    });
    const all = ["run", "test/note", "--variant", "1,2", "--json"];
    const { code, out } = await cloche(all, bad.path);
    const faults = JSON.parse(out).rollouts.map((one: Entry) => one.fault?.code);
    assert.equal(code, 2);
    assert.deepEqual(faults, ["task/generate-failed", "task/generate-failed"]);
    const reaped = await cloche(["reap", "--json"]);
    assert.deepEqual(JSON.parse(reaped.out).removed, []);
  });

  it("plays a solution and a cheat that import what lies beside them", async () => {
    await using root = await smallTask({
      "words.py": 'FOLDER = "/workspace"\n',
      "solution.py": `from words import FOLDER\n\n\n${ofNote("solution.py")
        .replace('path="/workspace"', "path=FOLDER")
        .replace('"/workspace/note.txt"', 'f"{FOLDER}/note.txt"')}`,
      "cheats/half.py": `from solution import solve as honest
from words import FOLDER


def solve(agent):
    honest(agent)
    agent.call("write_file", path=f"{FOLDER}/readme.txt", content="spoilt\\n")
`,
      "cheats/curious.py": "from expected import word\n",
    });
    const played = async (policy: string) => {
      const asked = ["run", "test/note", "--policy", policy, "--json"];
      const { out } = await cloche(asked, root.path);
      return JSON.parse(out).rollouts[0] as Entry;
    };
    assert.equal((await played("oracle")).reward?.dense, 1);
    assert.equal((await played("cheat:half")).reward?.dense, 0.75);
    const curious = await played("cheat:curious");
    assert.match(String(curious.fault?.message), /No module named 'expected'/);
    assert.equal(curious.reward?.dense, 0);
  });

  async function cloche(args: readonly string[], root?: string) {
    const all = ["cloche.mjs", ...args, ...(root === undefined ? [] : ["--root", root])];
    const child = spawn(process.execPath, all, {
      env: { ...process.env, CLOCHE_DATA: data },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, out: out.join(""), err: err.join("") };
  }
});
