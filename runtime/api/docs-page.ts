import type { ApiApp } from "./api-parts.ts";
import { CODES } from "./codes.ts";
import { DOCS_STYLE } from "./docs-style.ts";
import { statusOf } from "./status.ts";

type Document = ReturnType<ApiApp["getOpenAPI31Document"]>;

/** As much of a JSON schema as the schemas here make use of. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { description: string; content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

/** The API's document as one page of HTML that needs nothing besides itself. */
export function docsPage(document: Document): string {
  const { info, paths = {}, components } = document;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(
      ([method, operation]) => [method.toUpperCase(), path, operation] as const,
    ),
  );
  const schemas = Object.entries((components?.schemas ?? {}) as Record<string, Schema>);
  const toc = operations.map(
    ([method, path, { summary = "" }]) =>
      `<li><a href="#${anchorOf(method, path)}"><b>${method}</b> ${escaped(path)}</a>` +
      ` <span>${escaped(summary)}</span></li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(info.title)} API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${DOCS_STYLE}</style></head><body>
<header><h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1>
<p>${prose(info.description ?? "")}</p>
<p><a href="/openapi.json">openapi.json</a> · <a href="#schemas">schemas</a> ·
<a href="#errors">errors</a></p></header>
<nav><ul>${toc.join("\n")}</ul></nav>
<main>${operations.map(operationSection).join("\n")}
<h2 id="schemas">Schemas</h2>${schemas.map(schemaSection).join("\n")}
<h2 id="errors">Errors</h2>${errorTable()}</main></body></html>`;
}

function operationSection([method, path, operation]: readonly [string, string, Operation]): string {
  const { summary = "", description = "", parameters = [], requestBody, responses } = operation;
  const open = operation.security?.length === 0 ? ' <em class="open">no key</em>' : "";
  return `<section id="${anchorOf(method, path)}">
<h3><b class="${method}">${method}</b> <code>${escaped(path)}</code>${open}</h3>
<p><strong>${escaped(summary)}.</strong> ${prose(description)}</p>
${parameters.length > 0 ? parameterTable(parameters) : ""}
${requestBody ? `<h4>Body</h4>${contentOf(requestBody.content)}` : ""}
<h4>Answers</h4><dl>${Object.entries(responses).map(answer).join("")}</dl></section>`;
}

function parameterTable(parameters: NonNullable<Operation["parameters"]>): string {
  const rows = parameters.map(({ name, in: where, required, schema, description }) => {
    const about = prose(description ?? schema.description ?? "");
    const must = required ? " <em>required</em>" : "";
    return `<tr><td><code>${escaped(name)}</code>${must}</td><td>${where}</td><td>${typeOf(schema)}</td><td>${about}</td></tr>`;
  });
  return `<table><tr><th>parameter</th><th>in</th><th>type</th><th></th></tr>${rows.join("")}</table>`;
}

function answer([status, { description, content }]: readonly [
  string,
  { description: string; content?: Content },
]): string {
  const shown = status === "default" ? "else" : status;
  return `<dt>${shown}</dt><dd>${prose(description)} ${content ? contentOf(content) : ""}</dd>`;
}

function contentOf(content: Content): string {
  const kinds = Object.entries(content).map(
    ([type, { schema }]) => `<div><code>${escaped(type)}</code> ${typeOf(schema)}</div>`,
  );
  return kinds.join("");
}

function schemaSection([name, schema]: readonly [string, Schema]): string {
  const about = prose(schema.description ?? "");
  return `<section id="${name}"><h3>${name}</h3><p>${about}</p>${typeOf(schema)}</section>`;
}

/** A schema in words, as HTML; objects as tables of their fields. */
function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = escaped(schema.$ref.split("/").at(-1) ?? "");
    return `<a href="#${name}">${name}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(" or ");
  if (schema.enum !== undefined) {
    return schema.enum.map((one) => `<code>${escaped(JSON.stringify(one))}</code>`).join(" | ");
  }
  if (schema.properties !== undefined) return fieldTable(schema) + nullOf(schema);
  if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}${nullOf(schema)}`;
  const values = schema.additionalProperties;
  if (typeof values === "object") return `object with values ${typeOf(values)}`;
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["any JSON"]);
  const words = types.map((type) => (type === "null" ? type : type + boundsOf(schema)));
  return escaped(words.join(" or "));
}

function nullOf({ type }: Schema): string {
  return Array.isArray(type) && type.includes("null") ? " or null" : "";
}

function boundsOf({ minimum, maximum, format }: Schema): string {
  const isBounded = minimum !== undefined || (maximum !== undefined && maximum < 2 ** 52);
  const most = maximum !== undefined && maximum < 2 ** 52 ? maximum : "";
  return `${format ? ` (${format})` : ""}${isBounded ? ` ${minimum ?? ""}…${most}` : ""}`;
}

function fieldTable({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : " <em>optional</em>";
    const about = prose(schema.description ?? "");
    return `<tr><td><code>${escaped(name)}</code>${optional}</td><td>${typeOf(schema)}</td><td>${about}</td></tr>`;
  });
  return `<table>${rows.join("")}</table>`;
}

function errorTable(): string {
  const rows = [...CODES].map(([code, kind]) => {
    const status = statusOf({ code, blame: kind.blame });
    return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${kind.blame}</td><td>${escaped(kind.means)}</td><td>${escaped(kind.remedy)}</td></tr>`;
  });
  return `<table><tr><th>code</th><th>status</th><th>blame</th><th>means</th><th>what to do</th></tr>${rows.join("")}</table>`;
}

function anchorOf(method: string, path: string): string {
  return escaped(`${method}${path}`.replace(/[^A-Za-z0-9]+/g, "-"));
}

/** Text with `code` in it. */
function prose(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (letter) => names[letter] ?? letter);
}
