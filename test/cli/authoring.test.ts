import assert from "node:assert/strict";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type AuthorFolder, openAuthorFolder, untilPrinted } from "./authoring.ts";

const ID = "shop/shipped-orders";

describe("cloche task init, check and play", () => {
  let desk: AuthorFolder;
  let folder: string;

  before(async () => {
    desk = await openAuthorFolder();
    folder = join(desk.root, "tasks", ID);
    const { code, err } = await desk.cloche(["task", "init", ID]);
    assert.equal(code, 0, err);
  });

  after(async () => {
    const { out } = await desk.cloche(["task", "check"]);
    assert.match(out, /1 checked, 0 problems/);
    await desk[Symbol.asyncDispose]();
  });

  it("init writes a task that the oracle solves and nobody else", async () => {
    assert.match(
      await readFile(join(folder, "task.toml"), "utf8"),
      /name = "shop\/shipped-orders"/,
    );
    for (const [policy, sparse] of [
      ["oracle", 1],
      ["null", 0],
      ["cheat:counts_every_order", 0],
    ] as const) {
      const { out, err } = await desk.cloche(["run", ID, "--policy", policy, "--json"]);
      const [rollout] = JSON.parse(out).rollouts;
      assert.equal(rollout.reward?.sparse, sparse, `${policy}: ${err}`);
      if (policy === "null") assert.equal(rollout.reward.dense, 0);
      for (const { asks } of rollout.criteria) assert.ok(asks);
    }
  });

  it("init overwrites nothing and refuses names that no task can have", async () => {
    const before = await readFile(join(folder, "grader.py"), "utf8");
    const again = await desk.cloche(["task", "init", ID]);
    assert.equal(again.code, 2);
    assert.match(again.err, /task\/exists: .*shipped-orders is there already/);
    assert.equal(await readFile(join(folder, "grader.py"), "utf8"), before);
    for (const name of ["orders", "Shop/orders", "shop/or ders", "../shop/orders", "shop/a/b"]) {
      const { code, err } = await desk.cloche(["task", "init", name]);
      assert.equal(code, 2, name);
      assert.match(err, /task\/bad-folder-name: .*<category>\/<name>/, name);
    }
    assert.deepEqual(await readdir(join(desk.root, "tasks")), ["shop"]);
  });

  it("check says all that is wrong with all tasks and sets at once, and runs nothing", async () => {
    await using broken = await openAuthorFolder();
    await broken.cloche(["task", "init", "shop/one"]);
    await broken.cloche(["task", "init", "shop/two"]);
    const one = join(broken.root, "tasks", "shop", "one");
    const toml = await readFile(join(one, "task.toml"), "utf8");
    const wrong = toml
      .replace("memory_mb", "memroy_mb")
      .replace("cpus = 1", "cpus = 1000")
      .replace('"spreadsheet"\n\n[cloche]', '"spreadshet"\n\n[cloche]');
    await writeFile(join(one, "task.toml"), wrong);
    await writeFile(join(one, "instruction.md"), "Add up {{mnth}}.\n");
    await rm(join(one, "grader.py"));
    await rm(join(broken.root, "tasks", "shop", "two", "instruction.md"));
    await writeFile(join(broken.root, "tasks", "shop", "two", "solution.py"), "def solve(agent)\n");
    const grader = join(broken.root, "tasks", "shop", "two", "grader.py");
    await writeFile(grader, (await readFile(grader, "utf8")).replace(/^grade\(\)$/m, ""));
    await mkdir(join(broken.root, "fixtures", "shelf", "workspace"), { recursive: true });
    await writeFile(join(broken.root, "fixtures", "shelf", "workspace", "a.txt"), "a\n");
    const { code, out } = await broken.cloche(["task", "check", "--json"]);
    assert.equal(code, 1);
    const { checked, problems } = JSON.parse(out) as {
      checked: { id: string; problems: { code: string }[]; notes: string[] }[];
      problems: number;
    };
    const codes = Object.fromEntries(
      checked.map(({ id, problems: found }) => [id, found.map((each) => each.code).sort()]),
    );
    assert.deepEqual(codes, {
      "shop/one": [
        "task/bad-value",
        "task/no-grader",
        "task/unknown-key",
        "task/unknown-server",
        "task/unknown-variable",
      ],
      "shop/two": ["task/grader-refused", "task/no-instruction", "task/python-syntax"],
      "fixtures/shelf": ["task/fixture-altered"],
    });
    assert.equal(problems, 9);
    assert.match(out, /solution\.py, line 1: expected ':'/);
    assert.match(out, /nothing sets \{\{mnth\}\}; did you mean \\"month\\"\?/);
    assert.match(out, /grader\.py never calls grade\(\); make it the last line/);
    const unknown = await broken.cloche(["task", "check", "shop/onne"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /did you mean "shop\/one"/);
  });

  it("play takes lines from a pipe, grades without ending, and saves a solution", async () => {
    const saved = join(desk.data, "solution.py");
    const { code, out, err } = await desk.cloche(
      ["task", "play", ID],
      [
        "# a comment",
        "help write_file",
        "files",
        "grade",
        'write_file path=/workspace/totals.csv content="customer,amount\\nTotal,0.00\\n"',
        'call read_text_file {"path": "/workspace/totals.csv"}',
        "files",
        "read totals.csv",
        "grade",
        `save ${saved}`,
        "quit",
        "steps",
      ].join("\n"),
    );
    assert.equal(code, 0, err);
    assert.match(out, /content +string/);
    assert.match(out, /no file has changed\nscore/);
    assert.match(out, /totals\.csv does not exist/);
    assert.match(out, /\+ "totals\.csv" \(27 bytes/);
    assert.match(out, /since the last time:\n~ 0 .*totals\.csv has a line/);
    assert.equal(out.match(/^customer,amount$/gm)?.length, 2, "once by the tool, once by read");
    assert.match(err, /2 .* ✓ read_text_file/);
    assert.match(
      await readFile(saved, "utf8"),
      /agent\.call\("write_file", path="\/workspace\/totals\.csv", content="customer,amount\\nTotal/,
    );
    assert.doesNotMatch(out, /2 .* ✓ read_text_file/, "nothing is carried out after quit");
    assert.equal(await leftBehind(), 0);
  });

  it("play says what a line lacks and goes on; such a pipe ends with 1", async () => {
    const { code, err, out } = await desk.cloche(
      ["task", "play", ID],
      'writ_file a=1\nwrite_file pth=a\nwrite_file {"path"\nread nothing.txt\nlist_directory path=/workspace',
    );
    assert.equal(code, 1);
    assert.match(err, /cli\/bad-line: there is no tool "writ_file"; did you mean "write_file"/);
    assert.match(err, /takes no "pth"; did you mean "path"/);
    assert.match(err, /cli\/bad-line: the arguments: .* is not JSON/);
    assert.match(err, /read: there is nothing at \/workspace\/nothing\.txt/);
    assert.match(out, /\[FILE\] orders\.xlsx/);
    assert.equal(await leftBehind(), 0);
  });

  it("play by submit ends as an agent does, with a bundle", async () => {
    const { code, out } = await desk.cloche(["task", "play", ID], "submit all is done\n");
    assert.equal(code, 0);
    assert.match(out, /outcome graded \(submitted after 0 calls\)/);
    assert.match(out, /bundle {2}.*bundles\/[0-9a-f]{64}/);
  });

  it("play ends by Ctrl-C and leaves nothing", async () => {
    const playing = desk.start(["task", "play", ID]);
    await untilPrinted(playing, /is what the agent is told/);
    assert.equal(await leftBehind({ living: true }), 1, "nothing runs, so this proves nothing");
    playing.signal("SIGINT");
    assert.equal((await playing.ended).code, 130);
    assert.equal(await leftBehind({ living: true }), 0);
  });

  it("play --watch begins anew when a file is saved, and makes the same calls again", async () => {
    const playing = desk.start(["task", "play", ID, "--watch"]);
    playing.write('write_file path=/workspace/totals.csv content="customer,amount\\n"\ngrade\n');
    await untilPrinted(playing, /\ngain/);
    const { length } = playing.printed();
    await withChange(join(folder, "grader.py"), '"nothing else was changed"', '"no more"', () =>
      untilPrinted(
        playing,
        /1 calls made again.*since the last time:\n.*\+ 1 +no more.*- nothing else/s,
        length,
      ),
    );
    playing.write("quit\n");
    const { code, err } = await playing.ended;
    assert.equal(code, 0, err);
    assert.equal(await leftBehind(), 0);
  });

  it("run --watch plays again when a file is saved and says which criteria differ", async () => {
    const running = desk.start(["run", ID, "--watch"]);
    await untilPrinted(running, /watching .*shipped-orders/);
    await withChange(join(folder, "solution.py"), 'f"Total,', 'f"Sum,', () =>
      untilPrinted(running, /variant 1: sparse 0, dense.*~ 1 -> 0 +the total is right/s),
    );
    const { length } = running.printed();
    await untilPrinted(running, /variant 1: sparse 1, dense 1\.00.*~ 0 -> 1 +the total/s, length);
    await appendFile(join(folder, "task.toml"), "\n[nonsense]\n");
    await untilPrinted(running, /task\/unknown-key: .*nonsense/);
    running.signal("SIGINT");
    await running.ended;
    const toml = await readFile(join(folder, "task.toml"), "utf8");
    await writeFile(join(folder, "task.toml"), toml.replace("\n[nonsense]\n", ""));
    assert.equal(await leftBehind(), 0);
  });

  async function leftBehind({ living = false } = {}): Promise<number> {
    const { out } = await desk.reap();
    const { removed, living: alive } = JSON.parse(out);
    return removed.length + (living ? alive.length : 0);
  }
});

/** Changes a file as an editor would, and changes it back when the work is done. */
async function withChange(
  path: string,
  from: string,
  to: string,
  work: () => Promise<void>,
): Promise<void> {
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from), `${path} has no ${from}`);
  await writeFile(path, text.replace(from, to));
  try {
    await work();
  } finally {
    await writeFile(path, text);
  }
}
