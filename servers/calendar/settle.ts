import * as z from "zod";
import type { People, Person } from "../kit/people/people.ts";
import { inLine } from "../kit/people/words.ts";
import { ToolError } from "../kit/tool-error.ts";
import { busyTimes } from "./busy.ts";
import type { Calendar } from "./calendar-file.ts";
import { CalendarEdits } from "./calendar-store.ts";
import { addressOf } from "./event.ts";
import { invitationWords } from "./invitation-words.ts";
import { type Outcome, planChange, spansOf } from "./invitations.ts";
import { type Change, sendLetters } from "./letters.ts";
import { type Component, properties } from "./lines.ts";
import type { CalendarParts } from "./parts.ts";
import type { Occurrence } from "./series.ts";
import { briefOf, wholeText } from "./view.ts";
import { momentAt, spanText } from "./when.ts";
import type { Zone } from "./zones.ts";

/** What a change of an event came to. */
export const OUTCOME = z.object({
  event_id: z.string(),
  start: z.string(),
  end: z.string(),
  mailed: z.array(z.string()),
  rooms_accepted: z.array(z.string()),
  rooms_declined: z.array(z.string()),
  conflicts: z.array(z.string()),
});

/** Carries changes out: calendars first, all or none, then the letters. */
export async function finish(
  parts: CalendarParts,
  people: People,
  changes: readonly Change[],
  { zone, done }: { readonly zone: Zone; readonly done: string },
) {
  const edits = new CalendarEdits();
  const outcomes: Outcome[] = [];
  for (const change of changes) {
    outcomes.push(await planChange({ store: parts.store, people, edits }, change));
  }
  const last = changes.at(-1);
  if (last === undefined) throw new ToolError("Nothing was changed.");
  const calendar = edits.current(last.calendar);
  const conflicts = await conflictsOf(
    { parts, people, edits },
    { ...last, events: last.told },
    zone,
  );
  const letters = outcomes.flatMap((outcome) => outcome.letters);
  const written = letters.map((letter) => {
    return { ...letter, ...invitationWords(people, calendar, letter, zone) };
  });
  await edits.save();
  await sendLetters(parts.world, people, written);
  const occurrence = shownOccurrence(calendar, last);
  const sight = { people, zone };
  const mailed = [...new Set(letters.flatMap(({ to }) => to.map(({ email }) => email)))];
  const rooms = outcomes.at(-1)?.rooms ?? [];
  const unreached = [...new Set(outcomes.flatMap((one) => one.unreached))];
  const lines = [
    `${done}. Times in ${zone.id}.`,
    wholeText({ calendar, occurrence }, sight),
    mailed.length > 0 ? `Mail went to ${mailed.join(", ")}.` : "",
    ...rooms.map(({ email, isAccepted }) => {
      return `Room ${email} ${isAccepted ? "accepted" : "DECLINED: it is taken at that time"}.`;
    }),
    ...conflicts.map((one) => `Conflict: ${one}.`),
    unreached.length > 0
      ? `No mailbox here, so not told: ${unreached.map((one) => inLine(one)).join(", ")}.`
      : "",
  ];
  const answered = (wanted: boolean) =>
    rooms.filter(({ isAccepted }) => isAccepted === wanted).map(({ email }) => email);
  return {
    text: lines.filter((one) => one !== "").join("\n"),
    data: {
      ...briefOf({ calendar, occurrence }, sight),
      mailed,
      rooms_accepted: answered(true),
      rooms_declined: answered(false),
      conflicts,
    },
  };
}

/** The event as it is now; of a changed occurrence that one. */
function shownOccurrence({ series }: Calendar, { uid, told }: Change): Occurrence {
  const { master, overrides } = series.get(uid) ?? { master: undefined, overrides: new Map() };
  const all = [...overrides.values()];
  const [only] = told;
  const changed = all.find(
    (one) => told.length === 1 && only && sameOccurrence(only, one.component),
  );
  const event = changed ?? master ?? all[0];
  if (event === undefined) throw new Error("the event that was written is not there");
  return { event, start: event.start, end: event.end, original: changed?.replaces };
}

function sameOccurrence(a: Component, b: Component): boolean {
  const value = (of: Component) => properties(of, "RECURRENCE-ID")[0]?.value;
  return value(a) === value(b);
}

/** What else those who are asked have at these times; titles of the user's own events only. */
async function conflictsOf(
  { parts, people, edits }: { parts: CalendarParts; people: People; edits: CalendarEdits },
  { events, calendar, uid }: Pick<Change, "events" | "calendar" | "uid">,
  zone: Zone,
): Promise<string[]> {
  const spans = spansOf(events, calendar).slice(0, 60);
  const [first] = spans;
  if (first === undefined) return [];
  const range = { from: first.from, to: Math.max(...spans.map(({ to }) => to)) };
  const emails = events.flatMap((event) => properties(event, "ATTENDEE").map(addressOf));
  const asked = emails
    .map((email) => people.find(email))
    .filter((one): one is Person => one !== undefined);
  const who = new Map([people.me, ...asked].map((one) => [one.email, one]));
  const found: string[] = [];
  for (const person of who.values()) {
    const theirs = (await parts.store.of(person)).map((one) => edits.current(one));
    const { busy } = busyTimes(person, theirs, range, { steps: 100_000 }, uid);
    for (const { from, to, occurrence } of busy) {
      if (found.length >= 20 || !spans.some((span) => from < span.to && span.from < to)) continue;
      const when = spanText(momentAt(from, zone), momentAt(to, zone), zone);
      const title = people.isMe(person.email) ? ` with ${inLine(occurrence.event.title, 100)}` : "";
      found.push(`${person.email} is busy ${when}${title}`);
    }
  }
  return found;
}
