// Servers of ours that share one process. `office.mjs calendar` speaks MCP on its standard streams,
// as any server does; `office.mjs --many calendar mail` speaks it with several clients, each line
// led by the name of the server that it is for or from, and a tab.
import { mkdir } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import {
  type StdioServerHandle,
  StdioServerTransport,
  serveStdio,
} from "@modelcontextprotocol/server/stdio";
import { serveMany } from "./kit/many.ts";
import type { Surface, World } from "./kit/surface.ts";
import { serverOf } from "./kit/tool.ts";
import { WorkspaceFiles } from "./kit/workspace-files.ts";

/** Loaded when asked for: who needs a calendar does not wait for spreadsheets. */
const SURFACES: Readonly<Record<string, () => Promise<Surface>>> = {
  calendar: async () => (await import("./calendar/surface.ts")).calendarSurface,
  filesystem: async () => (await import("./filesystem/surface.ts")).filesystemSurface,
  memory: async () => (await import("./memory/surface.ts")).memorySurface,
  documents: async () => (await import("./documents/surface.ts")).documentsSurface,
  mail: async () => (await import("./mail/surface.ts")).mailSurface,
  search: async () => (await import("./search/surface.ts")).searchSurface,
  spreadsheet: async () => (await import("./spreadsheet/surface.ts")).spreadsheetSurface,
  web: async () => (await import("./web/surface.ts")).webSurface,
};

const MESSAGE_BYTES = 64 * 1024 * 1024;

const { CLOCHE_WORKSPACE: root = "/workspace", CLOCHE_STATE: state = "/state" } = process.env;
const world: World = {
  workspace: new WorkspaceFiles(root),
  stateOf: async (name) => {
    const folder = `${state}/${name}`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  },
};

const [first = "", ...others] = process.argv.slice(2);
const names = first === "--many" ? others : [first];
const unknown = names.find((name) => !Object.hasOwn(SURFACES, name));
if (unknown !== undefined) {
  const known = Object.keys(SURFACES).join(", ");
  process.stderr.write(`there is no server "${unknown}"; there are ${known}\n`);
  process.exit(2);
}
process.stdout.on("error", () => process.exit(0));
// What a library does behind a call's back must not take the other servers down.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${event}: ${error instanceof Error ? error.stack : String(error)}\n`);
  });
}

if (first === "--many") serveMany(names, serveOne, MESSAGE_BYTES);
else await serveOne(first, process.stdin, process.stdout);

async function serveOne(
  name: string,
  input: Readable,
  output: Writable,
): Promise<StdioServerHandle> {
  const facts = (await SURFACES[name]?.())?.(world);
  if (facts === undefined) throw new Error(`there is no server "${name}"`);
  const transport = new StdioServerTransport(input, output, { maxBufferSize: MESSAGE_BYTES });
  return serveStdio(() => serverOf(facts), { transport });
}
