import type { Json } from "../../base/canonical-json.ts";
import type { Step } from "../../mcp/record/step.ts";

const LINE = 100;
const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except " +
    "finally for from global if import in is lambda nonlocal not or pass raise return try while " +
    // What `agent.call` takes for itself.
    "with yield self tool check"
  ).split(" "),
);

/** The start of a solution.py: the calls as they were made, one after the other. */
export function solutionText(task: string, variant: number, steps: readonly Step[]): string {
  const calls = steps.map((step) => `    ${call(step)}\n`);
  return [
    `"""What was done in a play of ${task}, variant ${variant}: the start of a solution."""\n\n\n`,
    "def solve(agent):\n",
    ...calls,
    '    return "done"\n',
  ].join("");
}

function call({ exposedName, arguments: args, outcome }: Step): string {
  const given = Object.entries((args ?? {}) as Record<string, Json>);
  const failed = outcome !== "ok";
  const tool = python(exposedName);
  if (!given.every(([name]) => isName(name))) {
    const note = failed ? ", check=False" : "";
    return `agent.call_all([(${tool}, ${python((args ?? {}) as Json)})]${note})`;
  }
  const parts = [
    tool,
    ...(failed ? ["check=False"] : []),
    ...given.map(([name, value]) => `${name}=${python(value)}`),
  ];
  const line = `agent.call(${parts.join(", ")})`;
  return line.length + 4 <= LINE
    ? line
    : `agent.call(\n        ${parts.join(",\n        ")},\n    )`;
}

function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name);
}

/** JSON as Python writes it; texts of JSON are texts of Python. */
function python(value: Json): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}: ${python(member as Json)}`,
    );
    return `{${members.join(", ")}}`;
  }
  return JSON.stringify(value);
}
