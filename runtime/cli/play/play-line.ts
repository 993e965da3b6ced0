import { didYouMean } from "../../base/nearest.ts";
import type { ToolInfo } from "../../mcp/link/handshake.ts";
import { cliFault } from "../faults.ts";

/** What a person can say beside the names of tools, each with what comes after it. */
export const WORDS = {
  tools: "",
  help: "[tool]",
  call: "<tool> {json} or key=value …",
  instruction: "",
  files: "",
  read: "<path>",
  steps: "",
  grade: "[answer]",
  save: "<file>",
  reload: "",
  submit: "[answer]",
  quit: "",
} as const;

type Word = keyof typeof WORDS;

/** A line as it was understood. */
export type PlayLine =
  | { readonly kind: "word"; readonly word: Word; readonly rest: string }
  | {
      readonly kind: "call";
      readonly tool: string;
      readonly args: Readonly<Record<string, unknown>>;
    };

/** Undefined for an empty line or a comment. Throws `cli/bad-line`. */
export function parsePlayLine(line: string, tools: readonly ToolInfo[]): PlayLine | undefined {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return undefined;
  const [first, rest] = split(text);
  if (first === "call") return callOf(...split(rest), tools);
  if (Object.hasOwn(WORDS, first)) return { kind: "word", word: first as Word, rest };
  return callOf(first, rest, tools);
}

/** What could come next on a line: words and tools first, then the arguments of the tool. */
export function completions(line: string, tools: readonly ToolInfo[]): [string[], string] {
  const parts = line.trimStart().split(/\s+/);
  const last = parts.at(-1) ?? "";
  const names = tools.map(({ name }) => name);
  const [first = "", second = ""] = parts;
  const isOfTool = first === "call" || first === "help";
  if (parts.length === 1) return [matching([...Object.keys(WORDS), ...names], last, " "), last];
  if (isOfTool && parts.length === 2) return [matching(names, last, " "), last];
  if (first === "help") return [[], last];
  const tool = tools.find(({ name }) => name === (isOfTool ? second : first));
  const free = Object.keys(tool === undefined ? {} : argumentsOf(tool)).filter(
    (name) => !parts.slice(0, -1).some((part) => part.startsWith(`${name}=`)),
  );
  return [matching(free, last, "="), last];
}

/** The properties of a tool's input, each as its schema says. */
export function argumentsOf({
  inputSchema,
}: ToolInfo): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const properties = (inputSchema as { properties?: unknown } | undefined)?.properties;
  return (properties ?? {}) as Record<string, Record<string, unknown>>;
}

function matching(names: readonly string[], begun: string, end: string): string[] {
  return names.filter((name) => name.startsWith(begun)).map((name) => `${name}${end}`);
}

function callOf(name: string, rest: string, tools: readonly ToolInfo[]): PlayLine {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) {
    const known = [...Object.keys(WORDS), ...tools.map((one) => one.name)];
    const near = didYouMean(name, known) || '; "tools" lists the tools, "help" all else';
    throw cliFault("bad-line", `there is no tool "${name}"${near}`);
  }
  const args = rest.startsWith("{") ? jsonObject(rest) : keyValues(rest, tool);
  return { kind: "call", tool: name, args };
}

function split(text: string): [string, string] {
  const [first = ""] = text.split(/\s/, 1);
  return [first, text.slice(first.length).trim()];
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  return json(text, "the arguments") as Record<string, unknown>;
}

/** `path=a.txt limit=3 tags=["a"] text="two words"`, or 'in single quotes, as it stands'. */
function keyValues(text: string, tool: ToolInfo): Record<string, unknown> {
  const known = argumentsOf(tool);
  const found: Record<string, unknown> = {};
  let rest = text;
  while (rest !== "") {
    const key = /^([^\s=]+)=/.exec(rest)?.[1];
    if (key === undefined) {
      const what = `${JSON.stringify(rest.slice(0, 40))} is no key=value`;
      throw cliFault("bad-line", `${what}: give key=value …, or all arguments as {json}`);
    }
    if (Object.keys(known).length > 0 && !Object.hasOwn(known, key)) {
      const near = didYouMean(key, Object.keys(known));
      const names = near || `; it takes ${Object.keys(known).join(", ")}`;
      throw cliFault("bad-line", `${tool.name} takes no "${key}"${names}`);
    }
    const after = rest.slice(key.length + 1);
    const written = valueText(after);
    found[key] = readValue(written, known[key]?.["type"], key);
    rest = after.slice(written.length).trimStart();
  }
  return found;
}

/** The text of a value at the beginning of a line: quoted, in brackets, or up to a blank. */
function valueText(text: string): string {
  const quoted = /^(?:'[^']*'|"(?:[^"\\]|\\.)*")(?=\s|$)/.exec(text)?.[0];
  if (quoted !== undefined) return quoted;
  if (!/^[[{]/.test(text)) return /^\S*/.exec(text)?.[0] ?? "";
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (/^[[{]/.test(match[0])) depth += 1;
    if (/^[\]}]/.test(match[0])) depth -= 1;
    if (depth === 0) return text.slice(0, match.index + 1);
  }
  return text;
}

function readValue(text: string, type: unknown, key: string): unknown {
  if (text.startsWith("'")) return text.slice(1, -1);
  if (/^["[{]/.test(text) && !(type === "string" && !text.startsWith('"'))) {
    return json(text, key);
  }
  if (type === "string") return text;
  return /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text)
    ? JSON.parse(text)
    : text;
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${what}: ${text.slice(0, 80)} is not JSON: ${(cause as Error).message}`;
    throw cliFault("bad-line", message, { cause });
  }
}
