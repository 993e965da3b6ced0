// A server whose tools do, on request, each odd thing that a server may do. Also says what it got.
import { type Raw, say, serveRaw, textResult, tool } from "./raw-server.ts";

const seen: Raw[] = [];
const asked = new Map<unknown, unknown>();

const TOOLS = [
  "echo",
  "sleep",
  "progress",
  "sample",
  "huge",
  "structured",
  "fail",
  "protocol-error",
  "garbage",
  "die",
  "exhaust",
  "log",
  "seen",
  "twice",
  "hang",
  "no-object",
  "log-later",
  "flood",
].map(tool);

const NO_ID = { description: "out of" };

serveRaw(
  TOOLS,
  (message) => {
    if (message.method === undefined) return answered(message);
    seen.push(message);
    if (message.method === "tools/call") return call(message);
    if (message.id === undefined) return;
    say({ id: message.id, result: { echoed: message.params, method: message.method } });
  },
  { tools: { listChanged: true }, logging: {} },
);

function call({ id, params = {} }: Raw): void {
  const args = (params["arguments"] ?? {}) as Record<string, unknown>;
  const meta = params["_meta"] as Record<string, unknown> | undefined;
  const token = meta?.["progressToken"];
  const reply = (result: object) => say({ id, result });
  switch (params["name"]) {
    case "echo":
      reply({
        content: [{ type: "text", text: String(args["text"]) }],
        structuredContent: { args, meta },
        _meta: { "test/own": [1, null, { deep: true }] },
        unknownMember: "kept",
      });
      return;
    case "sleep":
      return void setTimeout(() => reply(textResult("slept")), Number(args["ms"]));
    case "progress":
      for (const progress of [1, 2, 3]) {
        const told = { progressToken: token, progress, total: 3, message: `step ${progress}` };
        say({ method: "notifications/progress", params: told });
      }
      reply(textResult("done"));
      return;
    case "sample":
      asked.set("mine-1", id);
      say({
        id: "mine-1",
        method: "sampling/createMessage",
        params: { maxTokens: 5, args },
      });
      return;
    case "huge":
      reply(textResult(String(args["text"] ?? "x").repeat(Number(args["times"]))));
      return;
    case "structured": {
      const text = 'é"\n'.repeat(Number(args["times"]));
      reply({ ...textResult(text), structuredContent: { content: text, count: 3 } });
      return;
    }
    case "fail":
      reply({ ...textResult("it failed"), isError: true });
      return;
    case "protocol-error":
      say({ id, error: { code: -32050, message: "own words", data: { why: ["this"] } } });
      return;
    default:
      oddCall(id, String(params["name"]), args);
      return;
  }
}

function oddCall(id: unknown, name: string, args: Record<string, unknown>): void {
  switch (name) {
    case "garbage":
      for (let line = 0; line < Number(args["lines"]); line++)
        say("\u001b[1mthis is no JSON\u001b[0m");
      say({ id, result: textResult("after garbage") });
      return;
    case "die":
      process.stderr.write("about to die\n");
      process.exit(3);
      return;
    case "exhaust": {
      const held: Buffer[] = [];
      for (;;) held.push(Buffer.alloc(16 * 1024 * 1024, 1));
    }
    case "log":
      say({ method: "notifications/message", params: { level: "info", data: args } });
      say({ id, result: textResult("logged") });
      return;
    case "seen":
      say({ id, result: { ...textResult("seen"), structuredContent: { seen } } });
      return;
    case "twice":
      say({ id, result: textResult("first") });
      say({ id: String(id), result: textResult("forged") });
      say({ id: 99_999, result: textResult(`${NO_ID.description} nowhere`) });
      say({ id, result: textResult("second") });
      return;
    case "flood":
      for (let told = 0; told < Number(args["times"]); told++) {
        say({ method: "notifications/message", params: { level: "info", data: told } });
      }
      say({ id, result: textResult("flooded") });
      return;
    case "log-later": {
      const later = { method: "notifications/message", params: { level: "info", data: "later" } };
      setTimeout(() => say(later), 100);
      say({ id, result: textResult("later") });
      return;
    }
    case "no-object":
      say({ id, result: 5 });
      return;
    default:
      return;
  }
}

function answered(message: Raw): void {
  const id = asked.get(message.id);
  if (id === undefined) return;
  const structuredContent = { answer: message.result ?? message.error };
  say({ id, result: { ...textResult("sampled"), structuredContent } });
}
