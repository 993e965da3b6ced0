import { ToolError } from "../kit/tool-error.ts";
import { componentsOf } from "./calendar-file.ts";
import { type CalendarEvent, endAt } from "./event.ts";
import {
  cancelled,
  type EventFields,
  momentLine,
  momentLines,
  ownOccurrence,
  stamped,
  withFields,
} from "./event-text.ts";
import { type Component, line, properties, property, withLines } from "./lines.ts";
import { inZone, type Moment, movedTo } from "./moment.ts";
import { occurrences } from "./occurrences.ts";
import { parseRule } from "./rule.ts";
import { continuedFrom, endedBefore, movedRule } from "./rule-text.ts";
import { type Series, startsOf } from "./series.ts";
import type { Target } from "./target.ts";

/** An event after an edit: all its VEVENTs, and those that people must be told about. */
export interface Edited {
  readonly uid: string;
  readonly events: readonly Component[];
  readonly told: readonly Component[];
}

/** What else is done to each VEVENT that is touched: people asked or left out, answers reset. */
export type Touch = (event: Component) => Component;

/** The event with other fields, for the occurrences that are meant. `newUid` names a second part. */
export function updateSeries(
  target: Target,
  fields: EventFields,
  touch: Touch,
  newUid: string,
): Edited[] {
  requireOneRule(target);
  if (target.original === undefined) return [updateAll(target, fields, touch, 0)];
  if (target.scope === "this") return [updateOne(target, target.original, fields, touch)];
  const isFirst = target.series.master?.start.utc === target.original.utc;
  if (target.scope === "all" || isFirst) {
    const from = inZoneOf(target.series.master, target.original);
    const delta = fields.start === undefined ? 0 : fields.start.wall - from.wall;
    return [updateAll(target, fields, touch, delta)];
  }
  return splitAt(target, target.original, fields, touch, newUid);
}

/** The event without the occurrences that are meant. They are marked or left out, never erased. */
export function cancelSeries(target: Target): Edited {
  const { series, scope, original } = target;
  const { uid, master } = series;
  const all = componentsOf(series);
  const next = nextSequence(series);
  const isFirst = master !== undefined && master.start.utc === original?.utc;
  if (original === undefined || scope === "all" || (scope === "this_and_following" && isFirst)) {
    const events = all.map((event) => cancelled(stamped(event, next)));
    return { uid, events, told: events };
  }
  if (scope === "this_and_following") {
    requireOneRule(target);
    const events = endedEvents(series, original, next);
    return { uid, events, told: events };
  }
  const over = cancelled(stamped(occurrenceOf(target, original), next));
  const others = otherOverrides(series, ({ replaces }) => replaces?.utc !== original.utc);
  if (master === undefined) return { uid, events: [...others, over], told: [over] };
  const left = [...master.exceptDates, original];
  const events = [withExceptions(stamped(master.component, next), left), ...others];
  return { uid, events, told: [over] };
}

function updateAll(target: Target, fields: EventFields, touch: Touch, delta: number): Edited {
  const { series } = target;
  const { uid, master } = series;
  const next = nextSequence(series);
  if (master === undefined) {
    throw new ToolError(
      "Only single occurrences of this series are in the calendar. Edit one with scope this.",
    );
  }
  const moved =
    target.original === undefined ? fields : shiftedFields(target, master, fields, delta);
  const move = moveOf(master.start, moved.start);
  const rule = ruleAfter(master, moved);
  const changed = { ...moved, ...(rule === undefined ? {} : { rule }) };
  let own = stamped(touch(withFields(master.component, changed)), next);
  if (move !== undefined && rule !== "") own = withDatesMoved(own, move, master);
  const keepsOverrides = fields.rule === undefined;
  const overrides = keepsOverrides ? [...series.overrides.values()] : [];
  const others = overrides.map((one) => {
    return stamped(touch(overrideAfter(one, master, moved, move)), next);
  });
  requireFirst(rule, { ...moved, rule: fields.rule });
  return { uid, events: [own, ...others], told: [own, ...others] };
}

