// Says, byte for byte, what it is told in its arguments to say, and what it heard.
import { createInterface } from "node:readline";

const RAW = JSON.parse(process.argv[2] ?? "[]") as readonly string[];

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, error, result } = JSON.parse(line);
  const answer = (text: string) => write(`{"jsonrpc":"2.0","id":${id},"result":${text}}`);
  if (method === "initialize") {
    const info = `"serverInfo":{"name":"exact","version":"1"}`;
    answer(`{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},${info}}`);
  } else if (method === "tools/list") {
    const named = ["say", "hear", "ask", "hang", "bytes"].map((name) => {
      return `{"name":"${name}","inputSchema":{"type":"object"}}`;
    });
    answer(`{"tools":[${named.join(",")}]}`);
  } else if (method === "tools/call" && params.name === "say") {
    answer(`{"content":[],"structuredContent":${RAW[params.arguments.index]}}`);
  } else if (method === "tools/call" && params.name === "hear") {
    answer(`{"content":[{"type":"text","text":${JSON.stringify(line)}}]}`);
  } else if (method === "tools/call" && params.name === "ask") {
    write(`{"jsonrpc":"2.0","id":"ask-${id}","method":"${params.arguments.method}","params":{}}`);
  } else if (method === "tools/call" && params.name === "bytes") {
    const head = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
    const parts = [Buffer.from(head), Buffer.from([0x61, 0xff, 0x62]), Buffer.from(`"}]}}\n`)];
    process.stdout.write(Buffer.concat(parts));
  } else if (method === "notifications/cancelled") {
    process.stderr.write(`cancelled ${params.requestId}\n`);
  } else if (typeof id === "string" && id.startsWith("ask-")) {
    const text = JSON.stringify(JSON.stringify(error ?? result));
    const said = `{"content":[{"type":"text","text":${text}}]}`;
    write(`{"jsonrpc":"2.0","id":${id.slice(4)},"result":${said}}`);
  }
});
process.stdin.on("end", () => process.exit(0));
