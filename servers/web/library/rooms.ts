import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { addDays, isDay, longDay, now, today, weekday } from "../dates.ts";
import { asked, Form } from "../form.ts";
import {
  type Choice,
  errorSummary,
  facts,
  inputField,
  selectField,
  table,
  textField,
} from "../markup.ts";
import { seeOther, sentFields } from "../page.ts";
import { nextId } from "../store.ts";
import type { Booking, LibraryConfig, LibraryData, Member, Room } from "./data.ts";
import type { Library } from "./library.ts";

/** Rooms: which there are, when they are free, and the form that books one. */
export function roomRoutes(app: Hono, library: Library): void {
  app.get("/rooms", (c) => roomList(c, library));
  app.get("/rooms/:id", (c) => {
    const room = roomOf(c, library);
    if (room === undefined) return library.notFound(c, "There is no such room.");
    return roomPage(c, library, room);
  });
  app.post("/rooms/:id/book", (c) => book(c, library));
  app.post("/bookings/:id/cancel", (c) => {
    const member = library.member(c);
    if (member === undefined) return library.toLogin(c);
    const booking = library.data.bookings.find(({ id, member: card }) => {
      return id === c.req.param("id") && card === member.card;
    });
    if (booking === undefined) return library.notFound(c, "You have no booking of this number.");
    if (booking.date < today()) {
      return library.refuse(c, "This booking is over; it cannot be cancelled.", "/account");
    }
    library.store.change(() => {
      booking.status = "cancelled";
    });
    return seeOther(c, "/account?notice=booking-cancelled");
  });
}

function roomOf(c: Context, { data }: Library): Room | undefined {
  return data.rooms.find(({ id }) => id === c.req.param("id"));
}

function roomList(c: Context, library: Library) {
  const date = dayAsked(c);
  const people = /^\d{1,4}$/.test(c.req.query("people") ?? "") ? Number(c.req.query("people")) : 0;
  const rooms = library.data.rooms.filter(({ capacity }) => capacity >= people);
  const rows = rooms.map((room) => [
    html`<a href="/rooms/${room.id}?date=${date}">${room.name}</a>`,
    room.branch,
    room.capacity,
    room.equipment.join(", "),
    freeTimes(library, room, date),
  ]);
  return library.send(c, {
    title: "Rooms",
    main: html`<form class="line panel" method="get" action="/rooms">
      ${inputField({ name: "date", label: "Date", type: "date", value: date, required: true })}
      ${inputField({ name: "people", label: "People", type: "number", min: 1, value: people || "" })}
      <button>Show rooms</button></form>
      ${rows.length === 0 ? html`<p>No room is large enough.</p>` : table(`Rooms on ${longDay(date)}`, ["Room", "Branch", "Seats", "Equipment", "Free"], rows)}`,
  });
}

function dayAsked(c: Context): string {
  const date = asked(c.req.query("date"), 10);
  return isDay(date) ? date : today();
}

/** "09:00–11:00, 12:00–19:00". */
function freeTimes({ config, data }: Library, room: Room, date: string): string {
  const times = timesOf(config, date);
  const taken = bookingsOf(data, room, date);
  const ranges: string[] = [];
  let from: string | undefined;
  for (const [at, start] of times.entries()) {
    const end = times[at + 1];
    const free = end !== undefined && !taken.some((each) => each.start < end && start < each.end);
    if (free) from ??= start;
    else if (from !== undefined) {
      ranges.push(`${from}–${start}`);
      from = undefined;
    }
  }
  if (times.length === 0) return "closed";
  return ranges.join(", ") || "fully booked";
}

/** The times at which a booking can begin or end on a day; none when it is closed. */
function timesOf({ hours, booking }: LibraryConfig, date: string): string[] {
  const open = hours[weekday(date)] ?? null;
  if (open === null) return [];
  const [from, to] = open.map(minutes) as [number, number];
  const times: string[] = [];
  for (let at = from; at <= to; at += booking.slot_minutes) times.push(clock(at));
  return times;
}

