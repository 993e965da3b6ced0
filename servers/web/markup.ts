import { html } from "hono/html";
import type { Form } from "./form.ts";

/** A piece of a page. `html` escapes whatever is put into it. */
export type Markup = ReturnType<typeof html>;

export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly value?: string | number;
  /** Kind of input; default "text". */
  readonly type?: "text" | "email" | "password" | "number" | "date" | "search";
  readonly min?: string | number;
  readonly max?: string | number;
  readonly required?: boolean;
  readonly autocomplete?: string;
  /** Neither required nor called optional: it depends. */
  readonly depends?: boolean;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A labelled input; after a mistake with what was typed, and what is wrong with it. */
export function inputField(spec: FieldSpec, form?: Form): Markup {
  const { name, label, type = "text", min, max, required = false } = spec;
  const error = form?.errors.get(name);
  const secret = type === "password";
  const value = secret ? "" : (form?.value(name) ?? spec.value ?? "");
  return html`<div class="field${error ? " wrong" : ""}">
    <label for="${name}">${label}${optionalMark(spec)}</label>
    ${hintOf(spec)}${errorOf(name, error)}
    <input id="${name}" name="${name}" type="${type}" value="${value}"
      ${attribute("min", min)} ${attribute("max", max)} ${required && html`required`}
      ${attribute("autocomplete", spec.autocomplete)} ${described(spec, error)}>
  </div>`;
}

export function textField(spec: FieldSpec, form?: Form): Markup {
  const { name, label } = spec;
  const error = form?.errors.get(name);
  return html`<div class="field${error ? " wrong" : ""}">
    <label for="${name}">${label}${optionalMark(spec)}</label>
    ${hintOf(spec)}${errorOf(name, error)}
    <textarea id="${name}" name="${name}" rows="3" ${described(spec, error)}>
${form?.value(name) ?? spec.value ?? ""}</textarea>
  </div>`;
}

export function selectField(spec: FieldSpec, choices: readonly Choice[], form?: Form): Markup {
  const { name, label } = spec;
  const error = form?.errors.get(name);
  const chosen = String(form?.has(name) ? form.value(name) : (spec.value ?? ""));
  return html`<div class="field${error ? " wrong" : ""}">
    <label for="${name}">${label}</label>
    ${hintOf(spec)}${errorOf(name, error)}
    <select id="${name}" name="${name}" ${described(spec, error)}>${options(choices, chosen)}</select>
  </div>`;
}

export function options(choices: readonly Choice[], chosen: string): Markup[] {
  return choices.map(
    ({ value, label }) =>
      html`<option value="${value}" ${value === chosen && html`selected`}>${label}</option>`,
  );
}

/** One of several, all to be seen. */
export function radioField(spec: FieldSpec, choices: readonly Choice[], form?: Form): Markup {
  const { name, label } = spec;
  const error = form?.errors.get(name);
  const chosen = String(form?.has(name) ? form.value(name) : (spec.value ?? ""));
  const radios = choices.map(({ value, label: said }, at) => {
    const id = at === 0 ? name : `${name}-${value}`;
    return html`<div class="choice"><input type="radio" id="${id}" name="${name}" value="${value}"
      ${value === chosen && html`checked`}> <label for="${id}">${said}</label></div>`;
  });
  return html`<fieldset class="field${error ? " wrong" : ""}"><legend>${label}</legend>
    ${hintOf(spec)}${errorOf(name, error)}${radios}</fieldset>`;
}

export function checkField(spec: FieldSpec, form?: Form): Markup {
  const { name, label } = spec;
  const error = form?.errors.get(name);
  return html`<div class="field${error ? " wrong" : ""}">${errorOf(name, error)}
    <div class="choice"><input type="checkbox" id="${name}" name="${name}" value="yes"
      ${(form?.value(name) ?? spec.value) === "yes" && html`checked`}> <label for="${name}">${label}</label></div>
  </div>`;
}

/** Everything that is wrong with a form, first thing on its page. */
export function errorSummary(form: Form | undefined): Markup | "" {
  if (form === undefined || form.ok) return "";
  const items = [...form.errors].map(
    ([name, sentence]) => html`<li><a href="#${name}">${sentence}</a></li>`,
  );
  return html`<div class="alert" role="alert"><h2>There is a problem</h2><ul>${items}</ul></div>`;
}

/** A table with a caption and headed columns. */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly unknown[])[],
): Markup {
  return html`<table><caption>${caption}</caption>
    <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
  </table>`;
}

/** Facts by name. */
export function facts(pairs: readonly (readonly [string, unknown])[]): Markup {
  const shown = pairs.filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return html`<dl>${shown.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

export interface Paged<T> {
  readonly items: readonly T[];
  readonly page: number;
  readonly pages: number;
  readonly total: number;
}

/** One page of a list; what is no page of it is the nearest. */
export function paged<T>(all: readonly T[], page: string | undefined, perPage: number): Paged<T> {
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const number = /^\d{1,6}$/.test(page ?? "") ? Number(page) : 1;
  const at = Math.min(Math.max(number, 1), pages);
  const items = all.slice((at - 1) * perPage, at * perPage);
  return { items, page: at, pages, total: all.length };
}

/** Links to the other pages of a list, with the same query. */
export function pageLinks(
  { page, pages }: Paged<unknown>,
  path: string,
  query: URLSearchParams,
): Markup | "" {
  if (pages === 1) return "";
  const href = (to: number) => {
    const next = new URLSearchParams(query);
    next.set("page", String(to));
    return `${path}?${next}`;
  };
  return html`<nav class="pages" aria-label="Pages">
    ${page > 1 && html`<a rel="prev" href="${href(page - 1)}">Previous page</a>`}
    <span aria-current="page">Page ${page} of ${pages}</span>
    ${page < pages && html`<a rel="next" href="${href(page + 1)}">Next page</a>`}
  </nav>`;
}

function optionalMark({ required = false, depends = false }: FieldSpec): Markup | "" {
  return required || depends ? "" : html` <span class="quiet">(optional)</span>`;
}

function hintOf({ name, hint }: FieldSpec): Markup | "" {
  return hint === undefined ? "" : html`<p class="hint" id="${name}-hint">${hint}</p>`;
}

function errorOf(name: string, error: string | undefined): Markup | "" {
  return error === undefined ? "" : html`<p class="error" id="${name}-error">${error}</p>`;
}

function described({ name, hint }: FieldSpec, error: string | undefined): Markup | "" {
  const ids = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ");
  const wrong = error === undefined ? "" : html`aria-invalid="true"`;
  return html`${ids !== "" && html`aria-describedby="${ids}"`} ${wrong}`;
}

function attribute(name: "min" | "max" | "autocomplete", value: string | number | undefined) {
  if (value === undefined) return "";
  if (name === "min") return html`min="${value}"`;
  return name === "max" ? html`max="${value}"` : html`autocomplete="${value}"`;
}
