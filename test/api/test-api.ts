import assert from "node:assert/strict";
import { z } from "zod";
import type { ApiApp, ServiceState } from "../../runtime/api/api-parts.ts";
import { createApi } from "../../runtime/api/app.ts";
import { Canary } from "../../runtime/api/canary.ts";
import { Keys, type StoredKey } from "../../runtime/api/keys.ts";
import { ServiceMetrics } from "../../runtime/api/metrics.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { FOREIGN_LIMITS } from "../../runtime/rollout/foreign-bundle.ts";
import type { RolloutService } from "../../runtime/service/service.ts";
import type { ServiceOptions } from "../../runtime/service/service-options.ts";
import type { Signer, Verifier } from "../../runtime/store/signature.ts";
import type { TestRuntime, TestRuntimeOptions } from "../support/runtime.ts";
import { openServiceBench } from "../support/service.ts";

const MINE = "key-of-mine";
export const THEIRS = "key-of-theirs";
const KEYS: readonly StoredKey[] = [
  { id: "mine", sha256: sha256(MINE) },
  { id: "theirs", sha256: sha256(THEIRS) },
];

export interface Ask {
  /** Default `MINE`; null: none. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: Exclude<RequestInit["body"], null | undefined>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined if it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what the schemas have approved.
  readonly json: any;
}

/** The API over a real service and engine. Every answer is held against /openapi.json. */
export interface TestApi extends AsyncDisposable {
  readonly app: ApiApp;
  readonly service: RolloutService;
  readonly runtime: TestRuntime;
  readonly root: string;
  state: ServiceState;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** A rollout of the small task that serves. */
  serving(): Promise<string>;
}

export interface TestApiOptions {
  readonly keys?: readonly StoredKey[];
  readonly service?: Partial<ServiceOptions>;
  readonly task?: Readonly<Record<string, string | undefined>>;
  readonly runtime?: TestRuntimeOptions;
  readonly keepAliveMs?: number;
  readonly signer?: Signer;
  /** Whose bundles may be graded, beside the signer's. */
  readonly trusted?: readonly Verifier[];
}

export async function openTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await openServiceBench(options.task, options.runtime));
  const { runtime, root } = bench;
  const metrics = new ServiceMetrics();
  const pool = { max: 0 };
  const signing = options.signer ? { signer: options.signer } : {};
  const request = { pool, observer: metrics.observer, ...options.service };
  const service = await bench.open(request, signing);
  metrics.watch(service);
  const keys = new Keys(options.keys ?? KEYS, runtime.clock);
  const canary = new Canary(runtime);
  const uploads = { trusted: options.trusted ?? [], limits: FOREIGN_LIMITS };
  const own = { ...signing, service, tasksRoot: root.path, keys, metrics, canary, uploads };
  const made = { ...runtime, ...own };
  const { keepAliveMs = 15_000 } = options;
  const app = createApi({ ...made, keepAliveMs, version: "0.0.0", state: () => api.state });
  const check = await documentChecker(app);
  const ask: TestApi["ask"] = async (method, path, given = {}) => {
    const response = await app.request(requestOf(method, path, given));
    const text = await response.text();
    const answer = { status: response.status, headers: response.headers, text, json: parsed(text) };
    check(method, path, answer);
    return answer;
  };
  const rest = stack.move();
  const api: TestApi = {
    app,
    service,
    runtime,
    root: root.path,
    state: "serving",
    ask,
    serving: async () => {
      const headers = { prefer: "wait=60" };
      const made = await ask("POST", "/v1/rollouts", { json: { task: "test/note" }, headers });
      assert.equal(made.json.phase, "serving", made.text);
      return made.json.id;
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
  return api;
}

function requestOf(method: string, path: string, given: Ask): Request {
  const { key = MINE, headers = {}, json, raw, signal } = given;
  const all: Record<string, string> = { ...headers };
  if (key !== null) all["authorization"] = `Bearer ${key}`;
  if (json !== undefined) all["content-type"] = "application/json";
  const body = json === undefined ? raw : JSON.stringify(json);
  return new Request(`http://localhost${path}`, {
    method,
    headers: all,
    ...(body !== undefined && { body, duplex: "half" }),
    ...(signal && { signal }),
  });
}

/** What a response holds, for tests that hold nothing against the document. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export async function jsonOf(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
}

/** Fails for an answer that the document does not allow: its status, media type or body. */
async function documentChecker(app: ApiApp) {
  const response = await app.request("/openapi.json");
  const text = (await response.text()).replaceAll("#/components/schemas/", "#/$defs/");
  const document = JSON.parse(text);
  const schemas = new Map<object, z.ZodType>();
  const schemaOf = (schema: object) => {
    const known = schemas.get(schema);
    if (known) return known;
    const made = z.fromJSONSchema({ ...schema, $defs: document.components.schemas });
    schemas.set(schema, made);
    return made;
  };
  const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>);
  return (method: string, path: string, { status, headers, text, json }: Answer) => {
    const plain = path.split("?", 1)[0] ?? "";
    const found = operations.find(([pattern]) =>
      new RegExp(`^${pattern.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(plain),
    )?.[1][method.toLowerCase()];
    const problem: Documented = document.paths["/healthz"].get.responses.default;
    const responses: Operation["responses"] = found?.responses ?? { default: problem };
    const isProblem = status >= 400;
    const documented = isProblem ? responses["default"] : responses[String(status)];
    assert(documented, `${method} ${path}: status ${status} is not in the document`);
    const type = (headers.get("content-type") ?? "").split(";", 1)[0] ?? "";
    if (documented.content === undefined) return assert.equal(text, "");
    const content = documented.content[type];
    assert(content, `${method} ${path}: ${status} came as "${type}"`);
    if (!type.endsWith("json") || type.endsWith("ndjson")) return;
    const result = schemaOf(content.schema).safeParse(json);
    assert(result.success, `${method} ${path} ${status}: ${result.error}\n${text.slice(0, 2000)}`);
  };
}
