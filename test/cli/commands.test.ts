import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("cloche, from the command line", () => {
  let data: string;
  let root: TestRoot;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-cli-"));
    root = await smallTask();
  });

  after(async () => {
    await makeWritable(data);
    await rm(data, { recursive: true, force: true });
    await root?.[Symbol.asyncDispose]();
  });

  it("prints one JSON document with --json and everything else on stderr", async () => {
    const { code, out } = await cloche(["run", "test/note", "--variant", "1,2", "--json"]);
    const { run, rollouts } = JSON.parse(out);
    assert.equal(code, 0);
    assert.deepEqual(run.variants, [1, 2]);
    assert.deepEqual(
      rollouts.map((one: { outcome: string }) => one.outcome),
      ["graded", "graded"],
    );
    const [first] = rollouts;
    assert.equal(first.reward.sparse, 1);
    assert.equal(first.criteria.length, 2);
    assert.deepEqual(
      first.steps.map((step: { tool: string }) => step.tool),
      ["list_directory", "write_file"],
    );
    assert.ok((await readdir(first.bundle)).includes("manifest.json"));
  });

  it("tells a person the criteria, the reward and where the bundle lies", async () => {
    const { code, out } = await cloche(["run", "test/note", "--policy", "null"]);
    assert.equal(code, 0);
    assert.match(out, /note.txt says the word +it|note.txt says the word +.*does not exist/);
    assert.match(out, /sparse {2}0 {2}the reward\ndense {3}0.25\ngain {4}0.00\n/);
    assert.match(out, /bundle {2}.*bundles\/[0-9a-f]{64}\n/);
    assert.equal(out.includes("\u001b"), false);
  });

  it("grades a bundle again to the very bytes of its grade", async () => {
    const { out } = await cloche(["run", "test/note", "--json"]);
    const [{ bundle }] = JSON.parse(out).rollouts;
    const once = await cloche(["grade", bundle, "--json"]);
    const twice = await cloche(["grade", bundle, "--json", "--twice"]);
    assert.equal(once.code, 0, once.err);
    assert.equal(once.out, twice.out);
    const recorded = await readFile(join(bundle, "grade.json"), "utf8");
    assert.equal(once.out.trimEnd(), recorded.trimEnd());
  });

  it("grades several bundles to the grades of each alone, and goes on after one that is none", async () => {
    const run = await cloche(["run", "test/note", "--variant", "1,2", "--json"]);
    const bundles = JSON.parse(run.out).rollouts.map((each: { bundle: string }) => each.bundle);
    assert.equal(bundles.length, 2);
    const { code, out, err } = await cloche(["grade", ...bundles, "--json"]);
    assert.equal(code, 0, err);
    const said: { bundle: string; grade: unknown }[] = JSON.parse(out).grades;
    assert.deepEqual(
      said.map(({ bundle }) => bundle),
      bundles.map((bundle: string) => basename(bundle)),
    );
    const grades = new Map(said.map(({ bundle, grade }) => [bundle, grade]));
    for (const bundle of bundles) {
      const recorded = JSON.parse(await readFile(join(bundle, "grade.json"), "utf8"));
      assert.deepEqual(grades.get(basename(bundle)), recorded);
    }
    const mixed = await cloche(["grade", bundles[0], "nothing", bundles[1]]);
    assert.equal(mixed.code, 1);
    assert.match(mixed.err, /^error store\/bundle-missing: nothing was not graded: /);
    const both = await cloche(["grade", bundles[0], "nothing", "--json"]);
    assert.equal(both.code, 1);
    const { grades: good, failed } = JSON.parse(both.out);
    assert.deepEqual([good.length, failed[0].bundle], [1, "nothing"]);
    assert.equal(failed[0].fault.code, "store/bundle-missing");
    assert.equal(mixed.out.match(/test\/note#\d {2}sparse 1 {2}dense 1\.00$/gm)?.length, 2);
  });

  it("refuses a bundle with one byte changed, by name", async () => {
    const { out } = await cloche(["run", "test/note", "--json"]);
    const [{ bundle }] = JSON.parse(out).rollouts;
    const copy = join(data, "copy");
    await cp(bundle, copy, { recursive: true });
    await makeWritable(copy);
    const text = await readFile(join(copy, "steps.jsonl"));
    text[20] = (text[20] ?? 0) ^ 1;
    await writeFile(join(copy, "steps.jsonl"), text);
    for (const verb of [
      ["grade", copy],
      ["bundle", "verify", copy],
      ["bundle", "show", copy],
    ]) {
      const refused = await cloche(verb);
      assert.equal(refused.code, 2);
      assert.match(refused.err, /store\/bundle-altered: .*steps\.jsonl/);
    }
  });

  for (const [title, { files, args, message }] of Object.entries(badInput())) {
    it(`refuses ${title}: exit 2, one message, nothing left behind`, async () => {
      await using bad = await smallTask(files);
      const refused = await cloche(args ?? ["run", "test/note"], { root: bad.path });
      assert.equal(refused.code, 2, refused.err);
      assert.match(refused.err, message);
      assert.equal(refused.out, "");
      assert.equal(await leftInEngine(), "");
    });
  }

  it("refuses a fixture with a link that leaves it, naming the link", async () => {
    await using bad = await smallTask({
      "task.toml": ofNote("task.toml", "[cloche]", '[cloche]\nfixture = "shelf"'),
      "../../../fixtures/shelf/workspace/a.txt": "a\n",
    });
    await symlink("/etc/passwd", join(bad.path, "fixtures", "shelf", "workspace", "out"));
    const refused = await cloche(["run", "test/note"], { root: bad.path });
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.err, /fixture-refused: .*out/);
  });

  it("says so in one line when there is no engine, and what to do", async () => {
    const refused = await cloche(["run", "test/note"], {
      env: { DOCKER_HOST: "unix:///nowhere/docker.sock" },
    });
    assert.equal(refused.code, 2);
    assert.match(refused.err, /engine\/unreachable: .*\/nowhere\/docker\.sock/);
  });

  it("has a --help with an example for every command", async () => {
    const top = await cloche(["--help"]);
    const named = [...top.out.matchAll(/^ {2}([a-z]+) (?: |[[<])/gm)].map(([, name]) => `${name}`);
    const groups = ["bundle", "task", "fixture", "images", "keys", "help"];
    const commands = [
      ...named.filter((name) => !groups.includes(name)),
      "bundle show",
      "bundle verify",
      "task init",
      "task check",
      "task play",
      "task list",
      "images build",
      "images list",
      "images prune",
    ];
    assert.ok(named.length > 15, top.out);
    assert.match(top.out, /Exit codes/);
    for (const command of commands) {
      const { code, out } = await cloche([...command.split(" "), "--help"]);
      assert.equal(code, 0);
      assert.match(out, /Examples?:\n {2}\$ (?:\.\/cloche\.mjs|npm) /, command);
    }
  });

  async function cloche(
    args: readonly string[],
    { root: from = root.path, env = {} }: { root?: string; env?: Record<string, string> } = {},
  ): Promise<Ran> {
    const rooted = ["run", "task"].includes(args[0] ?? "") && !args.includes("--help");
    const all = [...args, ...(rooted ? ["--root", from] : [])];
    return spawnCloche(all, { CLOCHE_DATA: data, ...env });
  }

  async function leftInEngine(): Promise<string> {
    const { out } = await cloche(["reap", "--json"]);
    return JSON.parse(out)
      .removed.map((one: { id: string }) => one.id)
      .join(" ");
  }
});

