/** A task's MCP server that does, when it is asked to, what a hostile one would. For `node -e`. */
export const HOSTILE = `
const out = (t) => process.stdout.write(t);
const say = (m) => out(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
const text = (t) => ({ content: [{ type: "text", text: t }] });
const names = ["huge", "endless", "flood", "deep", "odd", "garbage", "half", "hang", "change", "echo", "ask", "wide"];
const hello = { protocolVersion: "2025-11-25", capabilities: { tools: { listChanged: true }, logging: {} },
  serverInfo: { name: "odd", version: "1" } };
const seen = [];
let changed = false;
const write = (chunk) => new Promise((done) => process.stdout.write(chunk, done));
const does = {
  echo: (id, a) => say({ id, result: text(String(a.text)) }),
  huge: async (id, a) => {
    await write('{"result":{"content":[{"type":"text","text":"');
    for (let left = a.bytes; left > 0; left -= 65536) await write("x".repeat(Math.min(left, 65536)));
    await write('"}]},"jsonrpc":"2.0","id":' + id + "}\\n");
  },
  endless: async () => { for (;;) await write("x".repeat(65536)); },
  flood: async (id, a) => {
    const line = JSON.stringify({ jsonrpc: "2.0", method: "notifications/message",
      params: { level: "info", data: "flood" } }) + "\\n";
    for (let n = 0; n < a.times; n += 500) await write(line.repeat(500));
    say({ id, result: text("flooded") });
  },
  deep: (id, a) => out('{"jsonrpc":"2.0","id":' + id + ',"result":' + "[".repeat(a.depth) + "]".repeat(a.depth) + "}\\n"),
  wide: (id, a) => out('{"jsonrpc":"2.0","id":' + id + ',"result":{"x":[' + "[],".repeat(a.values) + "0]}}\\n"),
  odd: (id, a) => out('{"jsonrpc":"2.0","id":' + id + ',"result":' + a.json + "}\\n"),
  garbage: (id, a) => {
    out("\\ufeff\\u001b[31mANSI\\u001b[0m\\r\\n\\r\\n");
    process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]));
    for (let n = 0; n < a.lines; n++) out("no json " + n + "\\n");
    out(JSON.stringify({ jsonrpc: "2.0", id, result: text("after garbage") }) + "\\r\\n");
  },
  half: () => { require("fs").closeSync(1); setInterval(() => {}, 1000); },
  hang: () => {},
  change: (id) => {
    changed = true;
    say({ method: "notifications/tools/list_changed" });
    say({ id, result: text("changed") });
  },
  ask: (id) => {
    say({ id: 1, method: "sampling/createMessage", params: {} });
    say({ id: "x", method: "roots/list" });
    say({ id: 1, method: "elicitation/create", params: {} });
    say({ id: id, result: text("asked " + seen.length) });
    say({ id: id, result: text("twice") });
  },
};
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === undefined) seen.push(line);
  if (method === "initialize") say({ id, result: hello });
  else if (method === "tools/list") {
    say({ id, result: { tools: (changed ? ["evil"] : names).map((name) => ({ name, inputSchema: { type: "object" } })) } });
  } else if (method === "tools/call") does[params.name](id, params.arguments || {});
});
process.stdin.on("end", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
`;

/** One that lists these tools, a JavaScript expression, and answers nothing else. */
export function listing(tools: string, hello = "{}"): string {
  return `
const say = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
const tool = (name, more) => ({ name, inputSchema: { type: "object" }, ...more });
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (method === "initialize") say({ id, result: { protocolVersion: "2025-11-25",
    capabilities: { tools: {} }, serverInfo: { name: "odd", version: "1" }, ...${hello} } });
  else if (method === "tools/list") say({ id, result: { tools: ${tools} } });
  else if (method === "tools/call") say({ id, result: { content: [] } });
});
process.stdin.on("end", () => process.exit(0));
`;
}
