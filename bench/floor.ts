import { spawn } from "node:child_process";
import { once } from "node:events";
import type { HttpClient } from "./http-client.ts";
import type { Caller } from "./mcp-clients.ts";

/** Reads a body, answers with a result of the tool's size, and does nothing else. */
const SERVER = `
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, result: { content: [
  { type: "text", text: "Allowed directories: /workspace" }] } });
const server = require("node:http").createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(server.address().port + "\\n"));
process.stdin.resume().on("end", () => process.exit());
`;

/** What HTTP between two Node processes costs on this machine, with nothing behind it. */
export async function openFloor(
  http: HttpClient,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<Caller> {
  const child = spawn(process.execPath, ["-e", SERVER], { stdio: ["pipe", "pipe", "ignore"], env });
  stack.defer(() => void child.kill("SIGKILL"));
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  const url = `http://127.0.0.1:${port.toString().trim()}/`;
  return {
    call: async (name, args) => {
      const params = { name, arguments: args };
      const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
      const { text } = await http.ask(url, { method: "POST", body });
      return JSON.parse(text);
    },
  };
}
