import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { shown } from "../dates.ts";
import { asked } from "../form.ts";
import { facts, type Markup, options, paged, pageLinks, table } from "../markup.ts";
import { folded } from "../words.ts";
import type { Item, LibraryData, Title } from "./data.ts";
import type { Library } from "./library.ts";

const FIELDS = [
  { value: "any", label: "Anywhere" },
  { value: "title", label: "Title" },
  { value: "author", label: "Author" },
  { value: "isbn", label: "ISBN" },
  { value: "subject", label: "Subject" },
];
const SORTS = [
  { value: "title", label: "Title" },
  { value: "author", label: "Author" },
  { value: "-year", label: "Newest first" },
  { value: "year", label: "Oldest first" },
];

/** The public catalogue: home, search, and each title's page. */
export function catalogueRoutes(app: Hono, library: Library): void {
  app.get("/", (c) => {
    const { titles } = library.data;
    const subjects = [...new Set(titles.flatMap((title) => title.subjects))].sort().slice(0, 24);
    const links = subjects.map((subject) => {
      const query = new URLSearchParams({ q: subject, field: "subject" });
      return html`<li><a href="/catalogue?${query}">${subject}</a></li>`;
    });
    return library.send(c, {
      title: `Welcome to ${library.config.title}`,
      main: html`${searchForm({ q: "", field: "any" })}
        <p>${titles.length} titles at ${library.config.branches.join(", ")}.
        <a href="/rooms">Book a room</a> or <a href="/account">see your loans</a>.</p>
        <h2>Subjects</h2><ul class="grid">${links}</ul>${hoursTable(library)}`,
    });
  });
  app.get("/catalogue", (c) => results(c, library));
  app.get("/titles/:id", (c) => {
    const title = library.title(c.req.param("id"));
    if (title === undefined) return library.notFound(c, "There is no such title.");
    return titlePage(c, library, title);
  });
}

function hoursTable({ config }: Library): Markup {
  const rows = Object.entries(config.hours).map(([day, hours]) => [
    day,
    hours === null ? "closed" : `${hours[0]} to ${hours[1]}`,
  ]);
  return table("Opening hours", ["Day", "Open"], rows);
}

function searchForm({ q, field }: { readonly q: string; readonly field: string }): Markup {
  return html`<form class="line panel" method="get" action="/catalogue" role="search">
    <div class="field"><label for="q">Search the catalogue</label>
      <input id="q" name="q" type="search" value="${q}"></div>
    <div class="field"><label for="field">Search in</label>
      <select id="field" name="field">${options(FIELDS, field)}</select></div>
    <button>Search</button></form>`;
}

interface Wanted {
  readonly q: string;
  readonly field: string;
  readonly format: string;
  readonly branch: string;
  readonly available: string;
  readonly sort: string;
}

function results(c: Context, library: Library) {
  const ask = (name: string) => asked(c.req.query(name));
  const wanted: Wanted = {
    ...{ q: ask("q"), field: ask("field") || "any", format: ask("format") },
    ...{ branch: ask("branch"), available: ask("available"), sort: ask("sort") || "title" },
  };
  const found = searched(library.data, wanted);
  const page = paged(found, c.req.query("page"), library.config.per_page);
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
  const rows = page.items.map((title) => [
    html`<a href="/titles/${title.id}">${title.title}</a>`,
    title.author,
    title.year ?? "",
    title.format,
    availability(library.data, title),
  ]);
  const count = found.length === 1 ? "1 title" : `${found.length} titles`;
  const none = "No titles were found. Try other words, or search anywhere.";
  return library.send(c, {
    title: wanted.q === "" ? "Catalogue" : `Results for “${wanted.q}”`,
    main: html`${searchForm(wanted)}<div class="split"><aside aria-label="Filters">${filters(library, wanted)}</aside>
      <div><p role="status">${found.length === 0 ? none : `${count}, page ${page.page} of ${page.pages}`}</p>
      ${rows.length > 0 && table("Titles", ["Title", "Author", "Year", "Format", "Availability"], rows)}
      ${pageLinks(page, "/catalogue", query)}</div></div>`,
  });
}

function filters(library: Library, wanted: Wanted): Markup {
  const formats = [...new Set(library.data.titles.map(({ format }) => format))].sort();
  const all = (values: readonly string[]) => [
    { value: "", label: "All" },
    ...values.map((value) => ({ value, label: value })),
  ];
  return html`<form method="get" action="/catalogue" aria-label="Filter">
    <input type="hidden" name="q" value="${wanted.q}"><input type="hidden" name="field" value="${wanted.field}">
    <div class="field"><label for="format">Format</label>
      <select id="format" name="format">${options(all(formats), wanted.format)}</select></div>
    <div class="field"><label for="branch">Branch</label>
      <select id="branch" name="branch">${options(all(library.config.branches), wanted.branch)}</select></div>
    <div class="choice"><input id="available" name="available" type="checkbox" value="yes"
      ${wanted.available === "yes" && html`checked`}> <label for="available">Available now</label></div>
    <div class="field"><label for="sort">Sort by</label>
      <select id="sort" name="sort">${options(SORTS, wanted.sort)}</select></div>
    <button>Show results</button></form>`;
}

