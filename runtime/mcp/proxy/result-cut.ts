import { exactJson, parseRawNumbers } from "../../base/exact-json.ts";
import { isObject } from "../json-rpc.ts";

export interface CutResult {
  readonly result: Readonly<Record<string, unknown>>;
  readonly json: string;
  /** Bytes of the result as JSON before and after; null if nothing was cut. */
  readonly truncated: { readonly from: number; readonly to: number } | null;
}

/** No text is cut shorter than this; if that is not enough, the result is replaced as a whole. */
const SHORTEST_CUT_BYTES = 400;

interface Cuttable {
  readonly text: string;
  /** As JSON, quotes included. */
  readonly bytes: number;
}

/**
 * Makes a tool's result fit into `maxBytes` of JSON by cutting its longest texts in the middle,
 * each with a note of what is missing. Texts in `structuredContent` are cut as well, since servers
 * often say the same there again; its shape stays, so that it still fits its schema. A result
 * that is large for another reason (an image, a long list) becomes a tool error that says so.
 */
export function cutResult(result: Readonly<Record<string, unknown>>, maxBytes: number): CutResult {
  const json = exactJson(result);
  const from = Buffer.byteLength(json);
  if (from <= maxBytes) return { result, json, truncated: null };
  const texts: Cuttable[] = [];
  const whole = parseRawNumbers(json) as Readonly<Record<string, unknown>>;
  walkTexts(whole, (text) => {
    texts.push({ text, bytes: jsonBytes(text) });
    return text;
  });
  const room = maxBytes - (from - texts.reduce((sum, { bytes }) => sum + bytes, 0));
  const longest = longestThatFits(texts, room);
  if (longest < SHORTEST_CUT_BYTES) return replaced(result, from, maxBytes);
  const cut = walkTexts(whole, (text) => cutText(text, longest, maxBytes));
  const cutJson = JSON.stringify(cut);
  return { result: cut, json: cutJson, truncated: { from, to: Buffer.byteLength(cutJson) } };
}

/** Rebuilds a result with each text of a content block or of the structured content replaced. */
function walkTexts(
  result: Readonly<Record<string, unknown>>,
  replace: (text: string) => string,
): Readonly<Record<string, unknown>> {
  const walked: Record<string, unknown> = { ...result };
  const { content, structuredContent } = result;
  if (Array.isArray(content)) walked["content"] = content.map((block) => walkBlock(block, replace));
  if (structuredContent !== undefined) {
    walked["structuredContent"] = walkAll(structuredContent, replace);
  }
  return walked;
}

function walkBlock(block: unknown, replace: (text: string) => string): unknown {
  if (!isObject(block)) return block;
  if (typeof block["text"] === "string") return { ...block, text: replace(block["text"]) };
  const resource = block["resource"];
  if (isObject(resource) && typeof resource["text"] === "string") {
    return { ...block, resource: { ...resource, text: replace(resource["text"]) } };
  }
  return block;
}

function walkAll(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((member) => walkAll(member, replace));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, walkAll(member, replace)]);
  return Object.fromEntries(members);
}

/** The greatest length such that all texts, each cut to it, fit into `room` together. */
function longestThatFits(texts: readonly Cuttable[], room: number): number {
  const sizes = texts.map(({ bytes }) => bytes).sort((a, b) => a - b);
  let left = room;
  for (const [index, size] of sizes.entries()) {
    const share = Math.floor(left / (sizes.length - index));
    if (size > share) return share;
    left -= size;
  }
  return 0;
}

function cutText(text: string, longest: number, budget: number): string {
  const bytes = jsonBytes(text);
  if (bytes <= longest) return text;
  let keep = Math.floor(((longest - 200) / bytes) * text.length);
  for (;;) {
    const half = Math.max(0, Math.floor(keep / 2));
    const head = text.slice(0, half).toWellFormed();
    const tail = text.slice(text.length - half).toWellFormed();
    const missing = Buffer.byteLength(text) - Buffer.byteLength(head) - Buffer.byteLength(tail);
    const cut = `${head}\n[… ${missing} bytes left out here: a result may hold ${budget} bytes …]\n${tail}`;
    if (jsonBytes(cut) <= longest || half === 0) return cut;
    keep = Math.floor(keep * 0.8);
  }
}

function replaced(
  result: Readonly<Record<string, unknown>>,
  from: number,
  maxBytes: number,
): CutResult {
  const text =
    `The tool's result has ${from} bytes, the budget allows ${maxBytes} bytes a result, and it ` +
    "cannot be cut: it was withheld. The call itself was made.";
  const { _meta } = result;
  const meta =
    _meta !== undefined && Buffer.byteLength(exactJson(_meta)) < maxBytes / 2 ? { _meta } : {};
  const short = { content: [{ type: "text", text }], isError: true, ...meta };
  const json = exactJson(short);
  return { result: short, json, truncated: { from, to: Buffer.byteLength(json) } };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