function bookingsOf({ bookings }: LibraryData, { id }: Room, date: string): Booking[] {
  return bookings
    .filter((each) => each.room === id && each.date === date && each.status === "booked")
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

function roomPage(
  c: Context,
  library: Library,
  room: Room,
  form?: Form,
  status: 200 | 409 | 422 = 200,
) {
  const { config, data } = library;
  const sent = form?.value("date") ?? "";
  const date = isDay(sent) ? sent : dayAsked(c);
  const rows = bookingsOf(data, room, date).map(({ start, end }) => [
    `${start} to ${end}`,
    "booked",
  ]);
  const times = timesOf(config, date).map((time) => ({ value: time, label: time }));
  const signIn = new URLSearchParams({ next: `/rooms/${room.id}?date=${date}` });
  return library.send(c, {
    title: room.name,
    status,
    main: html`${errorSummary(form)}
      ${facts([
        ["Branch", room.branch],
        ["Seats", room.capacity],
        ["Equipment", room.equipment.join(", ")],
        ["Free", freeTimes(library, room, date)],
      ])}
      <form class="line panel" method="get" action="/rooms/${room.id}">
      <div class="field"><label for="day">Show another day</label><input id="day" name="date" type="date" value="${date}"></div>
      <button class="second">Show</button></form>
      ${rows.length === 0 ? html`<p>Nothing is booked on ${longDay(date)}.</p>` : table(`Bookings on ${longDay(date)}`, ["Time", "State"], rows)}
      <h2>Book this room</h2>
      ${library.member(c) === undefined ? html`<p><a href="/login?${signIn}">Sign in to book</a></p>` : bookingForm(room, date, times, form)}`,
  });
}

function bookingForm(room: Room, date: string, times: readonly Choice[], form?: Form) {
  const hint = `At most ${room.capacity}.`;
  return html`<form class="panel" method="post" action="/rooms/${room.id}/book">
    ${inputField({ name: "date", label: "Date", type: "date", value: date, required: true }, form)}
    ${selectField({ name: "start", label: "From" }, times.slice(0, -1), form)}
    ${selectField({ name: "end", label: "Until" }, times.slice(1), form)}
    ${inputField({ name: "people", label: "Number of people", type: "number", min: 1, max: room.capacity, required: true, hint }, form)}
    ${textField({ name: "purpose", label: "Purpose", required: true }, form)}
    <button>Book room</button></form>`;
}

async function book(c: Context, library: Library) {
  const room = roomOf(c, library);
  if (room === undefined) return library.notFound(c, "There is no such room.");
  const form = new Form(await sentFields(c));
  const member = library.member(c);
  if (member === undefined) return library.toLogin(c);
  const wanted = bookingOf(library, room, member, form);
  if (!form.ok) return roomPage(c, library, room, form, 422);
  const { data } = library;
  const taken = bookingsOf(data, room, wanted.date).find((each) => {
    return each.start < wanted.end && wanted.start < each.end;
  });
  const same =
    taken?.member === member.card && taken.start === wanted.start && taken.end === wanted.end;
  if (same) return seeOther(c, "/account?notice=booked"); // The button was pressed twice.
  if (taken !== undefined) {
    const when = `from ${taken.start} to ${taken.end}`;
    form.problem("start", `${room.name} is booked ${when} on that day. Choose another time.`);
    return roomPage(c, library, room, form, 409);
  }
  library.store.change((rows) => {
    const id = nextId(rows.counters, "booking", { prefix: "B-", taken: rows.bookings });
    rows.bookings.push({ ...wanted, id });
  });
  return seeOther(c, "/account?notice=booked");
}

function bookingOf({ config, data }: Library, room: Room, member: Member, form: Form): Booking {
  const { days_ahead: ahead, max_minutes: longest, max_open: most } = config.booking;
  const range = { from: today(), to: addDays(today(), ahead) };
  const date = form.day("date", "a date", range);
  const times = isDay(date) ? timesOf(config, date) : [];
  if (!form.errors.has("date") && times.length === 0) {
    form.problem("date", `The library is closed on ${longDay(date)}.`);
  }
  const known = form.errors.has("date") ? [form.value("start"), form.value("end")] : times;
  const start = form.choice("start", `a start from ${times[0] ?? "opening"} on`, known);
  const end = form.choice("end", `an end until ${times.at(-1) ?? "closing"}`, known);
  const length = minutes(end) - minutes(start);
  if (form.ok && length <= 0) form.problem("end", "Choose an end after the start.");
  if (form.ok && length > longest) {
    form.problem("end", `A room can be booked for ${longest / 60} hours at most.`);
  }
  if (form.ok && `${date}T${start}` < now().slice(0, 16)) {
    form.problem("start", "Choose a start that is not over yet.");
  }
  const limits = { min: 1, max: room.capacity };
  const people = form.whole("people", "the number of people", limits);
  const purpose = form.text("purpose", "the purpose", { max: 300 });
  const open = data.bookings.filter((each) => {
    return each.member === member.card && each.status === "booked" && each.date >= today();
  });
  const again = open.some((each) => {
    return each.room === room.id && each.date === date && each.start === start && each.end === end;
  });
  if (open.length >= most && !again) {
    form.problem("date", `You have ${open.length} bookings; more are not possible.`);
  }
  return {
    ...{ id: "", room: room.id, member: member.card, date, start, end, people, purpose },
    ...{ status: "booked", made_at: now() },
  };
}

function minutes(time: string): number {
  const [hours = "0", rest = "0"] = time.split(":");
  return Number(hours) * 60 + Number(rest);
}

function clock(at: number): string {
  return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
}
