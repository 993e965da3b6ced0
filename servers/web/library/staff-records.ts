import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { asked, Form } from "../form.ts";
import {
  errorSummary,
  facts,
  inputField,
  options,
  paged,
  pageLinks,
  selectField,
  table,
  textField,
} from "../markup.ts";
import { seeOther, sentFields } from "../page.ts";
import { folded } from "../words.ts";
import { searched, statusOf } from "./catalogue.ts";
import { type Item, ON_HOLD_SHELF, ON_LOAN, SHELF_STATUSES, type Staff } from "./data.ts";
import type { Library } from "./library.ts";
import { forStaff } from "./staff.ts";
import { titleForm, titleOfForm } from "./title-form.ts";

const PER_PAGE = 25;
const NOTICES: Readonly<Record<string, string>> = {
  saved: "Your changes were saved.",
  same: "Nothing was different; nothing was changed.",
  item: "The item was added.",
};

/** What staff do with the catalogue: items and titles are found, changed and added. */
export function recordRoutes(app: Hono, library: Library): void {
  app.get(
    "/staff/items",
    forStaff(library, (c) => itemList(c, library)),
  );
  app.get(
    "/staff/items/:barcode",
    forStaff(library, (c) => {
      const item = itemOf(c, library);
      return item ? itemPage(c, library, item) : library.notFound(c, "There is no such item.");
    }),
  );
  app.post(
    "/staff/items/:barcode",
    forStaff(library, (c, staff) => saveItem(c, library, staff)),
  );
  app.get(
    "/staff/titles",
    forStaff(library, (c) => titleList(c, library)),
  );
  app.get(
    "/staff/titles/new",
    forStaff(library, (c) => newTitlePage(c, library)),
  );
  app.post(
    "/staff/titles",
    forStaff(library, (c, staff) => addTitle(c, library, staff)),
  );
  app.get(
    "/staff/titles/:id",
    forStaff(library, (c) => titlePage(c, library)),
  );
  app.post(
    "/staff/titles/:id",
    forStaff(library, (c, staff) => saveTitle(c, library, staff)),
  );
  app.post(
    "/staff/titles/:id/items",
    forStaff(library, (c, staff) => addItem(c, library, staff)),
  );
}

function itemOf(c: Context, { data }: Library): Item | undefined {
  return data.items.find(({ barcode }) => barcode === c.req.param("barcode"));
}

function itemList(c: Context, library: Library) {
  const { data } = library;
  const [q, status] = [asked(c.req.query("q")), asked(c.req.query("status"))];
  const titles = new Map(data.titles.map((title) => [title.id, title]));
  const words = folded(q).split(" ");
  const found = data.items.filter((item) => {
    if (status !== "" && item.status !== status) return false;
    const title = titles.get(item.title);
    const text = folded(
      [item.barcode, item.shelf, title?.title, title?.author, title?.isbn].join(" "),
    );
    return words.every((word) => text.includes(word));
  });
  const page = paged(found, c.req.query("page"), PER_PAGE);
  const rows = page.items.map((item) => [
    html`<a href="/staff/items/${item.barcode}">${item.barcode}</a>`,
    titles.get(item.title)?.title ?? item.title,
    item.branch,
    item.shelf,
    statusOf(data, item),
  ]);
  const statuses = ["", ...SHELF_STATUSES, ON_LOAN, ON_HOLD_SHELF].map((value) => {
    return { value, label: value || "All" };
  });
  return library.send(c, {
    title: "Items",
    main: html`<form class="line panel" method="get" action="/staff/items" role="search">
      <div class="field"><label for="q">Barcode, title, author, ISBN or shelf</label><input id="q" name="q" type="search" value="${q}"></div>
      <div class="field"><label for="status">Status</label><select id="status" name="status">${options(statuses, status)}</select></div>
      <button>Find items</button></form><p role="status">${found.length} items</p>
      ${table("Items", ["Barcode", "Title", "Branch", "Shelf", "Status"], rows)}
      ${pageLinks(page, "/staff/items", new URLSearchParams({ q, status }))}`,
  });
}

