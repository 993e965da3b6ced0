import { type Command, Option } from "commander";
import { Fault } from "../../base/fault.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Manifest } from "../../mcp/link/manifest.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../mcp/server-spec.ts";
import type { ToolFormat } from "../../mcp/tool-formats.ts";
import type { Task } from "../../task/task.ts";
import { findTask } from "../../task/task-list.ts";
import type { CommonOptions, Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { openParts, taskRoots } from "../parts.ts";
import { ROOT } from "../repeated.ts";
import { plain, table } from "../terminal.ts";
import { isOwn, ownGreetings } from "../tools/own-greetings.ts";
import { shippedGreetings } from "../tools/shipped-greetings.ts";
import { ENCODING, type ServerTools, toolCosts } from "../tools/tool-costs.ts";

interface ToolsOptions extends CommonOptions {
  readonly server: readonly string[];
  readonly task?: string;
  readonly format: ToolFormat;
}

const HELP = `
Examples:
  $ ./cloche.mjs tools                                   every server, and what its tools cost
  $ ./cloche.mjs tools --server calendar                 each tool of one
  $ ./cloche.mjs tools --task library/catalogue-update --format openai --json

A task's own servers are started in a sandbox, filled as for a rollout of variant 1.
Tokens are counted in ${ENCODING}, over the JSON of the tools and the servers' instructions.`;

export function addTools(program: Command, context: Context): void {
  program
    .command("tools")
    .description("what an agent sees of the servers, and how many tokens it costs")
    .option("--server <name>", "only this one; may be given again", collect, [])
    .option("--task <id>", "the servers of a task, its own too, which need an engine")
    .option(...ROOT)
    .addOption(
      new Option("--format <format>", "how tools are written")
        .choices(["mcp", "openai", "anthropic"])
        .default("mcp"),
    )
    .option("--json", "one JSON document {format, tokens, servers, tools, notShown} on stdout")
    .option("--data <folder>", "the data folder, for a task's own servers (or CLOCHE_DATA)")
    .addHelpText("after", HELP)
    .action(async (options: ToolsOptions) => {
      await show(context, options);
      process.exitCode = EXIT.graded;
    });
}

async function show(context: Context, options: ToolsOptions): Promise<void> {
  const { terminal } = context;
  const { task, wanted } = await wantedServers(context, options);
  const shipped = wanted.filter((server) => !isOwn(server));
  const { greetings, source } = await shippedGreetings(shipped, context.env);
  const others = wanted.filter(isOwn);
  const own = await askOwn(context, options, task, others);
  const known: Manifest = { ...greetings, ...own.greetings };
  const chosen: Manifest = Object.fromEntries(
    wanted.flatMap(({ name }) => (known[name] === undefined ? [] : [[name, known[name]]])),
  );
  const servers = await toolCosts(chosen, options.format);
  for (const { name, why } of own.notShown) {
    terminal.err(`"${name}", the task's own server, is not shown: ${why}\n`);
  }
  if (options.json) {
    const shown = { ...document(servers, options.format), notShown: own.notShown };
    terminal.out(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  terminal.out(overview(servers));
  if (servers.length <= 1 || options.server.length > 0) terminal.out(details(servers));
  if (source === "sources") {
    const remark = "from the servers' sources: the images are not there, or of another state";
    terminal.err(`${terminal.paint.dim(remark)}\n`);
  }
}

interface Wanted {
  /** Null: all that ship. */
  readonly task: Task | null;
  readonly wanted: readonly ServerSpec[];
}

async function wantedServers(context: Context, options: ToolsOptions): Promise<Wanted> {
  const task =
    options.task === undefined
      ? null
      : await findTask(await taskRoots(context, options), options.task);
  const there = task === null ? Object.values(SHIPPED_SERVERS) : task.servers;
  const names = there.map(({ name }) => name);
  for (const name of options.server) {
    if (names.includes(name)) continue;
    const has = task === null ? "Cloche ships" : `${task.id} has`;
    const known = `${has} ${names.join(", ")}`;
    const message = `--server is "${name}": ${known}${didYouMean(name, names)}`;
    throw cliFault("bad-option", message);
  }
  const isWanted = (name: string) => options.server.length === 0 || options.server.includes(name);
  return { task, wanted: there.filter(({ name }) => isWanted(name)) };
}

interface OwnServers {
  readonly greetings: Manifest;
  /** Those that could not be asked. */
  readonly notShown: readonly { readonly name: string; readonly why: string }[];
}

/** A task's own servers say what they are in a sandbox alone; without one it is said why. */
async function askOwn(
  context: Context,
  options: ToolsOptions,
  task: Task | null,
  own: readonly ServerSpec[],
): Promise<OwnServers> {
  if (task === null || own.length === 0) return { greetings: {}, notShown: [] };
  try {
    await using parts = await openParts(context, options);
    return { greetings: await ownGreetings(task, own, parts), notShown: [] };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const why = `${error.code}: ${error.message}`;
    return { greetings: {}, notShown: own.map(({ name }) => ({ name, why })) };
  }
}

function document(servers: readonly ServerTools[], format: ToolFormat) {
  const sum = servers.reduce((all, { tokens }) => all + tokens, 0);
  return {
    format,
    tokens: { encoding: ENCODING, sum },
    servers: servers.map(({ tools, ...server }) => ({
      ...server,
      tools: tools.map(({ name, tokens }) => ({ name, tokens })),
    })),
    tools: servers.flatMap(({ tools }) => tools.map(({ definition }) => definition)),
  };
}

function overview(servers: readonly ServerTools[]): string {
  const number = (value: number) => value.toLocaleString("en-US").padStart(7);
  const rows = servers.map(({ name, tools, tokens, bytes, instructions }) => {
    return [name, number(tools.length), number(tokens), number(bytes), plain(instructions, 60)];
  });
  const sum = (of: (server: ServerTools) => number) =>
    number(servers.reduce((all, one) => all + of(one), 0));
  const last = ["all", sum((one) => one.tools.length), sum((one) => one.tokens)];
  const head = ["server", "  tools", " tokens", "  bytes", "what it says it is for"];
  const all = [...last, sum((one) => one.bytes), `tokens in ${ENCODING}`];
  return table([head, ...rows, all]);
}

function details(servers: readonly ServerTools[]): string {
  return servers
    .map(({ name, tools }) => {
      const rows = tools.map((tool) => {
        return [`  ${tool.name}`, String(tool.tokens).padStart(5), plain(tool.description, 90)];
      });
      return `\n${name}\n${table(rows)}`;
    })
    .join("");
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
