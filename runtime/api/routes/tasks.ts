import { createRoute } from "@hono/zod-openapi";
import type { Task } from "../../task/task.ts";
import { listTasks } from "../../task/task-list.ts";
import { failures, jsonAnswer } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { noQuery } from "../requests.ts";
import { tasksSchema } from "../schemas.ts";

const tasks = createRoute({
  method: "get",
  path: "/v1/tasks",
  tags: ["tasks"],
  summary: "List the tasks",
  request: { query: noQuery },
  responses: {
    200: jsonAnswer(tasksSchema, "Those that run, and those that do not."),
    ...failures,
  },
});

/** The tasks as their folders are now. */
export function addTasks(app: ApiApp, { tasksRoot }: ApiParts): void {
  app.openapi(tasks, async (c) => {
    const { tasks: found, broken } = await listTasks(tasksRoot);
    const problems = broken.map(({ id, fault }) => ({
      id,
      code: fault.code,
      message: fault.message,
    }));
    return c.json({ tasks: found.map(documentOf), broken: problems }, 200);
  });
}

function documentOf(task: Task) {
  const { id, description, category, difficulty, keywords, servers, budget, reward, limits } = task;
  return {
    id,
    description,
    category,
    difficulty,
    keywords: [...keywords],
    variants: { count: task.variants.count, holdout: [...task.variants.holdout] },
    servers: servers.map(({ name }) => name),
    budget,
    reward,
    limits,
    now: task.now.toISOString(),
    sha256: task.sha256,
  };
}