function itemPage(c: Context, library: Library, item: Item, form?: Form) {
  const title = library.title(item.title);
  const away = item.status === ON_LOAN || item.status === ON_HOLD_SHELF;
  const statuses = [...(away ? [item.status] : []), ...SHELF_STATUSES].map((value) => {
    return { value, label: value };
  });
  const branches = library.config.branches.map((value) => ({ value, label: value }));
  const status = { name: "status", label: "Status", value: item.status };
  return library.send(c, {
    title: `Item ${item.barcode}`,
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}
      ${facts([
        ["Title", html`<a href="/staff/titles/${item.title}">${title?.title ?? item.title}</a>`],
        ["Author", title?.author],
        ["Status", statusOf(library.data, item)],
      ])}
      <form class="panel" method="post" action="/staff/items/${item.barcode}">
      ${selectField(status, statuses, form)}
      ${selectField({ name: "branch", label: "Branch", value: item.branch }, branches, form)}
      ${inputField({ name: "shelf", label: "Shelf mark", value: item.shelf }, form)}
      ${textField({ name: "note", label: "Note", value: item.note }, form)}
      <button>Save item</button></form>`,
  });
}

async function saveItem(c: Context, library: Library, staff: Staff) {
  const item = itemOf(c, library);
  if (item === undefined) return library.notFound(c, "There is no such item.");
  const form = new Form(await sentFields(c));
  const status = form.choice("status", "a status", [...SHELF_STATUSES, item.status]);
  const branch = form.choice("branch", "a branch", library.config.branches);
  const shelf = form.text("shelf", "the shelf mark", { max: 60, optional: true });
  const note = form.text("note", "the note", { max: 500, optional: true });
  if (form.ok && status !== item.status && [ON_LOAN, ON_HOLD_SHELF].includes(item.status)) {
    const how = item.status === ON_LOAN ? "Take it back at the desk" : "Cancel or collect the hold";
    form.problem("status", `This item is ${item.status}. ${how} first.`);
  }
  if (!form.ok) return itemPage(c, library, item, form);
  const changed = library.store.change((data) => {
    const place = { table: "items", id: item.barcode, row: item };
    return library.edit(data, staff, place, { status, branch, shelf, note });
  });
  return seeOther(c, `/staff/items/${item.barcode}?notice=${changed > 0 ? "saved" : "same"}`);
}

function titleList(c: Context, library: Library) {
  const q = asked(c.req.query("q"));
  const any = { field: "any", format: "", branch: "", available: "", sort: "title" };
  const page = paged(searched(library.data, { q, ...any }), c.req.query("page"), PER_PAGE);
  const rows = page.items.map((title) => [
    html`<a href="/staff/titles/${title.id}">${title.title}</a>`,
    title.author,
    title.isbn,
    library.data.items.filter((item) => item.title === title.id).length,
  ]);
  return library.send(c, {
    title: "Titles",
    main: html`<form class="line panel" method="get" action="/staff/titles" role="search">
      <div class="field"><label for="q">Title, author, ISBN or subject</label><input id="q" name="q" type="search" value="${q}"></div>
      <button>Find titles</button></form><p><a href="/staff/titles/new">Add a title</a></p>
      <p role="status">${page.total} titles</p>
      ${table("Titles", ["Title", "Author", "ISBN", "Items"], rows)}
      ${pageLinks(page, "/staff/titles", new URLSearchParams({ q }))}`,
  });
}

function newTitlePage(c: Context, library: Library, form?: Form) {
  return library.send(c, {
    title: "Add a title",
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}<form class="panel" method="post" action="/staff/titles">
      ${titleForm(undefined, form)}<button>Add title</button></form>`,
  });
}

async function addTitle(c: Context, library: Library, staff: Staff) {
  const form = new Form(await sentFields(c));
  const fields = titleOfForm(form, library.data.titles);
  if (!form.ok) return newTitlePage(c, library, form);
  const id = library.store.change((data) => library.addTitle(data, staff, fields));
  return seeOther(c, `/titles/${id}?notice=added`);
}

function titlePage(c: Context, library: Library, form?: Form, items?: Form) {
  const title = library.title(c.req.param("id"));
  if (title === undefined) return library.notFound(c, "There is no such title.");
  const rows = library.data.items
    .filter((item) => item.title === title.id)
    .map((item) => [
      html`<a href="/staff/items/${item.barcode}">${item.barcode}</a>`,
      item.branch,
      item.shelf,
      item.status,
    ]);
  const branches = library.config.branches.map((value) => ({ value, label: value }));
  return library.send(c, {
    title: `Edit “${title.title}”`,
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: (form ?? items) ? 422 : 200,
    main: html`${errorSummary(form)}${errorSummary(items)}
      <form class="panel" method="post" action="/staff/titles/${title.id}">
      ${titleForm(title, form)}<button>Save title</button></form>
      ${table("Items of this title", ["Barcode", "Branch", "Shelf", "Status"], rows)}
      <h2>Add an item</h2><form class="panel" method="post" action="/staff/titles/${title.id}/items">
      ${inputField({ name: "barcode", label: "Barcode", required: true }, items)}
      ${selectField({ name: "branch", label: "Branch" }, branches, items)}
      ${inputField({ name: "shelf", label: "Shelf mark" }, items)}<button class="second">Add item</button></form>
      <p><a href="/titles/${title.id}">See it in the catalogue</a></p>`,
  });
}

async function saveTitle(c: Context, library: Library, staff: Staff) {
  const title = library.title(c.req.param("id"));
  if (title === undefined) return library.notFound(c, "There is no such title.");
  const form = new Form(await sentFields(c));
  const others = library.data.titles.filter((each) => each !== title);
  const fields = titleOfForm(form, others);
  if (!form.ok) return titlePage(c, library, form);
  const changed = library.store.change((data) => {
    return library.edit(data, staff, { table: "titles", id: title.id, row: title }, fields);
  });
  return seeOther(c, `/staff/titles/${title.id}?notice=${changed > 0 ? "saved" : "same"}`);
}

async function addItem(c: Context, library: Library, staff: Staff) {
  const title = library.title(c.req.param("id"));
  if (title === undefined) return library.notFound(c, "There is no such title.");
  const form = new Form(await sentFields(c));
  const barcode = form.text("barcode", "a barcode", { max: 60 });
  if (form.ok && !/^[\w.-]+$/.test(barcode)) {
    form.problem("barcode", "Enter a barcode of letters, digits, “.”, “-” and “_”.");
  }
  if (library.data.items.some((item) => item.barcode === barcode)) {
    form.problem("barcode", `The barcode ${barcode} is in use already.`);
  }
  const branch = form.choice("branch", "a branch", library.config.branches);
  const shelf = form.text("shelf", "the shelf mark", { max: 60, optional: true });
  if (!form.ok) return titlePage(c, library, undefined, form);
  library.store.change((data) => {
    const item: Item = { barcode, title: title.id, branch, shelf, status: "available", note: "" };
    library.added(data, staff, { table: "items", id: barcode });
    data.items.push(item);
  });
  return seeOther(c, `/staff/titles/${title.id}?notice=item`);
}
