import { createRoute } from "@hono/zod-openapi";
import { listIn, realNames } from "../../mcp/tool-formats.ts";
import type { Caller, ToolAnswer, ToolCall } from "../../service/service.ts";
import { failures, jsonAnswer, jsonBody } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { longAnswer } from "../long-answer.ts";
import { callBody, callParams, callsBody, idParams, noQuery, toolsQuery } from "../requests.ts";
import { answerSchema, answersSchema, toolsSchema } from "../schemas.ts";

const TAGS = ["tools"];
const PATH = "/v1/rollouts/{id}/tools";

const KEEP_ALIVE_MS = 15_000;
const INTERNAL_ERROR = -32603;
const LONG =
  "Takes as long as the tools take. An answer that is not there after 15 s begins with status 200 " +
  "and white space, so that nobody on the way gives up on it; the JSON follows.";

const list = createRoute({
  method: "get",
  path: PATH,
  tags: TAGS,
  summary: "List the tools",
  request: { params: idParams, query: toolsQuery },
  responses: { 200: jsonAnswer(toolsSchema, "As the agent is shown them."), ...failures },
});

const callOne = createRoute({
  method: "post",
  path: `${PATH}/{name}`,
  tags: TAGS,
  summary: "Call a tool",
  description: LONG,
  request: { params: callParams, query: noQuery, body: jsonBody(callBody, false) },
  responses: { 200: jsonAnswer(answerSchema, "What came back, an error too."), ...failures },
});

const callMany = createRoute({
  method: "post",
  path: PATH,
  tags: TAGS,
  summary: "Call several tools at once",
  description: LONG,
  request: { params: idParams, query: noQuery, body: jsonBody(callsBody, true) },
  responses: { 200: jsonAnswer(answersSchema, "One answer a call."), ...failures },
});

/** For workers without an MCP client: the same steps, budgets and records as through MCP. */
export function addTools(app: ApiApp, parts: ApiParts): void {
  const { service, log, keepAliveMs = KEEP_ALIVE_MS } = parts;
  const call = async (id: string, calls: readonly ToolCall[], caller: Caller) => {
    const names = realNames(await service.tools(id, caller));
    const real = calls.map((one) => ({ ...one, name: names.get(one.name) ?? one.name }));
    return service.call(id, real, caller);
  };
  app.openapi(list, async (c) => {
    const { format = "mcp" } = c.req.valid("query");
    const tools = await service.tools(c.req.valid("param").id, c.get("caller"));
    return c.json({ tools: listIn(format, tools) as { name: string }[] }, 200);
  });
  app.openapi(callOne, async (c) => {
    const { id, name } = c.req.valid("param");
    const { arguments: args = {} } = c.req.valid("json");
    const one = call(id, [{ name, arguments: args }], c.get("caller"));
    const answer = one.then(([first]) => first ?? failure("no answer came"));
    return (await longAnswer(c, { keepAliveMs, log, answer, failed: failure })) as never;
  });
  app.openapi(callMany, async (c) => {
    const calls = c.req.valid("json").calls.map(({ name, arguments: args = {} }) => ({
      name,
      arguments: args,
    }));
    const all = call(c.req.valid("param").id, calls, c.get("caller"));
    const answer = all.then((answers) => ({ answers }));
    const failed = (message: string) => ({ answers: calls.map(() => failure(message)) });
    return (await longAnswer(c, { keepAliveMs, log, answer, failed })) as never;
  });
}

function failure(message: string): ToolAnswer {
  return { error: { code: INTERNAL_ERROR, message } };
}
