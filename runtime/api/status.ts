import type { Blame, Fault } from "../base/fault.ts";

/** The status of a fault whose code is not in the table below. */
const BY_BLAME: Readonly<Record<Blame, number>> = {
  caller: 400,
  task: 422,
  grader: 422,
  agent: 422,
  engine: 503,
  store: 500,
};

/**
 * The status of a fault by its code. Every code of blame "caller" stands here, so that none is
 * answered with 400 by accident; of the others those that the default does not fit.
 */
const STATUS: Readonly<Record<string, number>> = {
  "api/bad-request": 400,
  "api/bad-json": 400,
  "api/body-too-large": 413,
  "api/slow-body": 408,
  "api/unsupported-type": 415,
  "api/no-route": 404,
  "api/wrong-method": 405,
  "api/host-refused": 403,
  "api/no-key": 401,
  "api/rate-limited": 429,
  "api/grades-full": 429,
  "api/not-ended": 409,
  "api/no-bundle": 404,
  "api/upload-refused": 422,
  "api/foreign-bundle": 403,
  "rollout/unknown": 404,
  "rollout/queue-full": 429,
  "rollout/over-limit": 429,
  "rollout/draining": 503,
  "rollout/bad-request": 400,
  "rollout/key-reused": 409,
  "rollout/egress-not-allowed": 403,
  "rollout/foreign-image": 422,
  "rollout/foreign-too-large": 422,
  "rollout/not-serving": 409,
  "task/unknown": 404,
  "task/no-such-variant": 404,
  "task/exists": 409,
  "store/no-room": 507,
  "store/bad-cursor": 400,
  "store/record-missing": 404,
  "store/record-ambiguous": 409,
  "store/bundle-missing": 404,
  "store/bundle-uncaptured": 422,
  "store/bundle-ambiguous": 409,
  "engine/image-in-use": 409,
  "engine/name-taken": 409,
  // The rest is our own doing once the service runs, whoever would be to blame at a terminal.
  "api/keys-unreadable": 500,
  "api/key-required": 500,
  "api/port-unusable": 500,
  "api/public-url-required": 500,
  "engine/unknown-engine": 500,
  "engine/no-such-runtime": 500,
  "engine/spec-refused": 422,
  "engine/no-keeper": 500,
  "engine/no-state": 500,
  "mcp/listener-failed": 500,
  "task/ambiguous": 409,
  "task/bad-root": 500,
  "task/not-written": 500,
  "store/folder-unusable": 500,
  "store/database-newer": 500,
  "store/bundle-unreadable": 500,
  "store/bundle-unsigned": 422,
  "store/signing-key-unusable": 500,
  "workspace/blob-name-invalid": 500,
  "workspace/blob-too-large": 422,
};

/** The HTTP status that answers a fault. */
export function statusOf({ code, blame }: Pick<Fault, "code" | "blame">): number {
  return STATUS[code] ?? BY_BLAME[blame];
}

/** Whether the code has a line of its own in the table. */
export function hasStatus(code: string): boolean {
  return code in STATUS;
}
