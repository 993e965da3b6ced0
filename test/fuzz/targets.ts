import { bundleTarget } from "./bundle.ts";
import { framesTarget } from "./frames.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { jsonRpcTarget } from "./json-rpc.ts";
import { stepLogTarget } from "./step-log.ts";
import { tarTarget } from "./tar.ts";
import { verdictTarget } from "./verdict.ts";

export const TARGETS: Readonly<Record<string, FuzzTarget>> = Object.fromEntries(
  [tarTarget, jsonRpcTarget, stepLogTarget, bundleTarget, verdictTarget, framesTarget].map(
    (one) => [one.name, one],
  ),
);
