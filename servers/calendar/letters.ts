import type { People, Person } from "../kit/people/people.ts";
import type { World } from "../kit/surface.ts";
import { deliver, mailLock, messageId } from "../mail/deliver.ts";
import { type Calendar, componentsOf, messageOf } from "./calendar-file.ts";
import { endAt } from "./event.ts";
import { cancelled, ownOccurrence, stamped, withoutAlarms } from "./event-text.ts";
import {
  ended,
  guestView,
  isAskedTo,
  isCancelled,
  keyOf,
  replacedBy,
  zonesIn,
} from "./guest-view.ts";
import { type Component, property } from "./lines.ts";
import type { ZoneFinder } from "./moment.ts";
import type { Series } from "./series.ts";

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

export interface PlannedLetter {
  readonly kind: "invitation" | "update" | "cancellation";
  readonly to: readonly Person[];
  /** What it says to them. */
  readonly about: readonly Component[];
  readonly ics: Message;
}

export interface WrittenLetter {
  readonly to: readonly Person[];
  readonly ics: Message;
  readonly subject: string;
  readonly text: string;
}

interface Message {
  readonly method: string;
  readonly text: string;
}

type News = Pick<PlannedLetter, "kind" | "about">;

const KINDS = ["invitation", "update", "cancellation"] as const;

/** Who is written to about a change; those who get the same words share a letter. */
export function lettersFor(
  change: Change,
  earlier: ReadonlyMap<string, Person>,
  now: ReadonlyMap<string, Person>,
): PlannedLetter[] {
  const zones = zonesIn(change.calendar);
  const before = change.calendar.series.get(change.uid);
  const found = new Map<string, PlannedLetter>();
  for (const guest of new Map([...now, ...earlier]).values()) {
    if (guest.kind !== "person") continue;
    const news = now.has(keyOf(guest))
      ? newsFor(guest, change, before, zones)
      : [{ kind: "cancellation" as const, about: farewell(guest, before) }];
    for (const { kind, about } of news) {
      if (about.length === 0) continue;
      const method = kind === "cancellation" ? "CANCEL" : "REQUEST";
      const text = messageOf(method, about, change.calendar);
      const key = `${kind} ${text}`;
      const to = [...(found.get(key)?.to ?? []), guest];
      found.set(key, { kind, to, about, ics: { method, text } });
    }
  }
  return KINDS.flatMap((kind) => [...found.values()].filter((letter) => letter.kind === kind));
}

/** To one who is asked to some of the event: what of it changed, and what they are now left out of. */
function newsFor(
  guest: Person,
  { events, told }: Change,
  before: Series | undefined,
  zones: ZoneFinder,
): News[] {
  const about = guestView(told, guest, zones, events);
  const earlier = (event: Component) => earlierOccurrence(event, before, zones);
  const wasAsked = (event: Component | undefined) => event !== undefined && isAskedTo(event, guest);
  const isOver = told.every(isCancelled);
  // Where all of a series changed, its occurrences may have moved; nobody is asked to other ones.
  const isWhole = told.some((event) => replacedBy(event, zones) === undefined);
  const isKnown = isWhole
    ? (before === undefined ? [] : componentsOf(before)).some(wasAsked)
    : about.some((event) => wasAsked(earlier(event)));
  const lost = told.flatMap((event) => {
    const old = earlier(event);
    if (isWhole || old === undefined || isAskedTo(event, guest)) return [];
    if (!wasAsked(old) || isCancelled(old)) return [];
    return [withoutAlarms(cancelled(stamped(old, sequenceOf(event))))];
  });
  const kind = isOver ? "cancellation" : isKnown ? "update" : "invitation";
  return [
    { kind, about: isOver && !isKnown ? [] : about },
    { kind: "cancellation", about: lost },
  ];
}

/** To one who is asked to nothing of the event any more. */
function farewell(guest: Person, before: Series | undefined): Component[] {
  const all = before === undefined ? [] : componentsOf(before);
  return all
    .filter((event) => isAskedTo(event, guest))
    .map(withoutAlarms)
    .map(ended);
}

/** What stood in the place of this VEVENT before the change. */
function earlierOccurrence(
  event: Component,
  before: Series | undefined,
  zones: ZoneFinder,
): Component | undefined {
  const original = replacedBy(event, zones);
  if (original === undefined) return before?.master?.component;
  const own = before?.overrides.get(original.utc);
  if (own !== undefined || before?.master === undefined) return own?.component;
  const { master } = before;
  const times = { original, start: original, end: endAt(master, original) };
  return ownOccurrence(master.component, times);
}

function sequenceOf(event: Component): number {
  return Number(property(event, "SEQUENCE")?.value ?? 0);
}

/** Writes the letters into the mailboxes. */
export async function sendLetters(
  world: World,
  { me }: People,
  letters: readonly WrittenLetter[],
): Promise<void> {
  await mailLock.run(async () => {
    for (const { to, ics, subject, text } of letters) {
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
