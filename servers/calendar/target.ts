import { ToolError } from "../kit/tool-error.ts";
import type { Calendar } from "./calendar-file.ts";
import type { Found } from "./calendar-store.ts";
import { type CalendarEvent, endAt, isRecurring } from "./event.ts";
import { inZone, type Moment } from "./moment.ts";
import { type Series, startsOf } from "./series.ts";
import { occurrenceKey, whenOf } from "./when.ts";
import type { Zone } from "./zones.ts";

export type Scope = "this" | "this_and_following" | "all";

/** What of an event a caller means. */
export interface Target {
  readonly calendar: Calendar;
  readonly series: Series;
  readonly scope: Scope;
  /** The event that says what is on: the series, or an occurrence that differs from it. */
  readonly event: CalendarEvent;
  /** When the occurrence was to begin by the rule; undefined where the whole is meant. */
  readonly original: Moment | undefined;
  /** When what is meant begins and ends now. */
  readonly start: Moment;
  readonly end: Moment;
}

const DAY = 86_400_000;

/** Throws `ToolError` if it is not clear which occurrences are meant. */
export function targetOf(
  { calendar, series }: Found,
  asked: { readonly scope?: Scope | undefined; readonly occurrence?: string | undefined },
  zone: Zone,
): Target {
  const { master, overrides } = series;
  const [first] = overrides.values();
  const base = master ?? first;
  if (base === undefined) throw new ToolError("The event holds nothing that can be read.");
  const repeats = master === undefined || isRecurring(master);
  const { scope = repeats ? undefined : "all", occurrence } = asked;
  if (scope === undefined) {
    throw new ToolError(
      'The event repeats. Say scope: "this" (with occurrence), "this_and_following" (with occurrence) or "all".',
    );
  }
  if (!repeats || (scope === "all" && occurrence === undefined)) {
    const { start, end } = base;
    return { calendar, series, scope: "all", event: base, original: undefined, start, end };
  }
  if (occurrence === undefined) {
    throw new ToolError("Say which occurrence is meant: the value that list_events gives for it.");
  }
  const original = originalOf(series, occurrence, zone);
  const event = overrides.get(original.utc) ?? base;
  const isOwn = event.replaces !== undefined;
  const start = isOwn ? event.start : original;
  return {
    calendar,
    series,
    scope,
    event,
    original,
    start,
    end: isOwn ? event.end : endAt(event, start),
  };
}

function originalOf(series: Series, asked: string, zone: Zone): Moment {
  const wanted = whenOf("occurrence", asked, zone);
  const { master, overrides } = series;
  const [from, to] = [wanted.utc - 2 * DAY, wanted.utc + 2 * DAY];
  const starts = master === undefined ? [] : startsOf(master, from, to, { steps: 100_000 }).found;
  const replaced = [...overrides.values()].flatMap(({ replaces }) => (replaces ? [replaces] : []));
  const all = [...starts, ...replaced];
  const exact = all.find(
    (one) => one.utc === wanted.utc || (one.isDate && one.wall === wanted.wall),
  );
  if (exact !== undefined) return exact;
  const moved = [...overrides.values()].find(({ start }) => start.utc === wanted.utc)?.replaces;
  if (moved !== undefined) return moved;
  const onDay = all.filter((one) => {
    const { wall } = one.isDate ? one : inZone(one, zone);
    return Math.floor(wall / DAY) === Math.floor(wanted.wall / DAY);
  });
  const distinct = [...new Map(onDay.map((one) => [one.utc, one])).values()];
  if (wanted.isDate && distinct.length === 1 && distinct[0] !== undefined) return distinct[0];
  const near = all.slice(0, 3).map(occurrenceKey).join(", ");
  throw new ToolError(
    `No occurrence of this event begins at ${asked.slice(0, 60)}.` +
      (near === "" ? " List the events of that week first." : ` Near it are ${near}.`),
  );
}
