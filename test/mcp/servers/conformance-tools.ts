// What the conformance suite asks of tools. The names and texts are the suite's, the code is ours.
import { setTimeout as sleep } from "node:timers/promises";
import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server";

export type Args = Readonly<Record<string, unknown>>;

interface FixtureTool {
  readonly inputSchema?: object;
  readonly call: (args: Args, ctx: ServerContext) => Promise<CallToolResult> | CallToolResult;
}

interface Question {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params: Record<string, unknown>;
}

/** One red pixel. */
export const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/** A WAV header and no sound. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/** Asks the client, under the name by which a modern one is to answer. */
export async function ask(ctx: ServerContext, key: string, question: Question): Promise<unknown> {
  const params = { ...question.params, _meta: { "cloche/input_key": key } };
  return await ctx.mcpReq.send({ method: question.method, params });
}

/** A question with a form of one field. */
export function form(message: string, field: string, type = "string"): Question {
  const properties = { [field]: { type } };
  const requestedSchema = { type: "object", properties, required: [field] };
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

function prompt(text: string, maxTokens: number): Question {
  const messages = [{ role: "user", content: { type: "text", text } }];
  return { method: "sampling/createMessage", params: { messages, maxTokens } };
}

const ROOTS: Question = { method: "roots/list", params: {} };

export function text(words: string): CallToolResult {
  return { content: [{ type: "text", text: words }] };
}

const image = { type: "image", data: PNG, mimeType: "image/png" } as const;

const plain: Record<string, FixtureTool> = {
  test_simple_text: { call: () => text("This is a simple text response for testing.") },
  test_image_content: { call: () => ({ content: [image] }) },
  test_audio_content: {
    call: () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  },
  test_embedded_resource: {
    call: () => ({ content: [resource("test://embedded-resource", "text/plain", "embedded")] }),
  },
  test_multiple_content_types: {
    call: () => {
      const json = JSON.stringify({ test: "data", value: 123 });
      const mixed = resource("test://mixed-content-resource", "application/json", json);
      return { content: [{ type: "text", text: "Multiple content types test:" }, image, mixed] };
    },
  },
  test_error_handling: {
    call: () => ({
      ...text("This tool intentionally returns an error for testing"),
      isError: true,
    }),
  },
  json_schema_2020_12_tool: {
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    call: (args) => text(JSON.stringify(args)),
  },
  test_region: {
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
      required: ["region"],
    },
    call: ({ region }) => text(`region: ${region}`),
  },
};

const telling: Record<string, FixtureTool> = {
  test_tool_with_logging: {
    call: async (_args, ctx) => {
      await ctx.mcpReq.log("info", "Tool execution started");
      await sleep(50);
      await ctx.mcpReq.log("info", "Tool processing data");
      await sleep(50);
      await ctx.mcpReq.log("info", "Tool execution completed");
      return text("logged");
    },
  },
  test_logging_tool: {
    call: async (_args, ctx) => {
      await ctx.mcpReq.log("info", "logged whether anybody wants it or not");
      return text("logged");
    },
  },
  test_tool_with_progress: {
    call: async (_args, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await sleep(50);
        if (progressToken === undefined) continue;
        const params = { progressToken, progress, total: 100 };
        await ctx.mcpReq.notify({ method: "notifications/progress", params });
      }
      return text("done");
    },
  },
  test_reconnection: {
    call: async () => {
      await sleep(300);
      return text("still here");
    },
  },
  test_trigger_tool_change: { call: (_args, ctx) => changed(ctx, "tools") },
  test_trigger_prompt_change: { call: (_args, ctx) => changed(ctx, "prompts") },
};

