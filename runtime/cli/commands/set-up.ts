import { type Command, Option } from "commander";
import { SANDBOX_IMAGES, type SandboxImage } from "../../image/sandbox-image.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { setUp } from "../set-up/set-up.ts";

const HELP = `
Finds a Docker Engine, or, as root on Debian or Ubuntu, installs and starts one; then builds the
images that are missing. Does nothing that has been done before.

Example:
  $ npm run setup`;

export function addSetUp(program: Command, context: Context): void {
  program
    .command("setup")
    .description("get an engine and the images ready")
    .addOption(
      new Option("--up-to <image>", "the largest image for sandboxes that is wanted")
        .choices(SANDBOX_IMAGES)
        .default("office-browser"),
    )
    .addHelpText("after", HELP)
    .action(async ({ upTo }: { readonly upTo: SandboxImage }) => {
      await setUp(context.terminal, context.env, { upTo });
      process.exitCode = EXIT.graded;
    });
}
