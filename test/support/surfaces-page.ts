import { greetingsFromSources } from "../../runtime/cli/tools/shipped-greetings.ts";
import { ENCODING, type ServerTools, toolCosts } from "../../runtime/cli/tools/tool-costs.ts";
import { SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";

const HEAD = `# The surfaces

What agents are shown, as the servers themselves say it. A task names the servers that it needs
(\`[[environment.mcp_servers]] name = "calendar"\`) and gets the smallest image that has them; where
tools of two servers have the same name, all of them become \`<server>__<tool>\`.

Written by \`node test/support/write-surfaces.ts\`, which bundles and starts each server; a test holds
the two equal. \`./cloche.mjs tools\` prints the same for one server or for a task, as JSON too, in the
formats of MCP, OpenAI and Anthropic.
`;

interface Parameter {
  readonly type?: unknown;
  readonly description?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Parameter[];
  readonly items?: Parameter;
}

/** docs/surfaces.md as it should be now. */
export async function surfacesPage(): Promise<string> {
  const servers = await toolCosts(await greetingsFromSources("office-browser"), "mcp");
  const sections = servers.map(section);
  return [HEAD, overview(servers), ...sections].join("\n");
}

function overview(servers: readonly ServerTools[]): string {
  const rows = servers.map(({ name, tools, tokens }) => {
    const spec = SHIPPED_SERVERS[name];
    const [image, user] =
      spec?.kind === "stdio" ? [spec.image ?? "office", spec.user] : ["any", "agent"];
    const cells = [`[\`${name}\`](#${name})`, image, user, tools.length, tokens];
    return `| ${cells.join(" | ")} |`;
  });
  const head = `| server | image | runs as | tools | tokens (${ENCODING}) |\n|---|---|---|--:|--:|`;
  return [head, ...rows, ""].join("\n");
}

function section({ name, instructions, tools }: ServerTools): string {
  const said = instructions === "" ? [] : [quoted(instructions), ""];
  return [`## ${name}`, "", ...said, ...tools.map(toolLines)].join("\n");
}

function toolLines({ name, description, definition }: ServerTools["tools"][number]): string {
  const { inputSchema, annotations } = definition as {
    readonly inputSchema?: { properties?: Record<string, Parameter>; required?: string[] };
    readonly annotations?: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean };
  };
  const kind = annotations?.readOnlyHint
    ? " (reads)"
    : annotations?.destructiveHint
      ? " (may overwrite)"
      : "";
  const required = inputSchema?.required ?? [];
  const parameters = Object.entries(inputSchema?.properties ?? {}).map(([parameter, schema]) => {
    const note = required.includes(parameter) ? "" : ", optional";
    const text = typeof schema.description === "string" ? `: ${inline(schema.description)}` : "";
    return `- \`${parameter}\` (${typeOf(schema)}${note})${text}`;
  });
  const list = parameters.length === 0 ? [] : ["", ...parameters];
  return [`### ${name}${kind}`, "", inline(description), ...list, ""].join("\n");
}

function typeOf(schema: Parameter): string {
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(", ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  return Array.isArray(schema.type) ? schema.type.join(" or ") : String(schema.type ?? "anything");
}

function inline(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

function quoted(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}