const asking: Record<string, FixtureTool> = {
  test_sampling: {
    inputSchema: {
      type: "object",
      properties: { prompt: { type: "string" } },
      required: ["prompt"],
    },
    call: (args, ctx) => told(ask(ctx, "answer", prompt(String(args["prompt"]), 100))),
  },
  test_missing_capability: { call: (_args, ctx) => told(ask(ctx, "answer", prompt("hello", 10))) },
  test_elicitation: {
    inputSchema: {
      type: "object",
      properties: { message: { type: "string" } },
      required: ["message"],
    },
    call: ({ message }, ctx) => told(ask(ctx, "user", form(String(message), "username"))),
  },
  test_streaming_elicitation: {
    call: (_args, ctx) => told(ask(ctx, "user", form("Who?", "username"))),
  },
  test_elicitation_sep1034_defaults: {
    call: (_args, ctx) =>
      told(
        elicit(ctx, {
          name: { type: "string", default: "John Doe" },
          age: { type: "integer", default: 30 },
          score: { type: "number", default: 95.5 },
          status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
          verified: { type: "boolean", default: true },
        }),
      ),
  },
  test_elicitation_sep1330_enums: { call: (_args, ctx) => told(elicit(ctx, choices())) },
  test_input_required_result_elicitation: {
    call: (_args, ctx) => told(ask(ctx, "user_name", form("What is your name?", "name"))),
  },
  test_input_required_result_sampling: {
    call: (_args, ctx) =>
      told(ask(ctx, "capital_question", prompt("What is the capital of France?", 100))),
  },
  test_input_required_result_list_roots: {
    call: (_args, ctx) => told(ask(ctx, "client_roots", ROOTS)),
  },
  test_input_required_result_request_state: {
    call: async (_args, ctx) => {
      await ask(ctx, "confirm", form("Please confirm", "ok", "boolean"));
      return text("state-ok");
    },
  },
  test_input_required_result_tampered_state: {
    call: (_args, ctx) => told(ask(ctx, "confirm", form("Please confirm", "ok", "boolean"))),
  },
  test_input_required_result_multiple_inputs: {
    call: async (_args, ctx) => {
      const answers = await Promise.all([
        ask(ctx, "user_name", form("What is your name?", "name")),
        ask(ctx, "greeting", prompt("Generate a greeting", 50)),
        ask(ctx, "client_roots", ROOTS),
      ]);
      return text(JSON.stringify(answers));
    },
  },
  test_input_required_result_multi_round: {
    call: async (_args, ctx) => {
      const name = await ask(ctx, "step1", form("Step 1: What is your name?", "name"));
      const color = await ask(ctx, "step2", form("Step 2: What is your favorite color?", "color"));
      return text(JSON.stringify({ name, color }));
    },
  },
  test_input_required_result_capabilities: {
    call: async (_args, ctx) => {
      const asked = [
        ask(ctx, "user_name", form("What is your name?", "name")),
        ask(ctx, "greeting", prompt("Generate a greeting", 50)),
      ];
      // A client that cannot be asked one thing may still be asked the other.
      return text(JSON.stringify(await Promise.allSettled(asked)));
    },
  },
};

/** All tools, in the order in which they are listed. */
export const TOOLS: Readonly<Record<string, FixtureTool>> = { ...plain, ...telling, ...asking };

export function resource(uri: string, mimeType: string, words: string) {
  return { type: "resource", resource: { uri, mimeType, text: words } } as const;
}

async function told(answer: Promise<unknown>): Promise<CallToolResult> {
  return text(`Answer: ${JSON.stringify(await answer)}`);
}

function elicit(ctx: ServerContext, properties: Record<string, object>): Promise<unknown> {
  const params = { message: "Please fill in", requestedSchema: { type: "object", properties } };
  return ask(ctx, "form", { method: "elicitation/create", params });
}

function choices(): Record<string, object> {
  const options = ["option1", "option2", "option3"];
  const titled = ["First", "Second", "Third"].map((title, at) => {
    return { const: `value${at + 1}`, title: `${title} Option` };
  });
  return {
    untitledSingle: { type: "string", enum: options },
    titledSingle: { type: "string", oneOf: titled },
    legacyEnum: {
      type: "string",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: { type: "array", items: { type: "string", enum: options } },
    titledMulti: { type: "array", items: { anyOf: titled } },
  };
}

async function changed(ctx: ServerContext, what: "tools" | "prompts"): Promise<CallToolResult> {
  await ctx.mcpReq.notify({ method: `notifications/${what}/list_changed` });
  return text("changed");
}
