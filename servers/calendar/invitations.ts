import type { People, Person } from "../kit/people/people.ts";
import { busyTimes } from "./busy.ts";
import { type Calendar, componentsOf } from "./calendar-file.ts";
import type { CalendarEdits, CalendarStore } from "./calendar-store.ts";
import { addressOf, endAt, readEvent } from "./event.ts";
import { withAnswers, withoutAlarms } from "./event-text.ts";
import { ended, guestCopy, guestView, keyOf, zonesIn } from "./guest-view.ts";
import { type Change, lettersFor, type PlannedLetter } from "./letters.ts";
import { type Component, properties, property } from "./lines.ts";
import { startsOf } from "./series.ts";

export interface Outcome {
  readonly events: readonly Component[];
  readonly letters: readonly PlannedLetter[];
  /** What the rooms said. */
  readonly rooms: readonly { readonly email: string; readonly isAccepted: boolean }[];
  /** Asked, but nobody that mail reaches. */
  readonly unreached: readonly string[];
}

const YEAR = 366 * 86_400_000;

/**
 * Plans what follows from a change: rooms answer at once, everyone who is asked gets the event
 * into their calendar, and a letter. Nothing is written before `edits` is saved.
 */
export async function planChange(
  { store, people, edits }: { store: CalendarStore; people: People; edits: CalendarEdits },
  change: Change,
): Promise<Outcome> {
  const before = change.calendar.series.get(change.uid);
  const earlier = guestsOf(before === undefined ? [] : componentsOf(before), people);
  const rooms = await roomAnswers({ store, edits }, people, change);
  const answered = (event: Component) =>
    withAnswers(event, ({ email }) => rooms.find((room) => room.email === email)?.answer);
  const events = change.events.map(answered);
  const now = guestsOf(events, people);
  edits.put(change.calendar, change.uid, events);
  for (const guest of new Map([...earlier, ...now]).values()) {
    const isDeclined = rooms.some(
      ({ email, answer }) => email === keyOf(guest) && answer === "DECLINED",
    );
    const isAsked = now.has(keyOf(guest)) && !isDeclined;
    await copyTo({ store, edits }, change, isAsked ? events : [], guest);
  }
  const told = change.told.map(answered).map(withoutAlarms);
  const letters = lettersFor({ ...change, events, told }, earlier, now);
  const unreached = [...addressesOf(events)].filter((email) => people.find(email) === undefined);
  return {
    events,
    letters,
    rooms: rooms.map(({ email, answer }) => ({ email, isAccepted: answer === "ACCEPTED" })),
    unreached,
  };
}

async function copyTo(
  { store, edits }: { store: CalendarStore; edits: CalendarEdits },
  { calendar, uid }: Change,
  events: readonly Component[],
  guest: Person,
): Promise<void> {
  const theirs = await store.of(guest);
  const holder = theirs.find((one) => one.series.has(uid));
  const held = holder?.series.get(uid);
  const zones = zonesIn(calendar);
  const view = guestView(events, guest, zones).map(withoutAlarms);
  if (view.length > 0) {
    const copy = guestCopy(view, held, zones);
    edits.put(holder ?? (await store.defaultOf(guest)), uid, copy, calendar);
  } else if (holder !== undefined && held !== undefined) {
    edits.put(holder, uid, componentsOf(held).map(ended));
  }
}

interface RoomAnswer {
  readonly email: string;
  readonly answer: "ACCEPTED" | "DECLINED";
}

/** A room takes what is free: any occurrence that is taken makes it decline. */
async function roomAnswers(
  { store, edits }: { store: CalendarStore; edits: CalendarEdits },
  people: People,
  { events, uid, calendar }: Change,
): Promise<RoomAnswer[]> {
  const answers: RoomAnswer[] = [];
  for (const room of [...guestsOf(events, people).values()].filter(({ kind }) => kind === "room")) {
    const theirs = (await store.of(room)).map((one) => edits.current(one));
    const spans = spansOf(events, calendar, room);
    const from = Math.min(...spans.map((span) => span.from));
    const to = Math.max(...spans.map((span) => span.to));
    if (spans.length === 0) continue;
    const isTaken = busyTimes(room, theirs, { from, to }, { steps: 200_000 }, uid).busy.some(
      (busy) => {
        return spans.some((span) => busy.from < span.to && span.from < busy.to);
      },
    );
    answers.push({ email: keyOf(room), answer: isTaken ? "DECLINED" : "ACCEPTED" });
  }
  return answers;
}

/** When the event wants this guest, a year ahead at the most. */
export function spansOf(
  events: readonly Component[],
  calendar: Calendar,
  guest?: Person,
): { from: number; to: number }[] {
  const zones = zonesIn(calendar);
  const read = events.map((event) => readEvent(event, zones));
  const replaced = new Set(read.map(({ replaces }) => replaces?.utc));
  const wanted = read.filter((event) => {
    const isAsked =
      guest === undefined || event.attendees.some(({ email }) => email === keyOf(guest));
    return isAsked && !event.isCancelled;
  });
  return wanted.flatMap((event) => {
    const until = event.start.utc + YEAR;
    if (event.replaces !== undefined) return [{ from: event.start.utc, to: event.end.utc }];
    const { found } = startsOf(event, event.start.utc, until, { steps: 50_000 });
    const starts = found.filter(({ utc }) => !replaced.has(utc)).slice(0, 400);
    return starts.map((start) => ({ from: start.utc, to: endAt(event, start).utc }));
  });
}

/** Those of this world who are asked, without the organizer, by address. */
function guestsOf(events: readonly Component[], people: People): Map<string, Person> {
  const guests = new Map<string, Person>();
  for (const event of events) {
    const host = property(event, "ORGANIZER");
    const organizer = host === undefined ? keyOf(people.me) : addressOf(host);
    for (const email of addressesOf([event])) {
      const person = people.find(email);
      if (person !== undefined && email !== organizer) guests.set(email, person);
    }
  }
  return guests;
}

function addressesOf(events: readonly Component[]): Set<string> {
  return new Set(events.flatMap((event) => properties(event, "ATTENDEE").map(addressOf)));
}
