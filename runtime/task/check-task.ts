import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { asFault, messageOf } from "../base/fault.ts";
import { taskFault } from "./faults.ts";
import { findFixture, fixtureNames, listFixture } from "./fixture-set.ts";
import { variablesOf } from "./instruction.ts";
import { pythonMistakes } from "./python-syntax.ts";
import {
  filesOf,
  listTask,
  plainFiles,
  readInstruction,
  readTask,
  readToml,
  requireTaskId,
} from "./task-file.ts";
import { serversFault } from "./task-toml.ts";

/** What is wrong with a task or a fixture set, all of it, found without running anything. */
export interface CheckedFolder {
  /** "office/workshop-day", or "fixtures/alder-supplies". */
  readonly id: string;
  readonly problems: readonly CheckedProblem[];
  /** What hinders no rollout, but a proof. */
  readonly notes: readonly string[];
}

export interface CheckedProblem {
  readonly code: string;
  readonly message: string;
}

/** Checks a task. Never rejects for the task's sake. */
export async function checkTask(root: string, id: string): Promise<CheckedFolder> {
  const found = new Problems(`tasks/${id}`);
  const folder = join(root, "tasks", id);
  found.note(() => requireTaskId(id));
  const listed = await found.during(() => listTask(folder));
  if (listed === undefined) return { id, problems: found.all, notes: [] };
  const entries = plainFiles(listed);
  const toml = await found.during(() => readToml(id, folder, entries));
  if (toml === undefined) await found.during(() => throwServersFault(join(folder, "task.toml")));
  const set = toml?.fixture;
  if (set !== undefined) {
    const asked = `${join(folder, "task.toml")}: [cloche].fixture`;
    await found.during(async () => listFixture(await findFixture(root, set, asked)));
  }
  const files = await found.during(async () => filesOf(folder, entries));
  // Without a grader the other files are still to be looked at.
  const known = files ?? filesOf(folder, new Set([...entries, "grader.py"]));
  const instruction = await found.during(() => readInstruction(folder, known, entries));
  // What is only wrong as a whole; what was found above is not said twice.
  if (found.all.length === 0) await found.during(() => readTask(root, id));
  const programs = [...entries].filter((path) => path.endsWith(".py")).sort();
  const mistakes = await pythonMistakes(folder, programs).catch(() => undefined);
  for (const { path, line, what } of mistakes ?? []) {
    const message = `${join(folder, path)}, line ${line}: ${what}`;
    found.note(() => {
      throw taskFault("python-syntax", message);
    });
  }
  const hosts = toml?.egress ?? [];
  const notes = [
    ...(hosts.length > 0 ? [`reaches ${hosts.join(", ")}, where --allow-egress is given`] : []),
    ...(mistakes
      ? []
      : ["there is no python3 here: whether the .py files are Python is not known"]),
    ...(known.solution === null ? ["no solution.py: nobody shows that the task can be done"] : []),
    ...(Object.keys(known.cheats).length === 0 ? ["no cheats/*.py: no shortcut is tried"] : []),
    ...(await unsetVariables(folder, entries, instruction ?? "")),
  ];
  return { id, problems: found.all, notes };
}

/** A key that is wrong elsewhere hides a server's wrong name from whoever reads the file whole. */
async function throwServersFault(file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  const fault = serversFault(text, file);
  if (fault !== undefined) throw fault;
}

/** Checks all fixture sets, whether a task uses them or not. */
export async function checkFixtures(root: string): Promise<readonly CheckedFolder[]> {
  const sets = (await fixtureNames(root)).map(async (name): Promise<CheckedFolder> => {
    const id = `fixtures/${name}`;
    const found = new Problems(id);
    await found.during(() => listFixture({ name, folder: join(root, "fixtures", name) }));
    return { id, problems: found.all, notes: [] };
  });
  return await Promise.all(sets);
}

/** Variables of which no program of the task's has the name; a name may be put together, so a note. */
async function unsetVariables(
  folder: string,
  entries: ReadonlySet<string>,
  instruction: string,
): Promise<readonly string[]> {
  const programs = [...entries].filter((path) => /^[^/]+\.py$/.test(path));
  const texts = programs
    .filter((path) => !["grader.py", "solution.py"].includes(path))
    .map((path) => readFile(join(folder, path), "utf8").catch(() => ""));
  const code = (await Promise.all(texts)).join("\n");
  return variablesOf(instruction)
    .filter((name) => entries.has("generate.py") && !code.includes(name))
    .map((name) => `instruction.md has {{${name}}}, a name that generate.py does not have`);
}

class Problems {
  readonly #what: string;
  readonly #found: CheckedProblem[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  get all(): readonly CheckedProblem[] {
    return this.#found;
  }

  note(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#add(error);
    }
  }

  /** What the work gives, or nothing, and its fault is noted. */
  async during<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#add(error);
      return undefined;
    }
  }

  #add(error: unknown): void {
    const { code, message, detail } = asFault(error, (cause) =>
      taskFault("file-refused", `${this.#what}: ${messageOf(cause)}`, { cause }),
    );
    // The fault of a task.toml has all that is wrong with its keys and values.
    const several = detail["problems"] as readonly CheckedProblem[] | undefined;
    this.#found.push(...(several ?? [{ code, message }]));
  }
}
