// The surface that the conformance suite asks servers for, on stdio and on the SDK's v2.
import {
  type GetPromptResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { type Args, ask, form, PNG, resource, TOOLS } from "./conformance-tools.ts";

const ANY_OBJECT = { type: "object", properties: {} };

const PROMPTS: Readonly<Record<string, readonly string[]>> = {
  test_simple_prompt: [],
  test_prompt_with_arguments: ["arg1", "arg2"],
  test_prompt_with_embedded_resource: ["resourceUri"],
  test_prompt_with_image: [],
  test_input_required_result_prompt: [],
};

const RESOURCES: Readonly<Record<string, { mimeType: string; text?: string; blob?: string }>> = {
  "test://static-text": {
    mimeType: "text/plain",
    text: "This is the content of the static text resource.",
  },
  "test://static-binary": { mimeType: "image/png", blob: PNG },
  "test://watched-resource": { mimeType: "text/plain", text: "watched" },
};

serveStdio(() => {
  const server = new Server(
    { name: "conformance-fixture", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        completions: {},
        logging: {},
      },
    },
  );
  serveTools(server);
  servePrompts(server);
  serveResources(server);
  server.setRequestHandler("completion/complete", () => {
    return { completion: { values: ["paris", "park", "party"], total: 3, hasMore: false } };
  });
  return server;
});

function serveTools(server: Server): void {
  server.setRequestHandler("tools/list", () => ({
    tools: Object.entries(TOOLS).map(([name, { inputSchema = ANY_OBJECT }]) => {
      return { name, description: `The fixture ${name}.`, inputSchema: inputSchema as never };
    }),
  }));
  server.setRequestHandler("tools/call", async ({ params }, ctx) => {
    const tool = TOOLS[params.name];
    if (tool === undefined) throw invalid(`Unknown tool: ${params.name}`);
    return await tool.call(params.arguments ?? {}, ctx);
  });
}

function servePrompts(server: Server): void {
  server.setRequestHandler("prompts/list", () => ({
    prompts: Object.entries(PROMPTS).map(([name, args]) => {
      const list = args.map((argument) => ({ name: argument, required: true }));
      return { name, description: `The fixture ${name}.`, arguments: list };
    }),
  }));
  server.setRequestHandler("prompts/get", async ({ params }, ctx) => {
    return await promptOf(params.name, params.arguments ?? {}, ctx);
  });
}

async function promptOf(name: string, args: Args, ctx: ServerContext): Promise<GetPromptResult> {
  switch (name) {
    case "test_simple_prompt":
      return messages(words("This is a simple prompt for testing."));
    case "test_prompt_with_arguments":
      return messages(
        words(`Prompt with arguments: arg1='${args["arg1"]}', arg2='${args["arg2"]}'`),
      );
    case "test_prompt_with_embedded_resource":
      return messages(
        resource(String(args["resourceUri"]), "text/plain", "Embedded resource content."),
        words("Please process the embedded resource above."),
      );
    case "test_prompt_with_image":
      return messages(
        { type: "image", data: PNG, mimeType: "image/png" },
        words("Please analyze the image above."),
      );
    case "test_input_required_result_prompt": {
      const asked = form("What context should the prompt use?", "context");
      return messages(words(JSON.stringify(await ask(ctx, "user_context", asked))));
    }
    default:
      throw invalid(`Unknown prompt: ${name}`);
  }
}

function serveResources(server: Server): void {
  server.setRequestHandler("resources/list", () => ({
    resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => {
      return { uri, name: uri, description: `The fixture ${uri}.`, mimeType };
    }),
  }));
  server.setRequestHandler("resources/templates/list", () => {
    const uriTemplate = "test://template/{id}/data";
    return { resourceTemplates: [{ uriTemplate, name: "template", mimeType: "application/json" }] };
  });
  server.setRequestHandler("resources/read", ({ params: { uri } }) => contentsOf(uri));
  server.setRequestHandler("resources/subscribe", () => ({}));
  server.setRequestHandler("resources/unsubscribe", () => ({}));
}

function contentsOf(uri: string): ReadResourceResult {
  const found = RESOURCES[uri];
  if (found !== undefined) return { contents: [{ uri, ...found } as never] };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) throw new ProtocolError(-32002, "Resource not found", { uri });
  const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  return { contents: [{ uri, mimeType: "application/json", text }] };
}

type Content = GetPromptResult["messages"][number]["content"];

function words(text: string): Content {
  return { type: "text", text };
}

function messages(...contents: readonly Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: "user", content })) };
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
