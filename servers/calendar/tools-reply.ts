import * as z from "zod";
import { loadPeople, type People } from "../kit/people/people.ts";
import { inLine, manyLines } from "../kit/people/words.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { type Calendar, componentsOf, homeOf, messageOf } from "./calendar-file.ts";
import { CalendarEdits, findEvent } from "./calendar-store.ts";
import { addressOf } from "./event.ts";
import { requireWritable } from "./event-input.ts";
import { ownOccurrence, stamped, withAnswers, withoutAlarms } from "./event-text.ts";
import { sendLetters } from "./letters.ts";
import { type Component, escaped, line, properties, withLines } from "./lines.ts";
import type { CalendarParts } from "./parts.ts";
import { type Target, targetOf } from "./target.ts";
import { EVENT_ID } from "./tools-read.ts";
import { OCCURRENCE, SCOPE } from "./tools-update.ts";
import { answerWord, wholeText } from "./view.ts";
import { spanText } from "./when.ts";

const ANSWERS = { accept: "ACCEPTED", decline: "DECLINED", tentative: "TENTATIVE" } as const;
const SAID = {
  accept: "Accepted",
  decline: "Declined",
  tentative: "Tentatively accepted",
} as const;

const INPUT = z.object({
  event_id: EVENT_ID,
  response: z.enum(["accept", "decline", "tentative"]),
  comment: z.string().max(5_000).default("").describe("Words to the organizer"),
  scope: SCOPE,
  occurrence: OCCURRENCE,
});

export function replyTools(parts: CalendarParts): Tool[] {
  return [respond(parts)];
}

function respond(parts: CalendarParts): Tool {
  return tool({
    name: "respond_to_invitation",
    title: "Respond to invitation",
    description:
      "Accepts, declines or tentatively accepts an event that the user was invited to. The organizer gets the answer by mail.",
    input: INPUT,
    output: z.object({ event_id: z.string(), my_answer: z.string(), mailed: z.array(z.string()) }),
    hints: { readOnly: false, idempotent: true },
    run: async (input) => {
      return await parts.lock.run(async () => await answer(parts, input));
    },
  });
}

async function answer(parts: CalendarParts, input: z.output<typeof INPUT>) {
  const people = await loadPeople(parts.world);
  const zone = homeOf(people.me);
  const found = await findEvent(parts.store, people, input.event_id);
  requireInvited(people, found);
  const target = targetOf(found, input, zone);
  requireAnswerable(target);
  const status = ANSWERS[input.response];
  const edits = new CalendarEdits();
  const { events, told } = answered(target, people, status);
  edits.put(target.calendar, target.series.uid, events);
  const organizer = people.find(target.event.organizer ?? "");
  for (const copy of organizer === undefined ? [] : await parts.store.of(organizer)) {
    const series = copy.series.get(target.series.uid);
    if (series === undefined || copy.isBroken) continue;
    const theirs = { ...target, calendar: copy, series, event: eventIn(target, series) };
    edits.put(copy, series.uid, answered(theirs, people, status).events, target.calendar);
  }
  const comment = manyLines(input.comment);
  const ics = replyLetter(target.calendar, people, told, comment);
  await edits.save();
  const title = inLine(target.event.title, 200);
  const when = `${spanText(target.start, target.end, zone)} (${zone.id})`;
  const said = SAID[input.response];
  const words = {
    subject: `${said}: ${title} @ ${when}`,
    text: `${people.me.name}: ${said.toLowerCase()}\n\n${title}\nWhen: ${when}\n${comment === "" ? "" : `\n${comment}\n`}`,
  };
  const to = organizer === undefined || organizer.kind === "room" ? [] : [organizer];
  await sendLetters(parts.world, people, [{ to, ics, ...words }]);
  const calendar = edits.current(target.calendar);
  const series = calendar.series.get(target.series.uid) ?? target.series;
  const occurrence = { ...target, event: eventIn(target, series) };
  const mailed = to.map(({ email }) => email);
  const heard =
    mailed.length > 0
      ? `${mailed.join(", ")} was told.`
      : "The organizer has no mailbox here and was not told.";
  const seen = { calendar, occurrence };
  return {
    text: `${said}. ${heard}\n${wholeText(seen, { people, zone })}`,
    data: { event_id: target.series.uid, my_answer: answerWord(status), mailed },
  };
}

function requireAnswerable({ scope, event }: Target): void {
  if (scope === "this_and_following") {
    throw new ToolError('Answer for "this" occurrence or for "all" of them.');
  }
  if (event.isCancelled) throw new ToolError("The event is cancelled; there is nothing to answer.");
}

/** The series with my answer, in all of it or in one occurrence. */
function answered(
  target: Target,
  people: People,
  status: string,
): { events: Component[]; told: Component[] } {
  const { series, original, event, start, end } = target;
  const mine = (one: Component) =>
    withAnswers(one, ({ email }) => (people.isMe(email) ? status : undefined));
  if (original === undefined || target.scope === "all") {
    const events = componentsOf(series).map(mine);
    return { events, told: events };
  }
  const own =
    event.replaces === undefined
      ? ownOccurrence(event.component, { original, start, end })
      : event.component;
  const one = mine(own);
  const others = [...series.overrides.values()].filter(
    ({ replaces }) => replaces?.utc !== original.utc,
  );
  const master = series.master === undefined ? [] : [series.master.component];
  return { events: [...master, ...others.map(({ component }) => component), one], told: [one] };
}

function eventIn(
  { original, event }: Target,
  { master, overrides }: Target["series"],
): Target["event"] {
  return (original && overrides.get(original.utc)) ?? master ?? event;
}

function replyLetter(
  calendar: Calendar,
  people: People,
  told: readonly Component[],
  comment: string,
) {
  const events = told.map((event) => {
    const me = properties(event, "ATTENDEE").filter((one) => people.isMe(addressOf(one)));
    const { sequence } = calendar.series.get(properties(event, "UID")[0]?.value ?? "")?.master ?? {
      sequence: 0,
    };
    const said = comment === "" ? {} : { COMMENT: [line("COMMENT", escaped(comment))] };
    return withLines(stamped(withoutAlarms(event), sequence), { ATTENDEE: me, ...said });
  });
  return { method: "REPLY", text: messageOf("REPLY", events, calendar) };
}

function requireInvited(
  people: People,
  { calendar, series }: Pick<Target, "calendar" | "series">,
): void {
  requireWritable(calendar, people.me);
  const all = [series.master, ...series.overrides.values()];
  const events = all.filter((event) => event !== undefined);
  if (events.some(({ organizer }) => organizer !== undefined && people.isMe(organizer))) {
    throw new ToolError("The user organizes this event. Use update_event or cancel_event.");
  }
  if (!events.some(({ attendees }) => attendees.some(({ email }) => people.isMe(email)))) {
    throw new ToolError("The user was not invited to this event, so there is nothing to answer.");
  }
}
