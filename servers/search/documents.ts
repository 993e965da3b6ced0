import { basename, extname } from "node:path";
import { type Fields, type FieldValue, fieldValue } from "./fields.ts";
import { fieldName, splitFrontMatter } from "./front-matter.ts";
import { htmlText } from "./html-text.ts";

export interface Document {
  /** Unique in its corpus: the path of its file, or what a document in a JSON file calls itself. */
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly fields: Fields;
}

/** What a file of this name is read as; undefined for one that is no document. */
export function readerOf(path: string): ((path: string, text: string) => Document[]) | undefined {
  return READERS[extname(path).toLowerCase()];
}

const READERS: Readonly<Record<string, (path: string, text: string) => Document[]>> = {
  ".md": markdown,
  ".markdown": markdown,
  ".txt": plainText,
  ".html": html,
  ".htm": html,
  ".json": json,
  ".jsonl": jsonLines,
};

const BODIES = ["body", "text", "content", "markdown", "description", "summary"];
const TITLES = ["title", "name", "heading", "subject", "question"];

function markdown(path: string, text: string): Document[] {
  const { fields: all, body } = splitFrontMatter(text);
  const { title, ...fields } = all;
  const heading = /^#{1,6}[ \t]+(.+?)[ \t#]*$/m.exec(body)?.[1];
  return [{ id: path, title: given(title) ?? heading ?? nameOf(path), body: body.trim(), fields }];
}

function plainText(path: string, text: string): Document[] {
  const first = text.trimStart().split("\n", 1)[0]?.trim() ?? "";
  const title = first !== "" && first.length <= 120 ? first : nameOf(path);
  return [{ id: path, title, body: text.trim(), fields: {} }];
}

function html(path: string, source: string): Document[] {
  const { title, fields, text } = htmlText(source);
  return [{ id: path, title: title || nameOf(path), body: text, fields }];
}

/** One document, a list of them, or `{"documents": […]}`. */
function json(path: string, text: string): Document[] {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.map((each, at) => record(each, `${path}#${at + 1}`));
  const list = isObject(value) ? value["documents"] : undefined;
  if (Array.isArray(list)) return list.map((each, at) => record(each, `${path}#${at + 1}`));
  return [{ ...record(value, path), id: path }];
}

function jsonLines(path: string, text: string): Document[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, at) => record(JSON.parse(line), `${path}#${at + 1}`));
}

function record(value: unknown, fallback: string): Document {
  if (!isObject(value)) throw new Error("a document in it is no object");
  const bodyKey = BODIES.find((key) => typeof value[key] === "string");
  const titleKey = TITLES.find((key) => key !== bodyKey && typeof value[key] === "string");
  const { id } = value;
  const rest = Object.entries(value).filter(
    ([key]) => key !== bodyKey && key !== titleKey && key !== "id",
  );
  const fields: Record<string, FieldValue> = {};
  const nested: Record<string, unknown> = {};
  for (const [key, each] of rest) {
    const read = fieldOf(each);
    if (read === undefined) nested[key] = each;
    else fields[fieldName(key)] = read;
  }
  const more = Object.keys(nested).length === 0 ? "" : JSON.stringify(nested, null, 2);
  const body = bodyKey === undefined ? "" : String(value[bodyKey]).trim();
  return {
    id: typeof id === "string" || typeof id === "number" ? String(id).slice(0, 200) : fallback,
    title: titleKey === undefined ? nameOf(fallback) : String(value[titleKey]),
    body: [body, more].filter((part) => part !== "").join("\n\n"),
    fields,
  };
}

function fieldOf(value: unknown): FieldValue | undefined {
  if (typeof value === "string") return value.length <= 500 ? value : undefined;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (!Array.isArray(value) || value.length > 100) return undefined;
  return value.every((each) => typeof each === "string" || typeof each === "number")
    ? value.map(String)
    : undefined;
}

function given(title: FieldValue | undefined): string | undefined {
  const text = title === undefined || typeof title === "object" ? "" : String(title).trim();
  return text === "" ? undefined : text;
}

/** "guides/late-returns.md" is about "late returns". */
function nameOf(path: string): string {
  const name = basename(path.replace(/#\d+$/, ""));
  return name.slice(0, name.length - extname(name).length).replaceAll(/[-_]+/g, " ") || name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of HTML's meta is text; a number that is written there is one. */
export function typedFields(fields: Fields): Fields {
  const entries = Object.entries(fields).slice(0, 40);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? fieldValue(value) : value]),
  );
}
