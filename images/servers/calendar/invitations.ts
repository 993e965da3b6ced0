import { deliver, mailLock, messageId } from "../mail/deliver.ts";
import type { World } from "../office/surface.ts";
import type { People, Person } from "../people/people.ts";
import { busyTimes } from "./busy.ts";
import { type Calendar, componentsOf, homeOf, messageOf } from "./calendar-file.ts";
import type { CalendarEdits, CalendarStore } from "./calendar-store.ts";
import { addressOf, endAt, readEvent } from "./event.ts";
import { cancelled, stamped, withAnswers, withoutAlarms } from "./event-text.ts";
import { type Component, properties, property } from "./lines.ts";
import { zonesOf } from "./moment.ts";
import { startsOf } from "./series.ts";

/** What one change of an event means for those who are asked to it. */
export interface Change {
  /** The organizer's calendar, as it was before. */
  readonly calendar: Calendar;
  readonly uid: string;
  /** All VEVENTs of the event afterwards. */
  readonly events: readonly Component[];
  /** Those of them that are new or changed: what is written to people about. */
  readonly told: readonly Component[];
}

export interface Outcome {
  readonly events: readonly Component[];
  readonly letters: readonly PlannedLetter[];
  /** What the rooms said. */
  readonly rooms: readonly { readonly email: string; readonly isAccepted: boolean }[];
  /** Asked, but nobody that mail reaches. */
  readonly unreached: readonly string[];
}

export interface PlannedLetter {
  readonly kind: "invitation" | "update" | "cancellation" | "reply";
  readonly to: readonly Person[];
  readonly ics: { readonly method: string; readonly text: string };
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
      ({ email, answer }) => email === key(guest) && answer === "DECLINED",
    );
    const isAsked = now.has(key(guest)) && !isDeclined;
    await copyTo({ store, edits }, change, isAsked ? events : [], guest);
  }
  const told = change.told.map(answered).map(withoutAlarms);
  const letters = lettersFor({ ...change, told }, earlier, now);
  const unreached = [...addressesOf(events)].filter((email) => people.find(email) === undefined);
  return {
    events,
    letters,
    rooms: rooms.map(({ email, answer }) => ({ email, isAccepted: answer === "ACCEPTED" })),
    unreached,
  };
}

/** Writes the letters into the mailboxes. */
export async function sendLetters(
  world: World,
  people: People,
  letters: readonly PlannedLetter[],
  say: (kind: PlannedLetter["kind"]) => { readonly subject: string; readonly text: string },
): Promise<void> {
  const { me } = people;
  await mailLock.run(async () => {
    for (const { kind, to, ics } of letters) {
      const { subject, text } = say(kind);
      for (const person of to) {
        const letter = {
          from: { name: me.name, address: me.email },
          to: [{ name: person.name, address: person.email }],
          ...{ cc: [], bcc: [], files: [], subject, text, date: new Date() },
          messageId: await messageId(world, person, [subject, ics.text, person.email]),
          calendar: { method: ics.method, ics: ics.text },
        };
        await deliver(world, letter, [person]);
      }
    }
  });
}

function lettersFor(
  { told, calendar, uid }: Change,
  earlier: ReadonlyMap<string, Person>,
  now: ReadonlyMap<string, Person>,
): PlannedLetter[] {
  const humans = (found: Iterable<Person>) => [...found].filter(({ kind }) => kind === "person");
  const isOver = told.length > 0 && told.every(isCancelled);
  const ics = (method: string, events: readonly Component[]) => {
    return { method, text: messageOf(method, events, calendar) };
  };
  const letters: PlannedLetter[] = [];
  const add = (
    kind: PlannedLetter["kind"],
    to: readonly Person[],
    events: readonly Component[],
  ) => {
    const method = kind === "cancellation" ? "CANCEL" : "REQUEST";
    if (to.length > 0 && events.length > 0) letters.push({ kind, to, ics: ics(method, events) });
  };
  const asked = humans([...now.values()].filter((person) => !earlier.has(key(person))));
  const kept = humans([...now.values()].filter((person) => earlier.has(key(person))));
  const left = humans([...earlier.values()].filter((person) => !now.has(key(person))));
  add("invitation", isOver ? [] : asked, told);
  add(isOver ? "cancellation" : "update", kept, told);
  const before = calendar.series.get(uid);
  const gone = before === undefined ? [] : componentsOf(before);
  add("cancellation", left, gone.map(withoutAlarms).map(nextVersion).map(cancelled));
  return letters;
}

async function copyTo(
  { store, edits }: { store: CalendarStore; edits: CalendarEdits },
  { calendar, uid }: Change,
  events: readonly Component[],
  guest: Person,
): Promise<void> {
  const theirs = await store.of(guest);
  const holder = theirs.find((one) => one.series.has(uid));
  if (events.length > 0) {
    const copies = events.map(withoutAlarms);
    edits.put(holder ?? (await store.defaultOf(guest)), uid, copies, calendar);
    return;
  }
  const held = holder?.series.get(uid);
  if (holder === undefined || held === undefined) return;
  edits.put(holder, uid, componentsOf(held).map(nextVersion).map(cancelled));
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
    answers.push({ email: key(room), answer: isTaken ? "DECLINED" : "ACCEPTED" });
  }
  return answers;
}

/** When the event wants this guest, a year ahead at the most. */
export function spansOf(
  events: readonly Component[],
  calendar: Calendar,
  guest?: Person,
): { from: number; to: number }[] {
  const calendars = calendar.tree.filter((item): item is Component => !("raw" in item));
  const zones = zonesOf(calendars, homeOf(calendar.owner));
  const read = events.map((event) => readEvent(event, zones));
  const replaced = new Set(read.map(({ replaces }) => replaces?.utc));
  const wanted = read.filter((event) => {
    const isAsked =
      guest === undefined || event.attendees.some(({ email }) => email === key(guest));
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
    const organizer = host === undefined ? key(people.me) : addressOf(host);
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

function nextVersion(event: Component): Component {
  const sequence = Number(property(event, "SEQUENCE")?.value ?? 0);
  return stamped(event, (Number.isSafeInteger(sequence) ? sequence : 0) + 1);
}

function isCancelled(event: Component): boolean {
  return property(event, "STATUS")?.value.trim().toUpperCase() === "CANCELLED";
}

function key({ email }: Person): string {
  return email.toLowerCase();
}