interface Bad {
  readonly files: Readonly<Record<string, string | undefined>>;
  readonly args?: readonly string[];
  readonly message: RegExp;
}

function badInput(): Record<string, Bad> {
  return {
    "a task without a grader": {
      files: { "grader.py": undefined },
      message: /task\/no-grader: .*grader\.py/,
    },
    "an unknown key, with the nearest known one": {
      files: { "task.toml": ofNote("task.toml", "memory_mb", "memroy_mb") },
      message: /task\.toml.*memroy_mb.*memory_mb/s,
    },
    "two criteria of one name": {
      files: {
        "grader.py": ofNote("grader.py", "readme.txt is as it was", "note.txt says the word"),
      },
      message: /task\/grader-refused: .*grader\.py.*note\.txt says the word/s,
    },
    "a grader without criteria": {
      files: { "grader.py": "from cloche import grade\n\ngrade()\n" },
      message: /task\/grader-refused: .*grader\.py.*criteri/s,
    },
    "a generator that fails": {
      files: { "generate.py": "def generate(variant):\n    raise ValueError('no shelf')\n" },
      message: /task\/generate-failed: .*generate\.py.*no shelf/s,
    },
    "an unknown task, with near names": {
      files: {},
      args: ["run", "test/nute"],
      message: /task\/unknown: .*test\/note/,
    },
    "an unknown policy": {
      files: {},
      args: ["run", "test/note", "--policy", "cheat:wrong_wrd"],
      message: /policy\/unknown: .*cheat:wrong_word/,
    },
    "a policy by the name of what every object has": {
      files: {},
      args: ["run", "test/note", "--policy", "cheat:__proto__"],
      message: /policy\/unknown: .*cheat:wrong_word/,
    },
    "a variant that is not there": {
      files: {},
      args: ["run", "test/note", "--variant", "3"],
      message: /cli\/bad-option: .*1 to 2/,
    },
  };
}

function spawnCloche(args: readonly string[], env: Record<string, string>): Promise<Ran> {
  const child = spawn(process.execPath, ["cloche.mjs", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out: out.join(""), err: err.join("") }));
  });
}

async function makeWritable(folder: string): Promise<void> {
  const { execa } = await import("execa");
  await execa("chmod", ["-R", "u+w", folder]);
}
