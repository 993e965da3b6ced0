import { type Component, children, type Line, properties, property, unescaped } from "./lines.ts";
import { occurrences } from "./occurrences.ts";
import { parseRule } from "./rule.ts";
import { WINDOWS_ZONES } from "./windows-zones.ts";
import { ianaZone, UTC, utcToWall, wallToUtc, type Zone } from "./zones.ts";

/** A moment, or a day, as an event names it. */
export interface Moment {
  /** What clocks in its zone show; midnight for a day. */
  readonly wall: number;
  readonly utc: number;
  readonly zone: Zone;
  readonly isDate: boolean;
  /** It names no zone: it is that time wherever one is. */
  readonly floating: boolean;
}

/** Finds the zone of a TZID: by name, by what Outlook calls it, or in the file's VTIMEZONEs. */
export interface ZoneFinder {
  /** For moments that name no zone. */
  readonly home: Zone;
  find(id: string): Zone | undefined;
}

const DAY = 86_400_000;

/** Throws an error that says what is wrong. */
export function momentOf(line: Line, zones: ZoneFinder, text = line.value): Moment {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(text.trim());
  if (parts === null) throw new Error(`${line.name} is no date: ${text.slice(0, 40)}`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const wall = wallTime(year, month, day, hour, minute, Math.min(second, 59));
  if (wall === undefined) throw new Error(`${line.name} is no date that exists: ${text}`);
  if (parts[4] === undefined) {
    return {
      wall,
      utc: wallToUtc(zones.home, wall),
      zone: zones.home,
      isDate: true,
      floating: true,
    };
  }
  if (parts[7] === "Z") return { wall, utc: wall, zone: UTC, isDate: false, floating: false };
  const id = line.params.get("TZID");
  const zone = id === undefined ? zones.home : zones.find(id);
  if (zone === undefined) throw new Error(`${line.name} names an unknown time zone: ${id}`);
  return { wall, utc: wallToUtc(zone, wall), zone, isDate: false, floating: id === undefined };
}

/** Undefined for 30 February, 25 o'clock and their like. */
export function wallTime(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return date.setUTCHours(hour, minute, second, 0);
}

/** A duration's days and milliseconds. Throws on what is none. */
export function durationOf(text: string): { readonly days: number; readonly ms: number } {
  const parts =
    /^([+-])?P(?:(\d{1,7})W)?(?:(\d{1,7})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/.exec(
      text.trim(),
    );
  if (parts === null) throw new Error(`no duration: ${text.slice(0, 40)}`);
  const sign = parts[1] === "-" ? -1 : 1;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(2)
    .map((part) => Number(part ?? 0));
  return {
    days: sign * (weeks * 7 + days),
    ms: sign * ((hours * 60 + minutes) * 60 + seconds) * 1000,
  };
}

/** Zones for the events of one file. */
export function zonesOf(calendars: readonly Component[], home: Zone): ZoneFinder {
  const found = new Map<string, Zone | undefined>();
  const search = (id: string): Zone | undefined => {
    const named = ianaZone(id) ?? ianaZone(WINDOWS_ZONES[id] ?? "");
    if (named !== undefined) return named;
    // /freeassociation.sourceforge.net/Europe/Berlin, as Evolution and Mozilla write it.
    const tail = /([A-Za-z_]+\/[A-Za-z_+-]+(?:\/[A-Za-z_]+)?)$/.exec(id.slice(-80))?.[1];
    const within = id.startsWith("/") && tail !== undefined ? ianaZone(tail) : undefined;
    if (within !== undefined) return within;
    const own = calendars
      .flatMap((calendar) => children(calendar, "VTIMEZONE"))
      .find((zone) => unescaped(property(zone, "TZID")?.value ?? "") === id);
    return own === undefined ? undefined : ownZone(id, own);
  };
  const find = (id: string) => {
    if (!found.has(id)) found.set(id, search(id));
    return found.get(id);
  };
  return { home, find };
}

function ownZone(id: string, zone: Component): Zone | undefined {
  const location = ianaZone(property(zone, "X-LIC-LOCATION")?.value ?? "");
  if (location !== undefined) return location;
  const changes: { readonly at: number; readonly before: number; readonly after: number }[] = [];
  for (const item of [...children(zone, "STANDARD"), ...children(zone, "DAYLIGHT")]) {
    const before = offsetOf(property(item, "TZOFFSETFROM")?.value);
    const after = offsetOf(property(item, "TZOFFSETTO")?.value);
    if (before === undefined || after === undefined) return undefined;
    for (const wall of onsets(item)) changes.push({ at: wall - before, before, after });
  }
  changes.sort((a, b) => a.at - b.at);
  const first = changes[0];
  if (first === undefined) return undefined;
  const offsetAt = (utc: number) => {
    const last = changes.findLastIndex(({ at }) => at <= utc);
    return changes[last]?.after ?? first.before;
  };
  return { id, offsetAt };
}

function onsets(observance: Component): number[] {
  const zones: ZoneFinder = { home: UTC, find: () => UTC };
  const start = property(observance, "DTSTART");
  if (start === undefined) return [];
  const { wall } = momentOf(start, zones);
  const walls = [wall];
  for (const { value } of properties(observance, "RRULE").slice(0, 4)) {
    const rule = parseRule(value);
    const until =
      rule.until === undefined ? Number.POSITIVE_INFINITY : untilOf(rule.until, observance);
    for (const one of occurrences(rule, wall, { steps: 50_000 })) {
      if (one > until || one > Date.UTC(2200, 0, 1) || walls.length > 1_000) break;
      walls.push(one);
    }
  }
  for (const date of properties(observance, "RDATE").slice(0, 500)) {
    for (const text of date.value.split(",").slice(0, 500)) {
      walls.push(momentOf(date, zones, text).wall);
    }
  }
  return walls;
}

/** The end of an observance is in UTC; its onsets are in local time. */
function untilOf(until: string, observance: Component): number {
  const line = { raw: "", name: "UNTIL", params: new Map<string, string>(), value: until };
  const { wall } = momentOf(line, { home: UTC, find: () => UTC });
  return wall + (offsetOf(property(observance, "TZOFFSETFROM")?.value) ?? 0);
}

function offsetOf(text: string | undefined): number | undefined {
  const parts = /^([+-])(\d\d)(\d\d)(\d\d)?$/.exec(text?.trim() ?? "");
  if (parts === null) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(2).map((part) => Number(part ?? 0));
  return (parts[1] === "-" ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** The same wall time on another day, in the same zone. */
export function movedTo(moment: Moment, wall: number): Moment {
  return { ...moment, wall, utc: wallToUtc(moment.zone, wall) };
}

/** Whether clocks there show the moment's time once, as they do but for the hours of a change. */
export function isShownOnce({ zone, wall }: Moment): boolean {
  const ways = [wall - zone.offsetAt(wall - DAY), wall - zone.offsetAt(wall + DAY)];
  return new Set(ways.filter((utc) => utcToWall(zone, utc) === wall)).size === 1;
}

/** So many milliseconds later, in the same zone. */
export function later(moment: Moment, ms: number): Moment {
  const utc = moment.utc + ms;
  return { ...moment, utc, wall: utcToWall(moment.zone, utc) };
}

/** The moment in another zone; a day stays the day that it is. */
export function inZone(moment: Moment, zone: Zone): Moment {
  if (moment.isDate) return { ...moment, zone, utc: wallToUtc(zone, moment.wall) };
  return {
    wall: utcToWall(zone, moment.utc),
    utc: moment.utc,
    zone,
    isDate: false,
    floating: false,
  };
}

/** 2026-03-02, or 2026-03-02T09:00:00+01:00. */
export function isoOf(moment: Moment): string {
  const shown = new Date(moment.wall).toISOString();
  if (moment.isDate) return shown.slice(0, 10);
  const offset = Math.round((moment.wall - moment.utc) / 60_000);
  if (moment.zone === UTC) return `${shown.slice(0, 19)}Z`;
  const two = (value: number) => String(value).padStart(2, "0");
  const size = Math.abs(offset);
  return `${shown.slice(0, 19)}${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** 20260302, 20260302T090000 or 20260302T080000Z. */
export function basicOf(moment: Moment): string {
  const shown = new Date(moment.wall).toISOString().replace(/[-:]|\.\d+/g, "");
  if (moment.isDate) return shown.slice(0, 8);
  return moment.zone === UTC && !moment.floating ? shown : shown.slice(0, -1);
}

export { DAY };