/** An override follows the series in what it had in common with it. */
function overrideAfter(
  override: CalendarEvent,
  master: CalendarEvent,
  fields: EventFields,
  move: Move | undefined,
): Component {
  const { replaces } = override;
  const same = (name: "title" | "location" | "description") =>
    override[name] === master[name] ? { [name]: fields[name] } : {};
  const follows = replaces !== undefined && override.start.utc === replaces.utc;
  const start = follows && move !== undefined ? shifted(override.start, move) : undefined;
  const times = start === undefined ? {} : { start, end: endAt(override, start) };
  const changed = withFields(override.component, {
    ...same("title"),
    ...same("location"),
    ...same("description"),
    ...times,
  });
  if (move === undefined || replaces === undefined) return changed;
  const id = momentLine("RECURRENCE-ID", shifted(replaces, move));
  return withLines(changed, { "RECURRENCE-ID": [id] });
}

function updateOne(target: Target, original: Moment, fields: EventFields, touch: Touch): Edited {
  const { series } = target;
  if (fields.rule !== undefined) {
    throw new ToolError(
      'One occurrence has no recurrence of its own. Use scope "all" or "this_and_following".',
    );
  }
  const changed = withFields(occurrenceOf(target, original), fields);
  const own = stamped(touch(changed), nextSequence(series));
  const others = otherOverrides(series, ({ replaces }) => replaces?.utc !== original.utc);
  const master = series.master === undefined ? [] : [series.master.component];
  return { uid: series.uid, events: [...master, ...others, own], told: [own] };
}

function splitAt(
  target: Target,
  original: Moment,
  fields: EventFields,
  touch: Touch,
  newUid: string,
): Edited[] {
  const { series } = target;
  const { master } = series;
  if (master === undefined) throw new ToolError("The series itself is not in the calendar.");
  const before = endedEvents(series, original, nextSequence(series));
  const passed = startsOf(
    { ...master, exceptDates: [], extraDates: [] },
    master.start.utc,
    original.utc,
    { steps: 100_000 },
  ).found;
  const old = inZoneOf(master, original);
  const { start = old } = fields;
  const until = fields.end ?? target.end;
  const end = fields.start === undefined ? endAt({ start: target.start, end: until }, old) : until;
  const move = moveOf(old, start);
  const text = continuedFrom(property(master.component, "RRULE")?.value ?? "", passed.length);
  const rule = fields.rule ?? movedRule(text, old, start);
  const left = master.exceptDates.filter(({ utc }) => utc > original.utc);
  const more = master.extraDates.filter(({ utc }) => utc > original.utc);
  let own = withLines(master.component, { UID: [line("UID", newUid)] });
  own = withFields(own, { ...fields, start, end, rule });
  own = withDatesMoved(own, move, { exceptDates: left, extraDates: more });
  own = stamped(touch(own), 0);
  const later = [...series.overrides.values()].filter(
    ({ replaces }) => (replaces?.utc ?? 0) > original.utc,
  );
  const kept = fields.rule === undefined ? later : [];
  const overrides = kept.map((one) => {
    const moved = overrideAfter(one, master, { ...fields, start }, move);
    return stamped(touch(withLines(moved, { UID: [line("UID", newUid)] })), 0);
  });
  requireFirst(rule, { start, rule: fields.rule });
  const events = [own, ...overrides];
  return [
    { uid: series.uid, events: before, told: before },
    { uid: newUid, events, told: events },
  ];
}

/** The series that ends before this occurrence. */
function endedEvents(series: Series, original: Moment, sequence: number): Component[] {
  const { master } = series;
  const kept = otherOverrides(series, ({ replaces }) => (replaces?.utc ?? 0) < original.utc);
  if (master === undefined) return kept;
  const rules = properties(master.component, "RRULE");
  const ended = withLines(master.component, {
    RRULE: rules.map(({ value }) => line("RRULE", endedBefore(value, original))),
    RDATE: momentLines(
      "RDATE",
      master.extraDates.filter(({ utc }) => utc < original.utc),
    ),
  });
  return [stamped(ended, sequence), ...kept];
}

