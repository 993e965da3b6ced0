import type { People } from "../people/people.ts";
import { cut, inLine } from "../people/words.ts";
import { type Calendar, homeOf } from "./calendar-file.ts";
import { readEvent } from "./event.ts";
import type { PlannedLetter } from "./invitations.ts";
import type { Component } from "./lines.ts";
import { zonesOf } from "./moment.ts";
import { ruleWords } from "./rule-text.ts";
import { spanText } from "./when.ts";
import type { Zone } from "./zones.ts";

const HEADS = {
  invitation: "Invitation",
  update: "Updated invitation",
  cancellation: "Cancelled event",
  reply: "Answer",
} as const;

/** Subjects and texts of the letters about these VEVENTs. */
export function invitationWords(
  people: People,
  calendar: Calendar,
  told: readonly Component[],
  zone: Zone,
): (kind: PlannedLetter["kind"]) => { readonly subject: string; readonly text: string } {
  const calendars = calendar.tree.filter((item): item is Component => !("raw" in item));
  const zones = zonesOf(calendars, homeOf(calendar.owner));
  const [event] = told.map((one) => readEvent(one, zones));
  if (event === undefined) return (kind) => ({ subject: HEADS[kind], text: HEADS[kind] });
  const when = `${spanText(event.start, event.end, zone)}${event.start.isDate ? "" : ` (${zone.id})`}`;
  const title = inLine(event.title, 200);
  const repeats = ruleWords(event);
  return (kind) => {
    const lines = [
      `${people.me.name}: ${HEADS[kind].toLowerCase()}`,
      "",
      title,
      `When: ${when}`,
      repeats === "" ? undefined : `Repeats: ${repeats}`,
      event.location === "" ? undefined : `Where: ${inLine(event.location)}`,
      ...(event.description === "" ? [] : ["", cut(event.description, 20_000)]),
    ];
    const text = lines.filter((one) => one !== undefined).join("\n");
    return { subject: `${HEADS[kind]}: ${title} @ ${when}`, text: `${text}\n` };
  };
}
