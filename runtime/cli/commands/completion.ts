import { Argument, type Command } from "commander";
import { completionFor, SHELLS, type Shell } from "../completion.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";

const HELP = `
Completes commands, options and their values for "cloche" and "./cloche.mjs".

Examples:
  $ ./cloche.mjs completion bash >> ~/.bashrc
  $ ./cloche.mjs completion zsh >> ~/.zshrc
  $ ./cloche.mjs completion fish > ~/.config/fish/completions/cloche.fish

Exit codes: 0 written, 2 no such shell.`;

/** `cloche completion`. */
export function addCompletion(program: Command, { terminal }: Context): void {
  program
    .command("completion")
    .description("print what makes a shell complete commands and options")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => {
      terminal.out(completionFor(shell, program));
      process.exitCode = EXIT.graded;
    });
}
