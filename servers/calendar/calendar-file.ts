import type { Person } from "../kit/people/people.ts";
import { type CalendarEvent, likeStart, readEvent } from "./event.ts";
import {
  BrokenCalendar,
  type Component,
  children,
  component,
  escaped,
  type Line,
  line,
  parseTree,
  property,
  serialize,
  unescaped,
} from "./lines.ts";
import { zonesOf } from "./moment.ts";
import type { Series } from "./series.ts";
import { timeZoneOf } from "./vtimezone.ts";
import { ianaZone, UTC, type Zone } from "./zones.ts";

/** One calendar: a file with one VCALENDAR, as it was read. Edits make another. */
export interface Calendar {
  readonly owner: Person;
  /** The file's name without ".ics". */
  readonly id: string;
  readonly path: string;
  readonly name: string;
  /** Others than its owner may see what is on, not only when. */
  readonly isShared: boolean;
  readonly isDefault: boolean;
  readonly tree: readonly (Line | Component)[];
  readonly series: ReadonlyMap<string, Series>;
  /** What can't be read of it; the rest can. */
  readonly problems: readonly string[];
  /** Why nothing of it can be read, if so. */
  readonly isBroken: boolean;
}

/** The zone that a person's days are in. */
export function homeOf(person: Person): Zone {
  return ianaZone(person.timezone ?? "UTC") ?? UTC;
}

export type CalendarPlace = Pick<Calendar, "owner" | "id" | "path">;

/** Never throws: a file that is broken is a calendar with a problem. */
export function readCalendar(place: CalendarPlace, text: string): Calendar {
  try {
    return ofTree(place, parseTree(text));
  } catch (error) {
    if (!(error instanceof BrokenCalendar)) throw error;
    return brokenCalendar(place, error.message);
  }
}

export function brokenCalendar(place: CalendarPlace, why: string): Calendar {
  const none = { name: place.id, isShared: false, isDefault: false, tree: [], series: new Map() };
  return { ...place, ...none, problems: [`${place.id}.ics can't be read: ${why}`], isBroken: true };
}

/** An empty calendar, for who has none yet. */
export function newCalendar(place: CalendarPlace): Calendar {
  const head = component("VCALENDAR", [
    line("VERSION", "2.0"),
    line("PRODID", "-//Cloche//Calendar//EN"),
    line("CALSCALE", "GREGORIAN"),
    line("X-WR-CALNAME", escaped(place.owner.name)),
  ]);
  return ofTree(place, [head]);
}

/**
 * The calendar with these VEVENTs in the place of all that have this UID, and with the time zones
 * that they name (as `source` defines them, if it does). Everything else stays as it was, byte for
 * byte.
 */
export function withEvents(
  calendar: Calendar,
  uid: string,
  events: readonly Component[],
  source: Calendar = calendar,
): Calendar {
  const newline = newlineOf(calendar.tree);
  const written = events.map((event) => inNewline(event, newline));
  let isPlaced = false;
  const place = (): Component[] => {
    if (isPlaced) return [];
    isPlaced = true;
    return written;
  };
  const tree = calendar.tree.map((item): Line | Component => {
    if ("raw" in item || item.name !== "VCALENDAR") return item;
    const items = item.items.flatMap((one) => (isOf(one, uid) ? place() : [one]));
    return { ...item, items };
  });
  const last = tree.findLastIndex((item) => !("raw" in item) && item.name === "VCALENDAR");
  const into = tree[last];
  if (into === undefined || "raw" in into) throw new Error(`${calendar.id} has no VCALENDAR`);
  tree[last] = { ...into, items: [...into.items, ...place()] };
  const zones = missingZones(tree, written, source).map((zone) => inNewline(zone, newline));
  return ofTree(calendar, zones.length === 0 ? tree : beforeComponents(tree, last, zones));
}

/** A VCALENDAR for one message: these VEVENTs and the time zones that they name. */
export function messageOf(method: string, events: readonly Component[], source: Calendar): string {
  const head = [
    line("VERSION", "2.0"),
    line("PRODID", "-//Cloche//Calendar//EN"),
    line("CALSCALE", "GREGORIAN"),
    line("METHOD", method),
  ];
  const all = [...missingZones([], events, source), ...events].map((one) => inNewline(one, "\r\n"));
  return serialize([component("VCALENDAR", [...head, ...all])]);
}

export function textOf({ tree }: Calendar): string {
  return serialize(tree);
}

/** The VEVENTs of a UID: the series' own first. */
export function componentsOf(series: Series): Component[] {
  const own = series.master === undefined ? [] : [series.master.component];
  return [...own, ...[...series.overrides.values()].map(({ component: each }) => each)];
}

