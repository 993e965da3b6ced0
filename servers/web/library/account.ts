import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { shown, today } from "../dates.ts";
import { Form } from "../form.ts";
import { errorSummary, facts, inputField, type Markup, table } from "../markup.ts";
import { localPath, seeOther, sentFields } from "../page.ts";
import { cancelHold, isOpen, openLoans, placeHold, renew, titleOf } from "./circulation.ts";
import type { Member } from "./data.ts";
import type { Library } from "./library.ts";

const NOTICES: Readonly<Record<string, string>> = {
  hold: "Your hold was placed. We tell you when it can be collected.",
  cancelled: "The hold was cancelled.",
  renewed: "The loan was renewed.",
  booked: "Your room is booked.",
  "booking-cancelled": "The booking was cancelled.",
  out: "You are signed out.",
};

/** What a member sees and does: sign-in, loans, holds. */
export function accountRoutes(app: Hono, library: Library): void {
  app.get("/login", (c) => {
    return library.member(c) === undefined ? loginPage(c, library) : seeOther(c, "/account");
  });
  app.post("/login", (c) => login(c, library));
  app.post("/logout", (c) => {
    library.endSession(c);
    return seeOther(c, "/login?notice=out");
  });
  app.get("/account", (c) => {
    const member = library.member(c);
    return member === undefined ? library.toLogin(c) : accountPage(c, library, member);
  });
  app.post("/titles/:id/hold", (c) => hold(c, library));
  app.post("/holds/:id/cancel", (c) => {
    const member = library.member(c);
    if (member === undefined) return library.toLogin(c);
    const own = library.data.holds.find(({ id, member: card }) => {
      return id === c.req.param("id") && card === member.card;
    });
    if (own === undefined) return library.notFound(c, "You have no hold of this number.");
    if (isOpen(own)) library.store.change((data) => cancelHold(data, own));
    return seeOther(c, "/account?notice=cancelled");
  });
  app.post("/loans/:id/renew", (c) => {
    const member = library.member(c);
    if (member === undefined) return library.toLogin(c);
    const loan = openLoans(library.data, member).find(({ id }) => id === c.req.param("id"));
    if (loan === undefined) return library.notFound(c, "You have no loan of this number.");
    const result = library.store.change((data) => {
      return renew({ data, config: library.config }, member, loan);
    });
    if ("problem" in result) return library.refuse(c, result.problem, "/account");
    return seeOther(c, "/account?notice=renewed");
  });
}

function loginPage(c: Context, library: Library, form?: Form) {
  const next = form?.value("next") ?? c.req.query("next") ?? "";
  return library.send(c, {
    title: "Sign in",
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}<form class="panel" method="post" action="/login">
      <input type="hidden" name="next" value="${localPath(next, "")}">
      ${inputField({ name: "card", label: "Library card number", required: true, autocomplete: "username" }, form)}
      ${inputField({ name: "pin", label: "PIN", type: "password", required: true, autocomplete: "current-password" }, form)}
      <button>Sign in</button></form><p><a href="/staff/login">Sign in as staff</a></p>`,
  });
}

async function login(c: Context, library: Library) {
  const form = new Form(await sentFields(c));
  const card = form.text("card", "your library card number", { max: 60 });
  const pin = form.text("pin", "your PIN", { max: 60 });
  const member = library.data.members.find((each) => {
    return each.card.toLowerCase() === card.toLowerCase();
  });
  if (form.ok && member?.pin !== pin) {
    form.problem("card", "Card number and PIN do not match a member.");
  }
  if (!form.ok || member === undefined) return loginPage(c, library, form);
  library.store.change((data) => {
    library.keptSession(c, data).member = member.card;
  });
  return seeOther(c, localPath(form.value("next"), "/account"));
}

async function hold(c: Context, library: Library) {
  const title = library.title(c.req.param("id"));
  if (title === undefined) return library.notFound(c, "There is no such title.");
  const form = new Form(await sentFields(c));
  const member = library.member(c);
  const back = `/titles/${title.id}`;
  if (member === undefined) return seeOther(c, `/login?${new URLSearchParams({ next: back })}`);
  const branch = form.choice("branch", "a branch", library.config.branches);
  if (!form.ok) return library.refuse(c, "Choose a branch of this library.", back);
  const { config } = library;
  const result = library.store.change((data) => placeHold({ data, config }, member, title, branch));
  if ("problem" in result) return library.refuse(c, result.problem, back);
  return seeOther(c, "/account?notice=hold");
}

function accountPage(c: Context, library: Library, member: Member) {
  const { card, name, email, blocked } = member;
  return library.send(c, {
    title: "My account",
    notice: NOTICES[c.req.query("notice") ?? ""],
    main: html`${blocked !== "" && html`<p class="alert" role="alert">Your card is blocked: ${blocked}.</p>`}
      ${facts([
        ["Name", name],
        ["Card", card],
        ["Email", email],
      ])}
      <h2>Loans</h2>${loansTable(library, member)}
      <h2>Holds</h2>${holdsTable(library, member)}
      <h2>Room bookings</h2>${bookingsTable(library, member)}`,
  });
}

function loansTable({ data }: Library, member: Member): Markup {
  const loans = openLoans(data, member);
  if (loans.length === 0) return html`<p>You have nothing on loan.</p>`;
  const rows = loans.map((loan) => [
    titleLink(data, titleOf(data, loan.item)),
    loan.item,
    html`${shown(loan.due_on)}${loan.due_on < today() && html` <strong class="bad">overdue</strong>`}`,
    loan.renewals,
    button(`/loans/${loan.id}/renew`, "Renew", `Renew loan ${loan.id}`),
  ]);
  return table("Loans", ["Title", "Barcode", "Due", "Renewals", "Renew"], rows);
}

function holdsTable({ data }: Library, { card }: Member): Markup {
  const holds = data.holds.filter((each) => each.member === card && isOpen(each));
  if (holds.length === 0) return html`<p>You have no holds.</p>`;
  const rows = holds.map((each) => [
    each.id,
    titleLink(data, each.title),
    each.branch,
    each.status === "ready" ? html`<strong class="good">ready to collect</strong>` : each.status,
    button(`/holds/${each.id}/cancel`, "Cancel", `Cancel hold ${each.id}`),
  ]);
  return table("Holds", ["Hold", "Title", "Collect at", "Status", "Cancel"], rows);
}

function bookingsTable({ data }: Library, { card }: Member): Markup {
  const bookings = data.bookings
    .filter(({ member, status, date }) => {
      return member === card && status === "booked" && date >= today();
    })
    .toSorted((a, b) => (`${a.date}${a.start}` < `${b.date}${b.start}` ? -1 : 1));
  if (bookings.length === 0)
    return html`<p>You have no bookings. <a href="/rooms">Book a room</a></p>`;
  const rows = bookings.map(({ id, room, date, start, end, people }) => [
    id,
    data.rooms.find((each) => each.id === room)?.name ?? room,
    `${shown(date)}, ${start} to ${end}`,
    people,
    button(`/bookings/${id}/cancel`, "Cancel", `Cancel booking ${id}`),
  ]);
  return table("Room bookings", ["Booking", "Room", "When", "People", "Cancel"], rows);
}

function titleLink({ titles }: Library["data"], id: string | undefined): Markup {
  const title = titles.find((each) => each.id === id);
  return html`<a href="/titles/${id}">${title?.title ?? id}</a>`;
}

/** A form that is one button. */
export function button(action: string, text: string, label: string): Markup {
  return html`<form method="post" action="${action}"><button class="second" aria-label="${label}">${text}</button></form>`;
}
