import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { shown, today } from "../dates.ts";
import { Form } from "../form.ts";
import { errorSummary, facts, inputField } from "../markup.ts";
import { localPath, seeOther, sentFields } from "../page.ts";
import { isOpen, lend, takeBack } from "./circulation.ts";
import type { Staff } from "./data.ts";
import type { Library } from "./library.ts";

export type StaffPage = (c: Context, staff: Staff) => Response | Promise<Response>;

/** A page for staff alone: others are sent to the sign-in, or told no when they sent a form. */
export function forStaff(library: Library, page: StaffPage) {
  return async (c: Context) => {
    const staff = library.staff(c);
    if (staff !== undefined) return await page(c, staff);
    const { pathname } = new URL(c.req.url);
    if (c.req.method !== "POST") {
      return seeOther(c, `/staff/login?${new URLSearchParams({ next: pathname })}`);
    }
    const main = html`<p>This is for staff. <a href="/staff/login">Sign in as staff</a></p>`;
    return await library.send(c, { title: "Not allowed", status: 403, main });
  };
}

/** The staff's sign-in and desk, where items are lent and come back. */
export function staffRoutes(app: Hono, library: Library): void {
  app.get("/staff/login", (c) => {
    return library.staff(c) === undefined ? loginPage(c, library) : seeOther(c, "/staff");
  });
  app.post("/staff/login", (c) => login(c, library));
  app.get(
    "/staff",
    forStaff(library, (c) => deskPage(c, library, {})),
  );
  app.post(
    "/staff/lend",
    forStaff(library, (c) => lendItem(c, library)),
  );
  app.post(
    "/staff/return",
    forStaff(library, (c) => returnItem(c, library)),
  );
}

function loginPage(c: Context, library: Library, form?: Form) {
  const next = form?.value("next") ?? c.req.query("next") ?? "";
  return library.send(c, {
    title: "Staff sign-in",
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}<form class="panel" method="post" action="/staff/login">
      <input type="hidden" name="next" value="${localPath(next, "")}">
      ${inputField({ name: "user", label: "User name", required: true, autocomplete: "username" }, form)}
      ${inputField({ name: "password", label: "Password", type: "password", required: true, autocomplete: "current-password" }, form)}
      <button>Sign in</button></form>`,
  });
}

async function login(c: Context, library: Library) {
  const form = new Form(await sentFields(c));
  const user = form.text("user", "your user name", { max: 100 });
  const password = form.text("password", "your password");
  const staff = library.data.staff.find((each) => each.user === user);
  if (form.ok && staff?.password !== password) {
    form.problem("user", "User name and password do not match.");
  }
  if (!form.ok || staff === undefined) return loginPage(c, library, form);
  library.store.change((data) => {
    library.keptSession(c, data).staff = staff.user;
  });
  return seeOther(c, localPath(form.value("next"), "/staff"));
}

interface Desk {
  readonly lending?: Form;
  readonly returning?: Form;
  readonly notice?: string;
}

function deskPage(c: Context, library: Library, { lending, returning, notice }: Desk) {
  const { items, loans, holds } = library.data;
  const out = loans.filter((loan) => loan.returned_on === null);
  const wrong = [lending, returning].some((form) => form !== undefined && !form.ok);
  return library.send(c, {
    title: "Staff desk",
    notice,
    status: wrong ? 422 : 200,
    main: html`${errorSummary(lending)}${errorSummary(returning)}
      ${facts([
        ["Items", items.length],
        ["On loan", out.length],
        ["Overdue", out.filter((loan) => loan.due_on < today()).length],
        ["Open holds", holds.filter(isOpen).length],
      ])}
      <div class="halves"><form class="panel" method="post" action="/staff/lend"><h2>Lend</h2>
      ${inputField({ name: "card", label: "Library card number", required: true }, lending)}
      ${inputField({ name: "barcode", label: "Barcode", required: true }, lending)}<button>Lend item</button></form>
      <form class="panel" method="post" action="/staff/return"><h2>Return</h2>
      ${inputField({ name: "returned", label: "Barcode of the returned item", required: true }, returning)}<button>Take back</button></form></div>`,
  });
}

async function lendItem(c: Context, library: Library) {
  const form = new Form(await sentFields(c));
  const card = form.text("card", "a library card number", { max: 60 });
  const barcode = form.text("barcode", "a barcode", { max: 60 });
  if (!form.ok) return deskPage(c, library, { lending: form });
  const { config } = library;
  const result = library.store.change((data) => lend({ data, config }, card, barcode));
  if ("problem" in result) {
    form.problem(result.problem.includes("card") ? "card" : "barcode", result.problem);
    return deskPage(c, library, { lending: form });
  }
  const { id, due_on: due } = result.done;
  return deskPage(c, library, {
    notice: `${barcode} was lent to ${card} until ${shown(due)} (${id}).`,
  });
}

async function returnItem(c: Context, library: Library) {
  const form = new Form(await sentFields(c));
  const barcode = form.text("returned", "a barcode", { max: 60 });
  if (!form.ok) return deskPage(c, library, { returning: form });
  const result = library.store.change((data) => takeBack(data, barcode));
  if ("problem" in result) {
    form.problem("returned", result.problem);
    return deskPage(c, library, { returning: form });
  }
  return deskPage(c, library, { notice: result.done });
}
