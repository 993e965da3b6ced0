import * as z from "zod";
import type { People } from "../kit/people/people.ts";
import { cut, inLine } from "../kit/people/words.ts";
import { answerOf } from "./busy.ts";
import type { Calendar } from "./calendar-file.ts";
import { referenceOf } from "./calendar-store.ts";
import { reminderOf } from "./event.ts";
import { property } from "./lines.ts";
import type { Moment } from "./moment.ts";
import { ruleWords } from "./rule-text.ts";
import type { Occurrence } from "./series.ts";
import { occurrenceKey, shownIn, spanText } from "./when.ts";
import type { Zone } from "./zones.ts";

/** One row of a list of events. */
export const EVENT_ROW = z.object({
  event_id: z.string(),
  calendar: z.string(),
  title: z.string(),
  start: z.string(),
  end: z.string(),
  all_day: z.boolean(),
  location: z.string().optional(),
  organizer: z.string().optional(),
  my_answer: z.string().optional(),
  occurrence: z.string().optional(),
  status: z.string(),
  busy: z.boolean(),
});

/** All of one event. */
export const EVENT_WHOLE = EVENT_ROW.extend({
  time_zone: z.string(),
  description: z.string().optional(),
  recurrence: z.string().optional(),
  reminder_minutes: z.number().optional(),
  private: z.boolean(),
  sequence: z.number(),
  attendees: z.array(
    z.object({ email: z.string(), name: z.string(), answer: z.string(), optional: z.boolean() }),
  ),
});

export interface Sight {
  readonly people: People;
  readonly zone: Zone;
}

export interface Seen {
  readonly calendar: Calendar;
  readonly occurrence: Occurrence;
}

const DAY = 86_400_000;

export function rowOf(
  { calendar, occurrence }: Seen,
  { people, zone }: Sight,
): z.output<typeof EVENT_ROW> {
  const { event, start, end, original } = occurrence;
  const isHidden = event.isPrivate && !people.isMe(calendar.owner.email);
  const answer = answerOf(event, people.me);
  return {
    event_id: event.uid,
    calendar: referenceOf(calendar, people),
    title: isHidden ? "Busy" : inLine(event.title),
    start: shownIn(start, zone),
    // The last day, not the day after it.
    end: shownIn(start.isDate ? lastDay(start, end) : end, zone),
    all_day: start.isDate,
    ...(event.location === "" || isHidden ? {} : { location: inLine(event.location) }),
    ...(event.organizer === undefined || isHidden ? {} : { organizer: inLine(event.organizer) }),
    ...(answer === undefined ? {} : { my_answer: answerWord(answer) }),
    ...(original === undefined ? {} : { occurrence: occurrenceKey(original) }),
    status: event.isCancelled ? "cancelled" : event.isTentative ? "tentative" : "confirmed",
    busy: !event.isFree,
  };
}

export function wholeOf(seen: Seen, sight: Sight): z.output<typeof EVENT_WHOLE> {
  const { event } = seen.occurrence;
  const master = seen.calendar.series.get(event.uid)?.master ?? event;
  const isHidden = event.isPrivate && !sight.people.isMe(seen.calendar.owner.email);
  const rule = property(master.component, "RRULE")?.value;
  const reminder = reminderOf(event.component);
  return {
    ...rowOf(seen, sight),
    time_zone: event.start.isDate ? sight.zone.id : event.start.zone.id,
    ...(event.description === "" || isHidden
      ? {}
      : { description: cut(event.description, 12_000) }),
    ...(rule === undefined ? {} : { recurrence: inLine(rule, 500) }),
    ...(reminder === undefined ? {} : { reminder_minutes: reminder }),
    private: event.isPrivate,
    sequence: event.sequence,
    attendees: isHidden
      ? []
      : event.attendees.slice(0, 100).map(({ email, name, status, isOptional }) => {
          const known = name === "" ? (sight.people.find(email)?.name ?? "") : name;
          return {
            email: inLine(email),
            name: inLine(known),
            answer: answerWord(status),
            optional: isOptional,
          };
        }),
  };
}

/** Enough to name the event again. */
export function briefOf(seen: Seen, sight: Sight) {
  const { event_id, start, end } = rowOf(seen, sight);
  return { event_id, start, end };
}

/** "Mon 2026-03-02 09:00–10:00  Budget review (Room A) …". */
export function rowText({ calendar, occurrence }: Seen, sight: Sight): string {
  const row = rowOf({ calendar, occurrence }, sight);
  const notes = [
    row.location === undefined ? "" : `at ${row.location}`,
    row.status === "confirmed" ? "" : row.status.toUpperCase(),
    row.my_answer === undefined || row.organizer === sight.people.me.email.toLowerCase()
      ? ""
      : `your answer: ${row.my_answer}`,
    row.busy ? "" : "shown as free",
    `calendar ${row.calendar}`,
    `event_id ${row.event_id}`,
    row.occurrence === undefined ? "" : `occurrence ${row.occurrence}`,
  ];
  const span = spanText(occurrence.start, occurrence.end, sight.zone);
  return `${span}  ${row.title === "" ? "(no title)" : row.title}  [${notes.filter(Boolean).join("; ")}]`;
}

export function wholeText(seen: Seen, sight: Sight): string {
  const whole = wholeOf(seen, sight);
  const { event } = seen.occurrence;
  const master = seen.calendar.series.get(event.uid)?.master ?? event;
  const words = ruleWords(master);
  const lines = [
    rowText(seen, sight),
    whole.organizer === undefined ? "" : `Organizer: ${whole.organizer}`,
    words === "" ? "" : `Repeats: ${words} (${whole.recurrence ?? "dates"})`,
    `Time zone of the event: ${whole.time_zone}`,
    whole.reminder_minutes === undefined
      ? ""
      : `Reminder: ${whole.reminder_minutes} minutes before`,
    ...whole.attendees.map(({ email, name, answer, optional }) => {
      return `- ${name} <${email}>: ${answer}${optional ? " (optional)" : ""}`;
    }),
    event.attendees.length > 100 ? `and ${event.attendees.length - 100} more attendees` : "",
    whole.description === undefined ? "" : `\n${whole.description}`,
  ];
  return lines.filter((one) => one !== "").join("\n");
}

export function answerWord(status: string): string {
  return inLine(status, 40).toLowerCase().replace("needs-action", "no answer yet");
}

function lastDay(start: Moment, end: Moment): Moment {
  return { ...end, wall: Math.max(start.wall, end.wall - DAY) };
}
