import { type FaultKind, faultMaker } from "../base/fault.ts";

/** What can be wrong with a task, or with how one was asked for. */
export const TASK_FAULTS = {
  unknown: {
    blame: "caller",
    means: "No task has this name.",
    remedy: "See `cloche task list` for the names.",
  },
  "bad-root": {
    blame: "caller",
    means:
      "A folder that tasks were to be found in (--root) is none, cannot be read or has no task.",
    remedy: "Give --root the folder that holds tasks/ and fixtures/.",
  },
  ambiguous: {
    blame: "caller",
    means: "Several --root have a task, or a fixture set, of the same name.",
    remedy: "Rename one of those that the message names, or leave one --root out.",
  },
  exists: {
    blame: "caller",
    means: "A new task was to be written where there is something already.",
    remedy: "Give another name, or move away what is there.",
  },
  "not-written": {
    blame: "caller",
    means: "The folder of a new task could not be written.",
    remedy: "See what the message says: rights, room, or a file in the folder's place.",
  },
  "no-such-variant": {
    blame: "caller",
    means: "The task has no variant of this number.",
    remedy: "Give a number from 1 to the task's [cloche.variants].count.",
  },
  "no-toml": {
    blame: "task",
    means: "A folder under tasks/<category>/ holds no task.toml.",
    remedy: "Write one, or move the folder away.",
  },
  "toml-syntax": {
    blame: "task",
    means: "task.toml is not TOML.",
    remedy: "Mend the named line.",
  },
  "unknown-key": {
    blame: "task",
    means: "task.toml has a key that Cloche does not know.",
    remedy: "Correct its spelling or its section, or remove it.",
  },
  "bad-value": {
    blame: "task",
    means: "A value in task.toml is missing, of a wrong type or out of its bounds.",
    remedy: "Give the named field a value as the message says.",
  },
  "wrong-name": {
    blame: "task",
    means: "[task].name is not the path of the task's folder under tasks/.",
    remedy: "Rename the folder or correct the name.",
  },
  "bad-folder-name": {
    blame: "task",
    means: "A folder under tasks/ has a name that no task can have.",
    remedy: "Use lower-case letters, digits and hyphens.",
  },
  "no-grader": {
    blame: "task",
    means: "The task has no grader.py.",
    remedy: "Write one; without it nothing can be graded.",
  },
  "python-syntax": {
    blame: "task",
    means: "A .py file of the task is not Python 3.11.",
    remedy: "Mend the named line.",
  },
  "no-instruction": {
    blame: "task",
    means: "The task has no instruction.md, or an empty one.",
    remedy: "Write what the agent is told to do.",
  },
  "unknown-variable": {
    blame: "task",
    means: "instruction.md uses a {{variable}} that generate.py does not set.",
    remedy: "Set it in generate.py (variant.variables) or correct its spelling.",
  },
  "unknown-server": {
    blame: "task",
    means: "task.toml names an MCP server that Cloche does not ship and gives no command for it.",
    remedy: "Correct the name, or give transport, command and args.",
  },
  "no-fixture": {
    blame: "task",
    means: "The fixture set that task.toml names is not under fixtures/.",
    remedy: "Correct [cloche].fixture or make the folder.",
  },
  "fixture-refused": {
    blame: "task",
    means:
      "A fixture holds what no workspace may begin with, or more than the task's limits allow.",
    remedy: "Remove the named file or raise the named limit.",
  },
  "fixture-altered": {
    blame: "task",
    means: "A fixture set is not what its manifest.json says: a file or its hash, or no manifest.",
    remedy: "Undo the change, or take it over with `cloche fixture seal <set>`.",
  },
  "file-refused": {
    blame: "task",
    means: "A file of the task cannot be used: a link, a device, unreadable, not JSON, not UTF-8.",
    remedy: "Replace the named file by a plain one.",
  },
  "generate-failed": {
    blame: "task",
    means: "generate.py did not make the variant.",
    remedy: "Read the traceback in the message and mend generate.py.",
  },
  "grader-refused": {
    blame: "task",
    means: "grader.py cannot be loaded, or declares no criteria or two with one name.",
    remedy: "Mend grader.py as the message says.",
  },
} as const satisfies Record<string, FaultKind>;

export const taskFault = faultMaker("task", TASK_FAULTS);