/** The titles that answer a search, in order; also for staff. */
export function searched(data: LibraryData, wanted: Wanted): readonly Title[] {
  const { q, field, format, branch, available, sort } = wanted;
  const words = folded(q).split(" ");
  const found = data.titles.filter((title) => {
    if (format !== "" && title.format !== format) return false;
    const text = textOf(title, field);
    if (!words.every((word) => text.includes(word))) return false;
    if (branch === "" && available === "") return true;
    return itemsOf(data, title).some(
      (item) =>
        (branch === "" || item.branch === branch) &&
        (available === "" || item.status === "available"),
    );
  });
  const key = (title: Title) => folded(sort === "author" ? title.author : title.title);
  if (sort === "year" || sort === "-year") {
    const sign = sort === "year" ? 1 : -1;
    return found.toSorted((a, b) => sign * ((a.year ?? 0) - (b.year ?? 0)));
  }
  return found.toSorted((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b))));
}

function textOf({ title, author, isbn, subjects, publisher }: Title, field: string): string {
  const digits = isbn.replaceAll(/[^0-9Xx]/g, "");
  if (field === "title") return folded(title);
  if (field === "author") return folded(author);
  if (field === "isbn")
    return `${folded(isbn)} ${folded(digits)} ${folded(isbn).replaceAll(" ", "")}`;
  if (field === "subject") return folded(subjects.join(" "));
  return folded([title, author, isbn, digits, publisher, ...subjects].join(" "));
}

function itemsOf(data: LibraryData, { id }: Title): readonly Item[] {
  return data.items.filter(({ title, status }) => title === id && status !== "withdrawn");
}

function availability(data: LibraryData, title: Title): Markup {
  const items = itemsOf(data, title);
  const free = items.filter(({ status }) => status === "available").length;
  if (items.length === 0) return html`<span class="quiet">No copies</span>`;
  if (free === 0) return html`<span class="bad">None of ${items.length} available</span>`;
  return html`<span class="good">${free} of ${items.length} available</span>`;
}

const NOTICES: Readonly<Record<string, string>> = { added: "The title was added." };

function titlePage(c: Context, library: Library, title: Title) {
  const { data, config } = library;
  const items = itemsOf(data, title);
  const rows = items.map((item) => [item.barcode, item.branch, item.shelf, statusOf(data, item)]);
  const waiting = data.holds.filter((hold) => hold.title === title.id && hold.status === "waiting");
  const branches = config.branches.map((branch) => ({ value: branch, label: branch }));
  const hold = html`<form class="panel" method="post" action="/titles/${title.id}/hold">
    <div class="field"><label for="branch">Collect at</label>
    <select id="branch" name="branch">${options(branches, branches[0]?.value ?? "")}</select></div>
    <button>Place a hold</button></form>`;
  const signIn = new URLSearchParams({ next: `/titles/${title.id}` });
  return library.send(c, {
    title: title.title,
    notice: NOTICES[c.req.query("notice") ?? ""],
    main: html`<div class="halves"><div><p>by ${title.author}</p><p>${title.description}</p>
      ${facts([
        ["ISBN", title.isbn],
        ["Year", title.year],
        ["Publisher", title.publisher],
        ["Format", title.format],
        ["Language", title.language],
        ["Subjects", title.subjects.join(", ")],
      ])}</div>
      <div><p>${availability(data, title)}${waiting.length > 0 && `, ${waiting.length} waiting`}</p>
      ${library.member(c) === undefined ? html`<p><a href="/login?${signIn}">Sign in to place a hold</a></p>` : hold}
      ${library.staff(c) && html`<p><a href="/staff/titles/${title.id}">Edit this title</a></p>`}</div></div>
      ${rows.length === 0 ? html`<p>The library has no copy of this title.</p>` : table("Copies", ["Barcode", "Branch", "Shelf", "Status"], rows)}`,
  });
}

/** An item's status, with the day it is due. */
export function statusOf(data: LibraryData, { barcode, status }: Item): string {
  const loan = data.loans.find((each) => each.item === barcode && each.returned_on === null);
  return loan === undefined ? status : `${status}, due ${shown(loan.due_on)}`;
}
