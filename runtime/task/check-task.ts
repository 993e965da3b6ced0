import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { asFault, type Fault, messageOf } from "../base/fault.ts";
import { didYouMean } from "../base/nearest.ts";
import { taskFault } from "./faults.ts";
import { findFixture, fixtureNames, listFixture } from "./fixture-set.ts";
import { variablesOf } from "./instruction.ts";
import { type PythonSources, pythonSources } from "./python-sources.ts";
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
  const sources = await pythonSources(folder, programs).catch(() => undefined);
  for (const fault of sources ? sourceFaults(folder, sources) : []) found.add(fault);
  const unset = unsetVariables(entries, instruction ?? "", sources);
  for (const fault of unset.faults(join(folder, "instruction.md"))) found.add(fault);
  const hosts = toml?.egress ?? [];
  const notes = [
    ...(hosts.length > 0 ? [`reaches ${hosts.join(", ")}, where --allow-egress is given`] : []),
    ...(sources ? [] : ["there is no python3 here: whether the .py files are Python is not known"]),
    ...(known.solution === null ? ["no solution.py: nobody shows that the task can be done"] : []),
    ...(Object.keys(known.cheats).length === 0 ? ["no cheats/*.py: no shortcut is tried"] : []),
    ...unset.notes,
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

function sourceFaults(folder: string, { mistakes, grader }: PythonSources): readonly Fault[] {
  const wrong = mistakes.map(({ path, line, what }) =>
    taskFault("python-syntax", `${join(folder, path)}, line ${line}: ${what}`),
  );
  const lacking = grader.map((what) =>
    taskFault("grader-refused", `${join(folder, "grader.py")} ${what}`),
  );
  return [...wrong, ...lacking];
}

/** Variables that the generator does not set; a note where it may set them in a way unseen. */
function unsetVariables(
  entries: ReadonlySet<string>,
  instruction: string,
  sources: PythonSources | undefined,
) {
  const known = sources?.variables;
  const asked = known && entries.has("generate.py") ? variablesOf(instruction) : [];
  const unset = asked.filter((name) => !known?.names.includes(name));
  const words = (name: string) => `nothing sets {{${name}}}`;
  return {
    faults: (file: string) =>
      known?.sure
        ? unset.map((name) => {
            const near = didYouMean(name, known.names) || "; set it in generate.py";
            return taskFault("unknown-variable", `${file}: ${words(name)}${near}`);
          })
        : [],
    notes: known?.sure
      ? []
      : unset
          .filter((name) => !known?.texts.includes(name))
          .map((name) => `instruction.md has {{${name}}}, a name that generate.py does not have`),
  };
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
      this.add(error);
    }
  }

  /** What the work gives, or nothing, and its fault is noted. */
  async during<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.add(error);
      return undefined;
    }
  }

  add(error: unknown): void {
    const { code, message, detail } = asFault(error, (cause) =>
      taskFault("file-refused", `${this.#what}: ${messageOf(cause)}`, { cause }),
    );
    // The fault of a task.toml has all that is wrong with its keys and values.
    const several = detail["problems"] as readonly CheckedProblem[] | undefined;
    this.#found.push(...(several ?? [{ code, message }]));
  }
}
