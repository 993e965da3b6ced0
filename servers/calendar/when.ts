import { ToolError } from "../kit/tool-error.ts";
import { DAY, inZone, isoOf, type Moment, wallTime } from "./moment.ts";
import { requireZone, UTC, utcToWall, wallToUtc, type Zone } from "./zones.ts";

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;

/** The moment that a caller writes: a day, a time of the zone, or a time with its own offset. */
export function whenOf(what: string, text: string, zone: Zone): Moment {
  const parts = FORM.exec(text.trim());
  const said = JSON.stringify(text.slice(0, 60));
  if (parts === null) {
    throw new ToolError(
      `${what} is ${said}; write it like 2026-03-02T09:00 (in the time zone), 2026-03-02T09:00+01:00, ` +
        "or 2026-03-02 for a whole day.",
    );
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const wall = wallTime(year, month, day, hour, minute, second);
  if (wall === undefined || year < 1900) {
    throw new ToolError(`${what} is ${said}: there is no such date or time.`);
  }
  if (parts[4] === undefined) {
    return { wall, utc: wallToUtc(zone, wall), zone, isDate: true, floating: true };
  }
  const offset = parts[7];
  if (offset !== undefined) {
    const utc = wall - offsetMs(offset);
    return { wall: utcToWall(zone, utc), utc, zone, isDate: false, floating: false };
  }
  const utc = wallToUtc(zone, wall);
  if (utcToWall(zone, utc) !== wall) {
    throw new ToolError(
      `${what} is ${said}, a time that does not exist in ${zone.id}: clocks are put forward then. ` +
        `Use ${isoOf(inZone({ wall: utc, utc, zone: UTC, isDate: false, floating: false }, zone)).slice(0, 16)} or later.`,
    );
  }
  return { wall, utc, zone, isDate: false, floating: false };
}

/** The span that a caller asks about; without an end, so many days. Days count whole. */
export function spanOf(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  zone: Zone,
  { days, mostDays }: { readonly days: number; readonly mostDays: number },
): { readonly from: number; readonly to: number } {
  const from = start === undefined ? Date.now() : whenOf("start", start, zone).utc;
  const last = end === undefined ? undefined : whenOf("end", end, zone);
  const to =
    last === undefined
      ? wallToUtc(zone, utcToWall(zone, from) + days * DAY)
      : last.isDate
        ? wallToUtc(zone, last.wall + DAY)
        : last.utc;
  if (to <= from) throw new ToolError("end lies before start. Give a later end.");
  if (to - from > (mostDays + 1) * DAY) {
    throw new ToolError(`The span is longer than ${mostDays} days. Ask for a shorter one.`);
  }
  return { from, to };
}

/** The zone asked for, or that of the caller. */
export function zoneOr(asked: string | undefined, home: Zone): Zone {
  return asked === undefined ? home : requireZone(asked);
}

export function momentAt(utc: number, zone: Zone): Moment {
  return { wall: utcToWall(zone, utc), utc, zone, isDate: false, floating: false };
}

/** ISO text of a moment as clocks in this zone show it. */
export function shownIn(moment: Moment, zone: Zone): string {
  return isoOf(moment.isDate ? moment : inZone(moment, zone));
}

const NAMES = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** "Mon 2026-03-02 09:00–10:00", or with both days where there are two. */
export function spanText(start: Moment, end: Moment, zone: Zone): string {
  const day = (wall: number) => {
    const date = new Date(wall);
    return `${NAMES[date.getUTCDay()]} ${date.toISOString().slice(0, 10)}`;
  };
  if (start.isDate) {
    const last = Math.max(start.wall, end.wall - DAY);
    const days = last === start.wall ? day(start.wall) : `${day(start.wall)} – ${day(last)}`;
    return `${days} (all day)`;
  }
  const [from, to] = [utcToWall(zone, start.utc), utcToWall(zone, end.utc)];
  const clock = (wall: number) => new Date(wall).toISOString().slice(11, 16);
  const until = day(from) === day(to) ? clock(to) : `${day(to)} ${clock(to)}`;
  return `${day(from)} ${clock(from)}–${until}`;
}

/** Which occurrence it is, as a caller names it again: a day or a moment in UTC. */
export function occurrenceKey(original: Moment): string {
  return original.isDate ? isoOf(original) : isoOf(inZone(original, UTC));
}

function offsetMs(text: string): number {
  if (/^z$/i.test(text)) return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  if (hours > 18 || minutes > 59) throw new ToolError(`${text} is no offset from UTC.`);
  return (text[0] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
