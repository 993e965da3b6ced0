import assert from "node:assert/strict";
import { chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { requireRoots, requireTasks } from "../../runtime/task/roots.ts";
import { serve } from "../clients/serve.ts";
import { runCloche } from "../support/run-cloche.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";
import { tempFolder } from "../support/temp-folder.ts";

describe("--root", () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let root: TestRoot;
  let other: TestRoot;
  before(async () => {
    folder = await tempFolder();
    root = await smallTask();
    other = await smallTask({
      "task.toml": ofNote("task.toml", "Writes one line", "Another that writes one line"),
    });
    await symlink(root.path, join(folder.path, "link"));
  });
  after(async () => {
    await folder?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
  });

  it("refuses to serve what is missing, a file, or has no task, and names it", async () => {
    const here = (name: string) => join(folder.path, name);
    await writeFile(here("file"), "");
    await mkdir(here("empty"));
    await mkdir(here("bare/tasks"), { recursive: true });
    await mkdir(here("shelf/tasks/office"), { recursive: true });
    await mkdir(here("hollow/tasks/office/nothing"), { recursive: true });
    await mkdir(here("odd"));
    await writeFile(here("odd/tasks"), "");
    await symlink("loop", here("loop"));
    const wrong = {
      nowhere: /is not there/,
      file: /is a file/,
      empty: /tasks is not there/,
      bare: /no task in it/,
      shelf: /no task in it/,
      hollow: /no task in it/,
      odd: /tasks is a file/,
      loop: /cannot be read/,
      "file/below": /cannot be read/,
    };
    for (const [name, what] of Object.entries(wrong)) {
      const { code, out, err } = await runCloche(["serve", "--port", "0", "--root", here(name)]);
      assert.deepEqual([code, out], [2, ""], name);
      assert.match(err, /^error task\/bad-root: --root /, name);
      assert.ok(err.includes(here(name)), err);
      assert.match(err, what, name);
    }
  });

  it("refuses to serve a folder that it may not read", async (t) => {
    const closed = join(folder.path, "closed");
    await mkdir(join(closed, "tasks"), { recursive: true });
    await chmod(folder.path, 0o755);
    await chmod(closed, 0);
    t.after(() => chmod(closed, 0o755));
    // The superuser may read everything.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const { code, err } = await runCloche(["serve", "--port", "0", "--root", closed], nobody);
    assert.equal(code, 2);
    assert.match(err, /^error task\/bad-root: --root .*closed cannot be read \(EACCES/);
  });

  it("holds for every command that looks for tasks", async () => {
    const none = join(folder.path, "none");
    for (const words of [
      ["run", "test/note"],
      ["task", "list"],
      ["task", "check"],
      ["task", "prove", "--all"],
      ["task", "play", "test/note"],
      ["fixture", "check"],
      ["tools", "--task", "test/note"],
    ]) {
      const { code, err } = await runCloche([...words, "--root", none]);
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /^error task\/bad-root: --root .*none is not there/, words.join(" "));
    }
  });

  it("given again makes one list of all their tasks, and each is found", async () => {
    await using more = await smallTask({
      "task.toml": ofNote("task.toml", "test/note", "test/letter"),
    });
    await rename(join(more.path, "tasks/test/note"), join(more.path, "tasks/test/letter"));
    const roots = ["--root", root.path, "--root", more.path];
    const { code, out } = await runCloche(["task", "list", "--json", ...roots]);
    assert.equal(code, 0);
    const ids = JSON.parse(out).tasks.map(({ id }: { id: string }) => id);
    assert.deepEqual(ids, ["test/letter", "test/note"]);
    for (const id of ids) assert.equal((await runCloche(["task", "check", id, ...roots])).code, 0);
    await using serving = await serve(root.path, { args: ["--root", more.path] });
    const answer = (await (await fetch(`${serving.url}/v1/tasks`)).json()) as {
      tasks: { id: string }[];
    };
    assert.deepEqual(
      answer.tasks.map(({ id }) => id),
      ids,
    );
  });

  it("given twice for one folder, by a link too, is given once", async () => {
    const roots = await requireRoots([root.path, join(folder.path, "link"), `${root.path}/`]);
    assert.deepEqual(roots, [root.path]);
    await requireTasks(roots);
  });

  it("names the ids that are in two of them, and where", async () => {
    const roots = ["--root", root.path, "--root", other.path];
    for (const words of [
      ["serve", "--port", "0"],
      ["run", "test/note"],
      ["task", "check", "test/note"],
    ]) {
      const { code, err } = await runCloche([...words, ...roots]);
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /^error task\/ambiguous: "test\/note" is in /, words.join(" "));
      for (const { path } of [root, other]) assert.ok(err.includes(join(path, "tasks/test/note")));
    }
    const { code, out } = await runCloche(["task", "list", "--json", ...roots]);
    assert.equal(code, 1);
    assert.equal(JSON.parse(out).broken[0].fault.code, "task/ambiguous");
  });

  it("is one place only where a task is to be written", async () => {
    const roots = ["--root", root.path, "--root", other.path];
    const { code, err } = await runCloche(["task", "init", "test/new", ...roots]);
    assert.equal(code, 2);
    assert.match(err, /^error cli\/bad-option: .*give one --root/);
  });
});
