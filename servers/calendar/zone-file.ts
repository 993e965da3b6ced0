import { readFileSync } from "node:fs";

/** Where Linux and others keep the rules of all time zones, as TZif files (RFC 8536). */
const FOLDER = "/usr/share/zoneinfo";
/** As zones are named. Other files there begin with a small letter. */
const NAME = /^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*){0,2}$/;
const DAY = 86_400_000;

type OffsetAt = (utc: number) => number;

/**
 * How far a zone's clocks are from UTC, by the system's own file; undefined if there is none of
 * exactly this name, or none that can be read.
 */
export function zoneFile(name: string): OffsetAt | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return offsetsOf(readFileSync(`${FOLDER}/${name}`));
  } catch {
    return undefined; // No file, a folder, or one that is cut off.
  }
}

interface Change {
  /** UTC. */
  readonly from: number;
  readonly offset: number;
}

function offsetsOf(file: Buffer): OffsetAt | undefined {
  if (file.toString("latin1", 0, 4) !== "TZif" || file.readUInt8(4) < 0x32) return undefined;
  // The second block has times of 64 bits; the first is for programs of long ago.
  const start = 44 + blockBytes(file, 0, 4);
  const [types, times] = [file.readUInt32BE(start + 36), file.readUInt32BE(start + 32)];
  const first = start + 44;
  const offsets = first + times * 9;
  const offsetOf = (type: number) => file.readInt32BE(offsets + type * 6) * 1_000;
  const changes = Array.from({ length: times }, (_, at): Change => {
    const from = Number(file.readBigInt64BE(first + at * 8)) * 1_000;
    return { from, offset: offsetOf(file.readUInt8(first + times * 8 + at)) };
  });
  if (types === 0) return undefined;
  const rest = file.toString("latin1", first + blockBytes(file, start, 8)).trim();
  const later = rest === "" ? undefined : ruleOf(rest);
  if (rest !== "" && later === undefined) return undefined;
  return (utc) => {
    const index = lastBefore(changes, utc);
    if (index === changes.length - 1 && later !== undefined) return later(utc);
    return changes[index]?.offset ?? offsetOf(0);
  };
}

/** What follows a header: changes, their types, types, names, leap seconds, two lists of marks. */
function blockBytes(file: Buffer, header: number, timeBytes: number): number {
  const count = (at: number) => file.readUInt32BE(header + 20 + at * 4);
  const [marks, standards, leaps] = [count(0), count(1), count(2)];
  const [times, types, characters] = [count(3), count(4), count(5)];
  return (
    times * (timeBytes + 1) + types * 6 + characters + leaps * (timeBytes + 4) + standards + marks
  );
}

/** The last change that is not after `utc`; -1 if there is none. */
function lastBefore(changes: readonly Change[], utc: number): number {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.from ?? 0) <= utc) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const ZONE = "(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)";
const TIME = String.raw`[+-]?\d{1,3}(?::\d\d){0,2}`;
const RULE = new RegExp(
  `^${ZONE}(${TIME})(?:${ZONE}(${TIME})?,M(\\d+)\\.(\\d)\\.(\\d)(?:/(${TIME}))?,` +
    `M(\\d+)\\.(\\d)\\.(\\d)(?:/(${TIME}))?)?$`,
);

/** After the last change: "CET-1CEST,M3.5.0,M10.5.0/3", as POSIX writes it. */
function ruleOf(text: string): OffsetAt | undefined {
  const parts = RULE.exec(text);
  if (parts === null) return undefined;
  const standard = 0 - timeOf(parts[1]);
  if (parts[3] === undefined) return () => standard;
  const summer = parts[2] === undefined ? standard + 3_600_000 : 0 - timeOf(parts[2]);
  const [begin, end] = [parts.slice(3, 7), parts.slice(7, 11)];
  return (utc) => {
    const year = new Date(utc + standard).getUTCFullYear();
    const [from, to] = [dayIn(year, begin) - standard, dayIn(year, end) - summer];
    const isSummer = from < to ? utc >= from && utc < to : utc >= from || utc < to;
    return isSummer ? summer : standard;
  };
}

/** "3", "5", "0", "2": 02:00 on the last Sunday of March, as its clocks show it. */
function dayIn(year: number, [month, week, day, time]: readonly (string | undefined)[]): number {
  const first = Date.UTC(year, Number(month) - 1, 1);
  const skipped = (Number(day) - new Date(first).getUTCDay() + 7) % 7;
  const days = (Date.UTC(year, Number(month), 1) - first) / DAY;
  const whole = skipped + (Number(week) - 1) * 7;
  return first + (whole < days ? whole : whole - 7) * DAY + timeOf(time ?? "2");
}

function timeOf(text = "0"): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  const size = (hours * 3_600 + minutes * 60 + seconds) * 1_000;
  return text.startsWith("-") ? -size : size;
}
