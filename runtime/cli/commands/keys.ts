import type { Command } from "commander";
import { newKey, parseKeys } from "../../api/keys.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";

const HELP = `
The key is shown once and stored nowhere; the service needs only the line with its hash. Bounds may
be added to the line: rate=10 (requests a second), burst=20 (at once), open=50 (rollouts at once).

Example:
  $ npx cloche keys new trainer-1 | tee /dev/stderr | sed -n 's/^line  *//p' >> keys
  $ npx cloche serve --keys keys

Exit codes: 0 made, 2 the id cannot be used.`;

export function addKeys(program: Command, context: Context): void {
  program
    .command("keys")
    .description("keys for callers of the service")
    .command("new <id>")
    .description("make a key; its line is for the file of --keys")
    .option("--json", "one JSON document {id, key, line} on stdout")
    .addHelpText("after", HELP)
    .action((id: string, options: { readonly json?: boolean }) => {
      const { key, line } = newKey(id);
      parseKeys(line, "the new key"); // Refuses an id that no key file may have.
      const { out } = context.terminal;
      if (options.json) out(`${JSON.stringify({ id, key, line }, null, 2)}\n`);
      else out(`key   ${key}\nline  ${line}\n`);
      process.exitCode = EXIT.graded;
    });
}
