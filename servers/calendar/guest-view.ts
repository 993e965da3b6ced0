import type { Person } from "../kit/people/people.ts";
import { type Calendar, homeOf } from "./calendar-file.ts";
import { addressOf } from "./event.ts";
import { cancelled, momentLine, nextVersion } from "./event-text.ts";
import { type Component, properties, property, withLines } from "./lines.ts";
import { type Moment, momentOf, type ZoneFinder, zonesOf } from "./moment.ts";
import type { Series } from "./series.ts";

/** Whom people are asked with: the address in small letters. */
export function keyOf({ email }: Person): string {
  return email.toLowerCase();
}

export function isAskedTo(event: Component, guest: Person): boolean {
  const key = keyOf(guest);
  return properties(event, "ATTENDEE").some((one) => addressOf(one) === key);
}

/** How the time zones are found that a calendar's events name. */
export function zonesIn(calendar: Calendar): ZoneFinder {
  const calendars = calendar.tree.filter((item): item is Component => !("raw" in item));
  return zonesOf(calendars, homeOf(calendar.owner));
}

/** Which occurrence of its series a VEVENT stands for; undefined for the series itself. */
export function replacedBy(event: Component, zones: ZoneFinder): Moment | undefined {
  const id = property(event, "RECURRENCE-ID");
  return id === undefined ? undefined : momentOf(id, zones);
}

/**
 * The VEVENTs of an event that a guest is asked to. A series is without the occurrences that
 * they are left out of. `all`: every VEVENT of the event, if these are some of them.
 */
export function guestView(
  events: readonly Component[],
  guest: Person,
  zones: ZoneFinder,
  all: readonly Component[] = events,
): Component[] {
  const others = all.filter((event) => !isAskedTo(event, guest));
  const left = others.map((event) => replacedBy(event, zones)).filter((one) => one !== undefined);
  return events
    .filter((event) => isAskedTo(event, guest))
    .map((event) => {
      if (left.length === 0 || replacedBy(event, zones) !== undefined) return event;
      const more = left.map((moment) => momentLine("EXDATE", moment));
      return withLines(event, { EXDATE: [...properties(event, "EXDATE"), ...more] });
    });
}

/** A guest's own copy: what they are asked to, and cancelled what they hold and are not asked to. */
export function guestCopy(
  view: readonly Component[],
  held: Series | undefined,
  zones: ZoneFinder,
): Component[] {
  const keys = new Set(view.map((event) => replacedBy(event, zones)?.utc));
  // A series says itself which of its occurrences it is without.
  if (held === undefined || keys.has(undefined)) return [...view];
  const gone = [held.master, ...held.overrides.values()]
    .filter((event) => event !== undefined)
    .filter(({ replaces }) => !keys.has(replaces?.utc))
    .map(({ component }) => (isCancelled(component) ? component : ended(component)));
  return [...gone, ...view];
}

/** A later version that is cancelled. */
export function ended(event: Component): Component {
  return cancelled(nextVersion(event));
}

export function isCancelled(event: Component): boolean {
  return property(event, "STATUS")?.value.trim().toUpperCase() === "CANCELLED";
}
