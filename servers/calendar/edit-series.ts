import { ToolError } from "../kit/tool-error.ts";
import { componentsOf } from "./calendar-file.ts";
import type { CalendarEvent } from "./event.ts";
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
import { type Moment, movedTo } from "./moment.ts";
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
    const delta = fields.start === undefined ? 0 : fields.start.wall - target.original.wall;
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
  const moved = target.original === undefined ? fields : shiftedFields(master, fields, delta);
  const shift = moved.start === undefined ? 0 : moved.start.wall - master.start.wall;
  const rule = ruleAfter(master, moved);
  const changed = { ...moved, ...(rule === undefined ? {} : { rule }) };
  let own = stamped(touch(withFields(master.component, changed)), next);
  if (shift !== 0 && rule !== "") {
    own = withExceptions(
      own,
      master.exceptDates.map((one) => shifted(one, moved.start, shift)),
    );
    own = withLines(own, {
      RDATE: momentLines(
        "RDATE",
        master.extraDates.map((one) => shifted(one, moved.start, shift)),
      ),
    });
  }
  const keepsOverrides = fields.rule === undefined;
  const overrides = keepsOverrides ? [...series.overrides.values()] : [];
  const others = overrides.map((one) => {
    return stamped(touch(overrideAfter(one, master, moved, shift)), next);
  });
  requireFirst(rule, { ...moved, rule: fields.rule });
  return { uid, events: [own, ...others], told: [own, ...others] };
}

/** An override follows the series in what it had in common with it. */
function overrideAfter(
  override: CalendarEvent,
  master: CalendarEvent,
  fields: EventFields,
  shift: number,
): Component {
  const { replaces } = override;
  const same = (name: "title" | "location" | "description") =>
    override[name] === master[name] ? { [name]: fields[name] } : {};
  const follows = shift !== 0 && replaces !== undefined && override.start.utc === replaces.utc;
  const times = follows
    ? {
        start: shifted(override.start, fields.start, shift),
        end: shifted(override.end, fields.start, shift),
      }
    : {};
  const changed = withFields(override.component, {
    ...same("title"),
    ...same("location"),
    ...same("description"),
    ...times,
  });
  if (shift === 0 || replaces === undefined) return changed;
  const id = momentLine("RECURRENCE-ID", shifted(replaces, fields.start, shift));
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
  const { start = original, end = target.end } = fields;
  const shift = start.wall - original.wall;
  const text = continuedFrom(property(master.component, "RRULE")?.value ?? "", passed.length);
  const rule = fields.rule ?? movedRule(text, original, start);
  const left = master.exceptDates.filter(({ utc }) => utc > original.utc);
  const more = master.extraDates.filter(({ utc }) => utc > original.utc);
  let own = withLines(master.component, { UID: [line("UID", newUid)] });
  own = withFields(own, { ...fields, start, end, rule });
  own = withLines(own, {
    RDATE: momentLines(
      "RDATE",
      more.map((one) => shifted(one, start, shift)),
    ),
  });
  own = stamped(
    touch(
      withExceptions(
        own,
        left.map((one) => shifted(one, start, shift)),
      ),
    ),
    0,
  );
  const later = [...series.overrides.values()].filter(
    ({ replaces }) => (replaces?.utc ?? 0) > original.utc,
  );
  const kept = fields.rule === undefined ? later : [];
  const overrides = kept.map((one) => {
    const moved = overrideAfter(one, master, { ...fields, start }, shift);
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
function shiftedFields(master: CalendarEvent, fields: EventFields, delta: number): EventFields {
  const { start, end } = fields;
  if (start === undefined) return fields;
  const moved = movedTo(start, master.start.wall + delta);
  if (end === undefined) return { ...fields, start: moved };
  return { ...fields, start: moved, end: movedTo(end, moved.wall + end.wall - start.wall) };
}

/** The same distance from the series' start, in its new zone. */
function shifted(moment: Moment, start: Moment | undefined, shift: number): Moment {
  return movedTo(start ?? moment, moment.wall + shift);
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
