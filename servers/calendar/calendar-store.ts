import { readdir, readFile, stat } from "node:fs/promises";
import type { People, Person } from "../kit/people/people.ts";
import { writeWhole } from "../kit/people/whole-file.ts";
import type { World } from "../kit/surface.ts";
import { ToolError } from "../kit/tool-error.ts";
import {
  brokenCalendar,
  type Calendar,
  newCalendar,
  readCalendar,
  textOf,
  withEvents,
} from "./calendar-file.ts";
import type { Component } from "./lines.ts";
import type { Series } from "./series.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_FILES = 200;

/** The calendars of everyone, as files of the state. */
export class CalendarStore {
  readonly #world: World;
  readonly #read = new Map<string, { readonly key: string; readonly calendar: Calendar }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** All calendars of a person or room, by name of file. */
  async of(owner: Person): Promise<Calendar[]> {
    const folder = await this.#folder(owner);
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const files = names.filter((name) => /^[^.].*\.ics$/i.test(name)).sort();
    return await Promise.all(
      files.slice(0, MOST_FILES).map((name) => this.#load(owner, `${folder}/${name}`, name)),
    );
  }

  /** Where invitations to this person go. It may be new, and then lies on disk once it is saved. */
  async defaultOf(owner: Person): Promise<Calendar> {
    const all = await this.of(owner);
    const whole = all.filter(({ isBroken }) => !isBroken);
    const usual = ["default", "primary", "calendar", "personal", "work"];
    const found =
      whole.find(({ isDefault }) => isDefault) ??
      usual.map((id) => whole.find((one) => one.id.toLowerCase() === id)).find(Boolean) ??
      whole[0];
    if (found !== undefined) return found;
    const [id, path] = ["calendar", `${await this.#folder(owner)}/calendar.ics`];
    if (all.some((one) => one.path === path)) {
      throw new ToolError(
        `The calendar of ${owner.email} is broken; nothing can be written there.`,
      );
    }
    return newCalendar({ owner, id, path });
  }

  async #folder(owner: Person): Promise<string> {
    const root = await this.#world.stateOf("calendar");
    const names = await readdir(root);
    const own = names.find((name) => name.toLowerCase() === owner.email.toLowerCase());
    return `${root}/${own ?? owner.email}`;
  }

  async #load(owner: Person, path: string, name: string): Promise<Calendar> {
    const place = { owner, id: name.replace(/\.ics$/i, ""), path };
    const { size, mtimeMs, ino } = await stat(path);
    const key = `${size} ${mtimeMs} ${ino} ${owner.timezone}`;
    const found = this.#read.get(path);
    if (found?.key === key) return found.calendar;
    const calendar =
      size > MOST_BYTES
        ? brokenCalendar(place, `it has ${size} bytes; ${MOST_BYTES} are the most`)
        : readCalendar(place, await readFile(path, "utf8"));
    this.#read.set(path, { key, calendar });
    return calendar;
  }
}

/** Changes of several calendars that are written together, once all are known to be possible. */
export class CalendarEdits {
  readonly #changed = new Map<string, Calendar>();

  /** The calendar with what was changed so far. */
  current(calendar: Calendar): Calendar {
    return this.#changed.get(calendar.path) ?? calendar;
  }

  /** `source`: whose definitions of time zones the events use. */
  put(
    calendar: Calendar,
    uid: string,
    events: readonly Component[],
    source: Calendar = calendar,
  ): void {
    if (calendar.isBroken) {
      throw new ToolError(`${calendar.problems[0]}. Nothing was changed.`);
    }
    this.#changed.set(calendar.path, withEvents(this.current(calendar), uid, events, source));
  }

  async save(): Promise<void> {
    const files = [...this.#changed.values()].map((one) => [one.path, textOf(one)] as const);
    for (const [path, text] of files) {
      if (text.length > MOST_BYTES)
        throw new ToolError("The calendar is full. Nothing was changed.");
      await writeWhole(path, text);
    }
  }
}

export interface Found {
  readonly calendar: Calendar;
  readonly series: Series;
}

/** The calendars that the agent sees in full: its own, then what others share. */
export async function visibleCalendars(store: CalendarStore, people: People): Promise<Calendar[]> {
  const others = people.all.filter(({ email }) => !people.isMe(email));
  const [mine, ...theirs] = await Promise.all([people.me, ...others].map((one) => store.of(one)));
  return [...(mine ?? []), ...theirs.flat().filter(({ isShared }) => isShared)];
}

/** How the agent names a calendar: by id if it is its own, else with the owner before. */
export function referenceOf(calendar: Calendar, people: People): string {
  return people.isMe(calendar.owner.email) ? calendar.id : `${calendar.owner.email}/${calendar.id}`;
}

export function pickCalendar(
  calendars: readonly Calendar[],
  people: People,
  asked: string,
): Calendar {
  const wanted = asked.trim().toLowerCase();
  const found =
    calendars.find((one) => referenceOf(one, people).toLowerCase() === wanted) ??
    calendars.find((one) => one.name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  const known = calendars.map((one) => referenceOf(one, people)).join(", ");
  throw new ToolError(
    `You see no calendar ${JSON.stringify(asked.slice(0, 80))}. There ${known === "" ? "are none" : `are ${known}`}.`,
  );
}

/** The event of an id in what the agent sees; its own calendars first. */
export async function findEvent(store: CalendarStore, people: People, uid: string): Promise<Found> {
  for (const place of await visibleCalendars(store, people)) {
    const series = place.series.get(uid.trim());
    if (series !== undefined) return { calendar: place, series };
  }
  throw new ToolError(
    `There is no event with the id ${JSON.stringify(uid.slice(0, 120))}. Use an event_id from list_events.`,
  );
}
