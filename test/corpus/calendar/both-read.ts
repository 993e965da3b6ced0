import type { OfficeClient } from "../../servers/office-client.ts";
import { graderReads } from "../grader-reader.ts";

/** An occurrence: its event, and from when to when in UTC, or on which days. */
export type Seen = readonly [title: string, start: string, end: string];

export interface Span {
  /** Days; the last is not part of it. */
  readonly from: string;
  readonly to: string;
}

interface Row {
  readonly title: string;
  readonly start: string;
  readonly end: string;
  readonly all_day: boolean;
}

interface Rows {
  readonly events: readonly Row[];
  readonly next_offset?: number;
}

/** What an agent sees of a calendar of the user's. */
export async function calendarOfTool(
  office: OfficeClient,
  calendar: string,
  { from, to }: Span,
): Promise<Seen[]> {
  const found: Seen[] = [];
  const last = new Date(Date.parse(to) - 86_400_000).toISOString().slice(0, 10);
  for (let offset: number | undefined = 0; offset !== undefined; ) {
    const span = { start: from, end: last, time_zone: "UTC" };
    const page = await office.data("list_events", { calendar, ...span, offset });
    const { events, next_offset } = page as unknown as Rows;
    found.push(...events.map(seen));
    offset = next_offset;
  }
  return found.toSorted(inTurn);
}

function seen({ title, start, end, all_day: isDay }: Row): Seen {
  // An agent is told the last day, a grader the day after it, as the file says.
  const after = () => new Date(Date.parse(end) + 86_400_000).toISOString().slice(0, 10);
  return isDay ? [title, start, after()] : [title, inUtc(start), inUtc(end)];
}

function inUtc(text: string): string {
  return `${new Date(text).toISOString().slice(0, 19)}Z`;
}

/** What a grader reads of each of the user's calendars, by name; or why it can't be read. */
export async function calendarsOfGrader(
  folder: string,
  owner: string,
  { from, to }: Span,
): Promise<Record<string, readonly Seen[] | { readonly failed: string }>> {
  const found = await graderReads<Record<string, Seen[] | { failed: string }>>(
    folder,
    `
from datetime import datetime, timezone
from cloche.state.calendar import Calendar
from cloche.state.people import People
def text(moment):
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
state = tree("/state")
calendar = Calendar(state.within("calendar"), People(state.within("people")))
owner, span = ${JSON.stringify(owner)}, (${JSON.stringify(from)}, ${JSON.stringify(to)})
def read(name):
    return [[e.title, text(e.start), text(e.end)] for e in calendar.events(owner, name, expand=span)]
print(json.dumps({name: told(lambda: read(name)) for name in calendar.calendars(owner)}))
`,
  );
  return Object.fromEntries(
    Object.entries(found).map(([name, all]) => [
      name,
      "failed" in all ? all : all.toSorted(inTurn),
    ]),
  );
}

function inTurn(a: Seen, b: Seen): number {
  return a.join(" ") < b.join(" ") ? -1 : 1;
}
