import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ForeignLimits } from "../rollout/foreign-bundle.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import type { Caller, RolloutService } from "../service/service.ts";
import type { Verifier } from "../store/signature.ts";
import type { Roots } from "../task/roots.ts";
import type { Canary } from "./canary.ts";
import type { Keys } from "./keys.ts";
import type { ServiceMetrics } from "./metrics.ts";

/** What the endpoints are made with; put together once, in `cli/`. */
export interface ApiParts
  extends Pick<
    RolloutParts,
    "engine" | "images" | "data" | "clock" | "log" | "process" | "signer"
  > {
  readonly service: RolloutService;
  /** Where tasks/ and fixtures/ lie. */
  readonly tasksRoot: Roots;
  /** How clients reach us; absent: by the name that they call us by. */
  readonly publicUrl?: string;
  readonly keys: Keys;
  readonly metrics: ServiceMetrics;
  readonly canary: Canary;
  /** What the service as a whole is doing. */
  readonly state: () => ServiceState;
  readonly version: string;
  /** What holds for bundles that callers send. Default: no key but the signer's, the usual limits. */
  readonly uploads?: UploadTerms;
  /** When a tool's answer that takes its time begins, and how often it shows life. Default 15,000. */
  readonly keepAliveMs?: number;
}

export interface UploadTerms {
  /** Whose signature is enough for a bundle's code to be run, beside the service's own. */
  readonly trusted: readonly Verifier[];
  readonly limits: ForeignLimits;
}

export type ServiceState = "starting" | "serving" | "draining";

/** What a request carries on its way. */
export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Set on every path that needs a key. */
    caller: Caller;
    /** The body's JSON, for `exactJson`; what `c.req.valid` gives is another copy of it. */
    body: unknown;
    /** Why the arguments of the calls in the body were left out of it. */
    leftOut: string | undefined;
  };
}

export type ApiApp = OpenAPIHono<ApiEnv>;