/** The occurrence as a VEVENT of its own. */
function occurrenceOf({ event, start, end }: Target, original: Moment): Component {
  if (event.replaces !== undefined) return event.component;
  return ownOccurrence(event.component, { original, start, end });
}

function otherOverrides(series: Series, keep: (event: CalendarEvent) => boolean): Component[] {
  return [...series.overrides.values()].filter(keep).map(({ component }) => component);
}

function withExceptions(event: Component, dates: readonly Moment[]): Component {
  return withLines(event, { EXDATE: momentLines("EXDATE", dates) });
}

/** The caller named one occurrence's new time; the series moves by as much. */
function shiftedFields(
  target: Target,
  master: CalendarEvent,
  fields: EventFields,
  delta: number,
): EventFields {
  const { start, end } = fields;
  const from = start ?? target.start;
  const moved = start === undefined ? undefined : movedTo(start, master.start.wall + delta);
  const until = end === undefined ? undefined : endAt({ start: from, end }, moved ?? master.start);
  return { ...fields, start: moved, end: until };
}

/** How a series is moved: what began at \`from\` begins at \`to\`. */
interface Move {
  readonly from: Moment;
  readonly to: Moment;
}

function moveOf(from: Moment, to: Moment | undefined): Move | undefined {
  const isSame = to === undefined || (from.wall === to.wall && from.zone.id === to.zone.id);
  return isSame ? undefined : { from, to };
}

/** The same distance on the clock from the series' start, in its new zone. */
function shifted(moment: Moment, { from, to }: Move): Moment {
  if (moment.isDate !== from.isDate) return moment;
  const there = moment.isDate ? moment : inZone(moment, from.zone);
  return movedTo(to, to.wall + there.wall - from.wall);
}

function withDatesMoved(
  event: Component,
  move: Move | undefined,
  { exceptDates, extraDates }: Pick<CalendarEvent, "exceptDates" | "extraDates">,
): Component {
  const lines = (name: string, dates: readonly Moment[]) =>
    momentLines(
      name,
      dates.map((one) => (move === undefined ? one : shifted(one, move))),
    );
  return withLines(event, {
    EXDATE: lines("EXDATE", exceptDates),
    RDATE: lines("RDATE", extraDates),
  });
}

/** An occurrence's beginning on the clock of its series, whatever zone the file says it in. */
function inZoneOf(master: CalendarEvent | undefined, moment: Moment): Moment {
  if (master === undefined || moment.isDate) return moment;
  return { ...inZone(moment, master.start.zone), floating: master.start.floating };
}

function ruleAfter(master: CalendarEvent, { rule, start }: EventFields): string | undefined {
  if (rule !== undefined || start === undefined || master.rules.length === 0) return rule;
  return movedRule(property(master.component, "RRULE")?.value ?? "", master.start, start);
}

/** A series that does not begin with its first occurrence is read differently by each program. */
function requireFirst(rule: string | undefined, { start, rule: asked }: EventFields): void {
  // A rule that the caller gave was checked with its start.
  if (start === undefined || asked !== undefined || rule === undefined || rule === "") return;
  const { value } = occurrences(parseRule(rule), start.wall, { steps: 20_000 }).next();
  if (value === start.wall) return;
  throw new ToolError(
    "The new start does not fit the recurrence of the event. Give recurrence as well, such as FREQ=WEEKLY;BYDAY=TU.",
  );
}

function requireOneRule({ calendar, series: { master } }: Target): void {
  if (calendar.isBroken || (master?.rules.length ?? 0) > 1) {
    throw new ToolError("This event has several recurrence rules, which can't be edited here.");
  }
}

function nextSequence(series: Series): number {
  const all = [series.master, ...series.overrides.values()];
  return Math.max(...all.map((event) => event?.sequence ?? 0)) + 1;
}
