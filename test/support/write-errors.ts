import { writeFileSync } from "node:fs";
import { errorRow, sourceFaults } from "./source-faults.ts";

const HEAD = `# Error codes

Every fault has a stable code, \`<room>/<kind>\`, a message that says what happened, to what, what came
back and what to do, and a blame. The blame decides the outcome of a rollout that the fault ended:

| blame | outcome |
|---|---|
| caller | \`cancelled\`, or the command does not start (exit 2) |
| task | \`task_error\` |
| grader | \`grader_error\` |
| agent | \`agent_error\` |
| engine, store | \`infra_error\` |

\`agent_error\` has the reward 0; the others have none: \`reward\` is \`null\`, no sample. A tool's error, an exit
code, a limit hit and a cancelled call are results and have no code here.

Written by \`npm run errors\` from the tables in \`runtime/*/faults.ts\`; a test holds the two equal.

| code | blame | what it means | what to do |
|---|---|---|---|
`;

writeFileSync("docs/errors.md", `${HEAD}${(await sourceFaults()).map(errorRow).join("\n")}\n`);