function ofTree(place: CalendarPlace, tree: readonly (Line | Component)[]): Calendar {
  const calendars = tree.filter((item): item is Component => {
    return !("raw" in item) && item.name === "VCALENDAR";
  });
  const head = calendars[0];
  if (head === undefined) throw new BrokenCalendar("it holds no VCALENDAR");
  const says = (name: string) => /^true$/i.test(property(head, name)?.value.trim() ?? "");
  const problems: string[] = [];
  const series = seriesOf(calendars, homeOf(place.owner), problems);
  return {
    owner: place.owner,
    id: place.id,
    path: place.path,
    name: unescaped(property(head, "X-WR-CALNAME")?.value ?? place.id),
    isShared: says("X-CLOCHE-SHARED"),
    isDefault: says("X-CLOCHE-DEFAULT"),
    tree,
    series,
    problems,
    isBroken: false,
  };
}

interface SeriesParts {
  master: CalendarEvent | undefined;
  readonly overrides: Map<number, CalendarEvent>;
}

function seriesOf(
  calendars: readonly Component[],
  home: Zone,
  problems: string[],
): Map<string, Series> {
  const zones = zonesOf(calendars, home);
  const found = new Map<string, SeriesParts>();
  for (const each of calendars.flatMap((calendar) => children(calendar, "VEVENT"))) {
    try {
      const event = readEvent(each, zones);
      const series: SeriesParts = found.get(event.uid) ?? {
        master: undefined,
        overrides: new Map(),
      };
      found.set(event.uid, series);
      if (event.replaces !== undefined) series.overrides.set(event.replaces.utc, event);
      // Of two with one UID the later version counts.
      else if ((series.master?.sequence ?? -1) <= event.sequence) series.master = event;
    } catch (error) {
      const title = unescaped(property(each, "SUMMARY")?.value ?? "").slice(0, 60);
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`the event "${title}" can't be read: ${why}`);
    }
  }
  return new Map([...found].map(([uid, parts]) => [uid, { uid, ...inZoneOfMaster(parts) }]));
}

/** What an occurrence's event stands for is, without a zone, on the clock of the series. */
function inZoneOfMaster({ master, overrides }: SeriesParts): SeriesParts {
  if (master === undefined) return { master, overrides };
  const all = [...overrides.values()].flatMap((event): [number, CalendarEvent][] => {
    if (event.replaces === undefined) return [];
    const replaces = likeStart(event.replaces, master.start);
    return [[replaces.utc, { ...event, replaces }]];
  });
  return { master, overrides: new Map(all) };
}

function isOf(item: Line | Component, uid: string): boolean {
  if ("raw" in item || item.name !== "VEVENT") return false;
  return unescaped(property(item, "UID")?.value ?? "").trim() === uid;
}

function missingZones(
  tree: readonly (Line | Component)[],
  events: readonly Component[],
  source: Calendar,
): Component[] {
  const known = zonesIn(tree);
  const theirs = zonesIn(source.tree);
  const missing = new Map<string, Component>();
  for (const item of events.flatMap(({ items }) => items)) {
    const id = "raw" in item ? item.params.get("TZID") : undefined;
    if (id === undefined || known.has(id) || missing.has(id)) continue;
    const zone = ianaZone(id);
    const made = zone && timeZoneOf({ ...zone, id }, Date.now());
    const definition = theirs.get(id) ?? made;
    if (definition !== undefined) missing.set(id, definition);
  }
  return [...missing.values()];
}

function zonesIn(tree: readonly (Line | Component)[]): Map<string, Component> {
  const calendars = tree.filter((item): item is Component => !("raw" in item));
  const zones = calendars.flatMap((calendar) => children(calendar, "VTIMEZONE"));
  return new Map(zones.map((zone) => [unescaped(property(zone, "TZID")?.value ?? ""), zone]));
}

function beforeComponents(
  tree: readonly (Line | Component)[],
  place: number,
  zones: readonly Component[],
): (Line | Component)[] {
  return tree.map((item, at) => {
    if (at !== place || "raw" in item) return item;
    const first = item.items.findIndex((one) => !("raw" in one));
    return { ...item, items: item.items.toSpliced(first, 0, ...zones) };
  });
}

function newlineOf(tree: readonly (Line | Component)[]): string {
  const first = tree.find((item): item is Component => !("raw" in item));
  return first === undefined || first.begin.endsWith("\r\n") ? "\r\n" : "\n";
}

function inNewline(item: Component, newline: string): Component {
  const written = (text: string) => text.replace(/\r?\n/g, newline);
  return {
    name: item.name,
    begin: written(item.begin),
    end: written(item.end),
    items: item.items.map((one) => {
      return "raw" in one ? { ...one, raw: written(one.raw) } : inNewline(one, newline);
    }),
  };
}
