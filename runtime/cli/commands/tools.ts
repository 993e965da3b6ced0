import { type Command, Option } from "commander";
import type { ToolFormat } from "../../api/tool-formats.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Manifest } from "../../mcp/manifest.ts";
import { SHIPPED_SERVERS } from "../../mcp/server-spec.ts";
import { findTask } from "../../task/task-list.ts";
import { type CommonOptions, type Context, tasksRoot } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { cliFault } from "../faults.ts";
import { plain, table } from "../terminal.ts";
import { shippedGreetings } from "../tools/shipped-greetings.ts";
import { ENCODING, type ServerTools, toolCosts } from "../tools/tool-costs.ts";

interface ToolsOptions extends CommonOptions {
  readonly server: readonly string[];
  readonly task?: string;
  readonly format: ToolFormat;
}

const HELP = `
Examples:
  $ npx cloche tools                                   every server, and what its tools cost
  $ npx cloche tools --server calendar                 each tool of one
  $ npx cloche tools --task library/catalogue-update --format openai --json

Tokens are counted in ${ENCODING}, over the JSON of the tools and the servers' instructions.`;

export function addTools(program: Command, context: Context): void {
  program
    .command("tools")
    .description("what an agent sees of the servers, and how many tokens it costs")
    .option("--server <name>", "only this one; may be given again", collect, [])
    .option("--task <id>", "the servers of a task")
    .option("--root <folder>", "where tasks/ and fixtures/ lie (default: this repository)")
    .addOption(
      new Option("--format <format>", "how tools are written")
        .choices(["mcp", "openai", "anthropic"])
        .default("mcp"),
    )
    .option("--json", "one JSON document {format, tokens, servers, tools} on stdout")
    .addHelpText("after", HELP)
    .action(async (options: ToolsOptions) => {
      await show(context, options);
      process.exitCode = EXIT.graded;
    });
}

async function show(context: Context, options: ToolsOptions): Promise<void> {
  const { terminal } = context;
  const { wanted, others } = await wantedServers(context, options);
  const { greetings, source } = await shippedGreetings(
    wanted.flatMap((name) => SHIPPED_SERVERS[name] ?? []),
    context.env,
  );
  const chosen: Manifest = Object.fromEntries(
    wanted.flatMap((name) => (greetings[name] === undefined ? [] : [[name, greetings[name]]])),
  );
  const servers = await toolCosts(chosen, options.format);
  for (const name of others) {
    terminal.err(`"${name}" is the task's own server: what it says is seen in a rollout alone\n`);
  }
  if (options.json) {
    terminal.out(`${JSON.stringify(document(servers, options.format), null, 2)}\n`);
    return;
  }
  terminal.out(overview(servers));
  if (servers.length <= 1 || options.server.length > 0) terminal.out(details(servers));
  if (source === "sources") {
    const remark = "from the servers' sources: the images are not there, or of another state";
    terminal.err(`${terminal.paint.dim(remark)}\n`);
  }
}

async function wantedServers(
  context: Context,
  options: ToolsOptions,
): Promise<{ readonly wanted: readonly string[]; readonly others: readonly string[] }> {
  const shipped = Object.keys(SHIPPED_SERVERS);
  for (const name of options.server) {
    if (shipped.includes(name)) continue;
    const known = `Cloche ships ${shipped.join(", ")}`;
    const message = `--server is "${name}": ${known}${didYouMean(name, shipped)}`;
    throw cliFault("bad-option", message);
  }
  const isWanted = (name: string) => options.server.length === 0 || options.server.includes(name);
  if (options.task === undefined) return { wanted: shipped.filter(isWanted), others: [] };
  const { servers } = await findTask(tasksRoot(context, options), options.task);
  const names = servers.map(({ name }) => name).filter(isWanted);
  const isShipped = (name: string) => shipped.includes(name);
  return { wanted: names.filter(isShipped), others: names.filter((name) => !isShipped(name)) };
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
