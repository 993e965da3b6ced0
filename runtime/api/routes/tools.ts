import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { exactJson } from "../../base/exact-json.ts";
import { areLeftOut } from "../../base/json-text.ts";
import { listIn, realArguments, realNames } from "../../mcp/tool-formats.ts";
import type { ToolAnswer, ToolCall } from "../../service/service.ts";
import { failures, jsonAnswer, jsonBody } from "../answer.ts";
import type { ApiApp, ApiEnv, ApiParts } from "../api-parts.ts";
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

/** A call as it stands in a body that was found valid. */
interface Asked {
  readonly name: string;
  readonly arguments?: unknown;
}

/** For workers without an MCP client: the same steps, budgets and records as through MCP. */
export function addTools(app: ApiApp, parts: ApiParts): void {
  const { service, log, keepAliveMs = KEEP_ALIVE_MS } = parts;
  const call = async (c: Context<ApiEnv>, id: string, calls: readonly Asked[]) => {
    const caller = c.get("caller");
    const leftOut = c.get("leftOut");
    const tools = await service.tools(id, caller);
    const names = realNames(tools);
    const real = calls.map(({ name: asked, arguments: said = {} }): ToolCall => {
      const name = names.get(asked) ?? asked;
      const tool = tools.find((other) => other.name === name);
      const args = realArguments(tool, said);
      const one = { name, arguments: args };
      if (leftOut === undefined || !areLeftOut(args)) return one;
      return { ...one, problem: `The arguments were not taken: ${leftOut}` };
    });
    return service.call(id, real, caller);
  };
  app.openapi(list, async (c) => {
    const { format = "mcp" } = c.req.valid("query");
    const tools = await service.tools(c.req.valid("param").id, c.get("caller"));
    const type = { "content-type": "application/json" };
    return c.newResponse(exactJson({ tools: listIn(format, tools) }), 200, type) as never;
  });
  app.openapi(callOne, async (c) => {
    const { id, name } = c.req.valid("param");
    c.req.valid("json");
    const one = call(c, id, [{ ...(c.get("body") as object), name }]);
    const answer = one.then(([first]) => first ?? failure("no answer came"));
    return (await longAnswer(c, { keepAliveMs, log, answer, failed: failure })) as never;
  });
  app.openapi(callMany, async (c) => {
    c.req.valid("json");
    const { calls } = c.get("body") as { readonly calls: readonly Asked[] };
    const all = call(c, c.req.valid("param").id, calls);
    const answer = all.then((answers) => ({ answers }));
    const failed = (message: string) => ({ answers: calls.map(() => failure(message)) });
    return (await longAnswer(c, { keepAliveMs, log, answer, failed })) as never;
  });
}

function failure(message: string): ToolAnswer {
  return { error: { code: INTERNAL_ERROR, message } };
}
