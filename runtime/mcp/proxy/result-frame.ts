import { exactJson } from "../../base/exact-json.ts";
import { isObject, type RequestId, responseText } from "../json-rpc.ts";
import type { Era } from "../versions.ts";

/** Methods of 2026-07-28 whose results say for how long they hold. */
const CACHEABLE: readonly string[] = [
  "server/discover",
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
];

/** These do not change while a rollout lasts. */
const PINNED: readonly string[] = ["server/discover", "tools/list"];
const PINNED_MS = 60 * 60 * 1_000;

/**
 * The frame that answers a request with this result. Modern results have members that those of our
 * servers lack: what kind of result it is and for how long it holds. What a server says itself wins.
 */
export function resultFrame(
  era: Era,
  id: RequestId,
  method: string,
  result: unknown,
  json = exactJson(result),
): string {
  if (era === "legacy" || !isObject(result)) return responseText(id, "result", json);
  const added: string[] = [];
  if (result["resultType"] === undefined) added.push('"resultType":"complete"');
  if (CACHEABLE.includes(method)) {
    const ttlMs = PINNED.includes(method) ? PINNED_MS : 0;
    if (result["ttlMs"] === undefined) added.push(`"ttlMs":${ttlMs}`);
    if (result["cacheScope"] === undefined) added.push('"cacheScope":"private"');
  }
  if (added.length === 0) return responseText(id, "result", json);
  const rest = json === "{}" ? "}" : `,${json.slice(1)}`;
  return responseText(id, "result", `{${added.join(",")}${rest}`);
}
