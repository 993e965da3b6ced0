import assert from "node:assert/strict";
import { test } from "node:test";
import { findTask, listTasks } from "../../runtime/task/task-list.ts";
import { GRADER, repository, TOML } from "./repository.ts";

test("an unknown task is refused with the nearest names", async (context) => {
  const root = repository(context);
  await assert.rejects(findTask(root, "desk/count-line"), {
    code: "task/unknown",
    message: /there is no task "desk\/count-line"; did you mean "desk\/count-lines"\?/,
  });
});

test("a task asked for without its category is refused with its whole name", async (context) => {
  const root = repository(context);
  await assert.rejects(findTask(root, "count-lines"), { message: /mean "desk\/count-lines"\?/ });
});

test("a name that is a path finds nothing", async (context) => {
  const root = repository(context);
  for (const id of ["../desk", "desk/../desk/count-lines", "", "/"]) {
    await assert.rejects(findTask(root, id), { code: "task/unknown" });
  }
});

test("a folder without tasks is refused", async (context) => {
  const root = repository(context);
  await assert.rejects(listTasks(`${root}/fixtures`), { code: "task/unknown" });
});

test("a broken task is listed with its fault beside the good ones", async (context) => {
  const root = repository(context, {
    "/tasks/desk/bad/task.toml": "x",
    "/tasks/desk/Worse/task.toml": TOML,
    "/tasks/arts/paint/task.toml": TOML.replace("desk/count-lines", "arts/paint"),
    "/tasks/arts/paint/instruction.md": "Paint.",
    "/tasks/arts/paint/grader.py": GRADER,
    "/tasks/README.md": "no task",
    "/tasks/desk/.cache/x": "no task",
  });
  const { tasks, broken } = await listTasks(root);
  assert.deepEqual(
    tasks.map(({ id }) => id),
    ["arts/paint", "desk/count-lines"],
  );
  assert.deepEqual(
    broken.map(({ id, fault }) => [id, fault.code]),
    [
      ["desk/Worse", "task/bad-folder-name"],
      ["desk/bad", "task/toml-syntax"],
    ],
  );
});

test("a task is found by its id", async (context) => {
  assert.equal((await findTask(repository(context), "desk/count-lines")).id, "desk/count-lines");
});
