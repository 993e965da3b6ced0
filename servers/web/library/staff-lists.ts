import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { shown, today } from "../dates.ts";
import { asked, Form } from "../form.ts";
import { errorSummary, facts, inputField, options, paged, pageLinks, table } from "../markup.ts";
import { seeOther, sentFields } from "../page.ts";
import { folded } from "../words.ts";
import { button } from "./account.ts";
import { cancelHold, isOpen, openLoans, setAside, titleOf } from "./circulation.ts";
import type { Member, Staff } from "./data.ts";
import type { Library } from "./library.ts";
import { forStaff } from "./staff.ts";

const PER_PAGE = 25;
const NOTICES: Readonly<Record<string, string>> = {
  saved: "Your changes were saved.",
  same: "Nothing was different; nothing was changed.",
  cancelled: "It was cancelled.",
  ready: "A copy was set aside on the hold shelf.",
};

/** What staff look through: holds, members, bookings. */
export function listRoutes(app: Hono, library: Library): void {
  app.get(
    "/staff/holds",
    forStaff(library, (c) => holdList(c, library)),
  );
  app.post(
    "/staff/holds/:id/ready",
    forStaff(library, (c) => {
      const hold = library.data.holds.find(({ id }) => id === c.req.param("id"));
      if (hold === undefined) return library.notFound(c, "There is no such hold.");
      const result = library.store.change((data) => setAside(data, hold));
      if ("problem" in result) return library.refuse(c, result.problem, "/staff/holds");
      return seeOther(c, "/staff/holds?notice=ready");
    }),
  );
  app.post(
    "/staff/holds/:id/cancel",
    forStaff(library, (c, staff) => {
      const hold = library.data.holds.find(({ id }) => id === c.req.param("id"));
      if (hold === undefined) return library.notFound(c, "There is no such hold.");
      if (isOpen(hold)) {
        library.store.change((data) => {
          const before = { ...hold };
          cancelHold(data, hold);
          const place = { table: "holds", id: hold.id, row: before };
          library.edit(data, staff, place, { status: hold.status });
        });
      }
      return seeOther(c, "/staff/holds?notice=cancelled");
    }),
  );
  app.get(
    "/staff/members",
    forStaff(library, (c) => memberList(c, library)),
  );
  app.get(
    "/staff/members/:card",
    forStaff(library, (c) => {
      const member = memberOf(c, library);
      return member
        ? memberPage(c, library, member)
        : library.notFound(c, "There is no such member.");
    }),
  );
  app.post(
    "/staff/members/:card",
    forStaff(library, (c, staff) => saveMember(c, library, staff)),
  );
  app.get(
    "/staff/bookings",
    forStaff(library, (c) => bookingList(c, library)),
  );
  app.post(
    "/staff/bookings/:id/cancel",
    forStaff(library, (c, staff) => {
      const booking = library.data.bookings.find(({ id }) => id === c.req.param("id"));
      if (booking === undefined) return library.notFound(c, "There is no such booking.");
      if (booking.status === "booked") {
        library.store.change((data) => {
          const place = { table: "bookings", id: booking.id, row: booking };
          library.edit(data, staff, place, { status: "cancelled" });
        });
      }
      return seeOther(c, "/staff/bookings?notice=cancelled");
    }),
  );
}

function holdList(c: Context, library: Library) {
  const { data } = library;
  const page = paged(data.holds.filter(isOpen), c.req.query("page"), PER_PAGE);
  const rows = page.items.map((hold) => [
    hold.id,
    html`<a href="/titles/${hold.title}">${library.title(hold.title)?.title ?? hold.title}</a>`,
    html`<a href="/staff/members/${hold.member}">${hold.member}</a>`,
    hold.branch,
    shown(hold.placed_at),
    hold.item === null ? hold.status : `${hold.status}: ${hold.item}`,
    html`${hold.status === "waiting" && button(`/staff/holds/${hold.id}/ready`, "Set aside", `Set a copy aside for hold ${hold.id}`)}
      ${button(`/staff/holds/${hold.id}/cancel`, "Cancel", `Cancel hold ${hold.id}`)}`,
  ]);
  const heads = ["Hold", "Title", "Member", "Collect at", "Placed", "Status", "Actions"];
  return library.send(c, {
    title: "Holds",
    notice: NOTICES[c.req.query("notice") ?? ""],
    main: html`<p role="status">${page.total} open holds</p>${table("Holds, oldest first", heads, rows)}
      ${pageLinks(page, "/staff/holds", new URLSearchParams())}`,
  });
}

function memberOf(c: Context, { data }: Library): Member | undefined {
  return data.members.find(({ card }) => card === c.req.param("card"));
}

