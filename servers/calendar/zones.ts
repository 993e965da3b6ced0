import { ToolError } from "../kit/tool-error.ts";
import { WINDOWS_ZONES } from "./windows-zones.ts";
import { zoneFile } from "./zone-file.ts";

/** How far a place's clocks are from UTC. A wall time is in milliseconds, as if it were UTC. */
export interface Zone {
  /** IANA name, or what the file calls it. */
  readonly id: string;
  /** In milliseconds, east of Greenwich positive. */
  offsetAt(utc: number): number;
}

export const UTC: Zone = { id: "UTC", offsetAt: () => 0 };

const DAY = 86_400_000;
const QUARTER = 900_000;
const known = new Map<string, Zone | undefined>([["utc", UTC]]);

/** The zone of an IANA name, however it is capitalised. */
export function ianaZone(name: string): Zone | undefined {
  const key = name.toLowerCase();
  if (!known.has(key)) {
    if (known.size > 2_000) known.clear(); // A hostile file names zones without end.
    known.set(key, makeZone(name));
  }
  return known.get(key);
}

/** The zone that a caller names. Throws `ToolError` with names that are near. */
export function requireZone(name: string): Zone {
  const zone = ianaZone(name.trim()) ?? ianaZone(WINDOWS_ZONES[name.trim()] ?? "");
  if (zone !== undefined) return zone;
  const words = name
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 2);
  const names = Intl.supportedValuesOf("timeZone");
  const near = names.filter((one) => words.some((word) => one.toLowerCase().includes(word)));
  const hint =
    near.length === 0 ? "Europe/Berlin or America/New_York" : near.slice(0, 5).join(", ");
  throw new ToolError(
    `There is no time zone ${JSON.stringify(name.slice(0, 60))}. Use an IANA name such as ${hint}.`,
  );
}

/**
 * The moment at which clocks there show a wall time. One that occurs twice is the first; one that
 * a change of clocks leaves out is read by the offset before it (RFC 5545, section 3.3.5).
 */
export function wallToUtc(zone: Zone, wall: number): number {
  const before = zone.offsetAt(wall - DAY);
  const early = wall - before;
  if (zone.offsetAt(early) === before) return early;
  const late = wall - zone.offsetAt(wall + DAY);
  return late + zone.offsetAt(late) === wall ? late : early;
}

export function utcToWall(zone: Zone, utc: number): number {
  return utc + zone.offsetAt(utc);
}

function makeZone(name: string): Zone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return undefined;
  // Node's own tables take 20 ms and more when they are first asked.
  const offsetAt = zoneFile(name);
  if (offsetAt !== undefined) return { id: name, offsetAt: cached(offsetAt) };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  const { timeZone } = format.resolvedOptions();
  const id = timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  return { id, offsetAt: cached((utc) => shownAt(format, utc) - utc) };
}

function shownAt(format: Intl.DateTimeFormat, utc: number): number {
  const parts = /(\d+)\/(\d+)\/(\d+) (\w+), (\d+):(\d+):(\d+)/.exec(format.format(utc));
  if (parts === null) throw new Error(`unread time ${format.format(utc)}`);
  const [month = 0, day = 0, year = 0] = parts.slice(1, 4).map(Number);
  const [hour = 0, minute = 0, second = 0] = parts.slice(5).map(Number);
  if (parts[4] === "B" || parts[4] === "BC") return utc;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Offsets change at quarters of an hour, at the most. */
function cached(offset: (utc: number) => number): (utc: number) => number {
  const seen = new Map<number, number>();
  return (utc) => {
    const quarter = Math.floor(utc / QUARTER);
    const found = seen.get(quarter);
    if (found !== undefined) return found;
    if (seen.size > 20_000) seen.clear();
    const value = offset(quarter * QUARTER);
    seen.set(quarter, value);
    return value;
  };
}
