import type { People } from "../kit/people/people.ts";
import { cut, inLine } from "../kit/people/words.ts";
import type { Calendar } from "./calendar-file.ts";
import { readEvent } from "./event.ts";
import { zonesIn } from "./guest-view.ts";
import type { PlannedLetter } from "./letters.ts";
import { ruleWords } from "./rule-text.ts";
import { spanText } from "./when.ts";
import type { Zone } from "./zones.ts";

const HEADS = {
  invitation: "Invitation",
  update: "Updated invitation",
  cancellation: "Cancelled event",
} as const;

/** Subject and text of a letter. */
export function invitationWords(
  people: People,
  calendar: Calendar,
  { kind, about }: Pick<PlannedLetter, "kind" | "about">,
  zone: Zone,
): { readonly subject: string; readonly text: string } {
  const zones = zonesIn(calendar);
  const [event] = about.map((one) => readEvent(one, zones));
  if (event === undefined) return { subject: HEADS[kind], text: HEADS[kind] };
  const when = `${spanText(event.start, event.end, zone)}${event.start.isDate ? "" : ` (${zone.id})`}`;
  const title = inLine(event.title, 200);
  const repeats = ruleWords(event);
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
}