function memberList(c: Context, library: Library) {
  const q = asked(c.req.query("q"));
  const words = folded(q).split(" ");
  const found = library.data.members.filter(({ card, name, email }) => {
    const text = folded(`${card} ${name} ${email}`);
    return words.every((word) => text.includes(word));
  });
  const page = paged(found, c.req.query("page"), PER_PAGE);
  const rows = page.items.map((member) => [
    html`<a href="/staff/members/${member.card}">${member.card}</a>`,
    member.name,
    member.email,
    openLoans(library.data, member).length,
    member.blocked === "" ? "" : `blocked: ${member.blocked}`,
  ]);
  return library.send(c, {
    title: "Members",
    main: html`<form class="line panel" method="get" action="/staff/members" role="search">
      <div class="field"><label for="q">Card, name or email</label><input id="q" name="q" type="search" value="${q}"></div>
      <button>Find members</button></form><p role="status">${page.total} members</p>
      ${table("Members", ["Card", "Name", "Email", "Loans", "State"], rows)}
      ${pageLinks(page, "/staff/members", new URLSearchParams({ q }))}`,
  });
}

function memberPage(c: Context, library: Library, member: Member, form?: Form) {
  const { data } = library;
  const rows = openLoans(data, member).map((loan) => [
    loan.id,
    library.title(titleOf(data, loan.item))?.title ?? loan.item,
    loan.item,
    html`${shown(loan.due_on)}${loan.due_on < today() && html` <strong class="bad">overdue</strong>`}`,
  ]);
  const hint = "Why this member may not borrow; empty for nobody's block.";
  return library.send(c, {
    title: member.name,
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}${facts([
      ["Card", member.card],
      ["Email", member.email],
      ["State", member.blocked === "" ? "good standing" : `blocked: ${member.blocked}`],
    ])}
      ${rows.length === 0 ? html`<p>Nothing on loan.</p>` : table("Loans", ["Loan", "Title", "Barcode", "Due"], rows)}
      <h2>Edit member</h2><form class="panel" method="post" action="/staff/members/${member.card}">
      ${inputField({ name: "name", label: "Name", required: true, value: member.name }, form)}
      ${inputField({ name: "email", label: "Email", type: "email", required: true, value: member.email }, form)}
      ${inputField({ name: "blocked", label: "Blocked because", value: member.blocked, hint }, form)}
      <button>Save member</button></form>`,
  });
}

async function saveMember(c: Context, library: Library, staff: Staff) {
  const member = memberOf(c, library);
  if (member === undefined) return library.notFound(c, "There is no such member.");
  const form = new Form(await sentFields(c));
  const name = form.text("name", "a name", { max: 120 });
  const email = form.email("email");
  const blocked = form.text("blocked", "the reason", { optional: true });
  if (!form.ok) return memberPage(c, library, member, form);
  const changed = library.store.change((data) => {
    const place = { table: "members", id: member.card, row: member };
    return library.edit(data, staff, place, { name, email, blocked });
  });
  return seeOther(c, `/staff/members/${member.card}?notice=${changed > 0 ? "saved" : "same"}`);
}

function bookingList(c: Context, library: Library) {
  const { rooms, bookings } = library.data;
  const room = asked(c.req.query("room"));
  const found = bookings
    .filter((each) => each.date >= today() && (room === "" || each.room === room))
    .toSorted((a, b) => (`${a.date}${a.start}` < `${b.date}${b.start}` ? -1 : 1));
  const page = paged(found, c.req.query("page"), PER_PAGE);
  const rows = page.items.map((each) => [
    each.id,
    rooms.find(({ id }) => id === each.room)?.name ?? each.room,
    `${shown(each.date)}, ${each.start} to ${each.end}`,
    html`<a href="/staff/members/${each.member}">${each.member}</a>`,
    each.people,
    each.purpose,
    each.status,
    each.status === "booked"
      ? button(`/staff/bookings/${each.id}/cancel`, "Cancel", `Cancel booking ${each.id}`)
      : "",
  ]);
  const choices = [
    { value: "", label: "All rooms" },
    ...rooms.map(({ id, name }) => ({ value: id, label: name })),
  ];
  const heads = ["Booking", "Room", "When", "Member", "People", "Purpose", "Status", "Cancel"];
  return library.send(c, {
    title: "Bookings",
    notice: NOTICES[c.req.query("notice") ?? ""],
    main: html`<form class="line panel" method="get" action="/staff/bookings">
      <div class="field"><label for="room">Room</label><select id="room" name="room">${options(choices, room)}</select></div>
      <button>Show bookings</button></form><p role="status">${page.total} bookings from today on</p>
      ${table("Bookings", heads, rows)}${pageLinks(page, "/staff/bookings", new URLSearchParams({ room }))}`,
  });
}
