// A server as people write them, on the SDK: progress, sampling and tools that take their time.
import { setTimeout as sleep } from "node:timers/promises";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "sdk-fixture", version: "1.0.0" });

server.registerTool(
  "nap",
  { description: "Sleeps.", inputSchema: { ms: z.number() } },
  async ({ ms }) => {
    await sleep(ms);
    return { content: [{ type: "text", text: `slept ${ms}` }] };
  },
);

server.registerTool("count", { description: "Counts aloud." }, async (extra) => {
  const progressToken = extra._meta?.progressToken ?? 0;
  for (const progress of [1, 2]) {
    await extra.sendNotification({
      method: "notifications/progress",
      params: { progressToken, progress, total: 2 },
    });
  }
  return { content: [{ type: "text", text: "counted" }] };
});

server.registerTool("ask-model", { description: "Asks the client's model." }, async () => {
  const message = { role: "user" as const, content: { type: "text" as const, text: "hello?" } };
  const said = await server.server.createMessage({ messages: [message], maxTokens: 10 });
  return { content: [{ type: "text", text: JSON.stringify(said.content) }] };
});

await server.connect(new StdioServerTransport());
