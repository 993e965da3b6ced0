// Several servers in one program, as `office` is: each line is led by its server's name and a tab.
import { McpServer } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import { serveMany } from "../../../servers/kit/many.ts";

const [, ...names] = process.argv.slice(2);

serveMany(
  names,
  async (name, input, output) => {
    serveStdio(() => serverOf(name), { transport: new StdioServerTransport(input, output) });
  },
  16 * 1024 * 1024,
);

function serverOf(name: string): McpServer {
  const server = new McpServer({ name, version: "1.0.0" }, { instructions: `This is ${name}.` });
  const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
  const say = { description: "Says it again.", inputSchema: z.object({ text: z.string() }) };
  server.registerTool(`say_${name}`, say, async (input) => text(`${name}: ${input.text}`));
  server.registerTool(
    `flood_${name}`,
    { inputSchema: z.object({ bytes: z.number() }) },
    (input) => {
      return text("x".repeat(input.bytes));
    },
  );
  server.registerTool(`process_${name}`, {}, async () => text(String(process.pid)));
  server.registerTool(`garbage_${name}`, {}, async () => {
    for (let i = 0; i < 1_100; i++) process.stdout.write("nobody\tled this\n");
    return text("wrote it");
  });
  server.registerTool(`die_${name}`, {}, () => process.exit(3));
  return server;
}
