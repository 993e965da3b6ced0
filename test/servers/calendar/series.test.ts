import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import ical from "ical.js";
import type { OfficeClient } from "../office-client.ts";
import { seededClient } from "../people/seed.ts";

const GRADER = fileURLToPath(new URL("../../../python/cloche/src", import.meta.url));
const FILE = "calendar/ana.ruiz@example.test/calendar.ics";

/** Mondays at nine over the change of clocks on 29 March; one left out, one moved. */
const SERIES = [
  "BEGIN:VCALENDAR",
  "VERSION:2.0",
  "PRODID:-//test//EN",
  "BEGIN:VEVENT",
  "UID:s",
  "DTSTAMP:20260101T000000Z",
  "DTSTART;TZID=Europe/Madrid:20260309T090000",
  "DTEND;TZID=Europe/Madrid:20260309T100000",
  "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8",
  "EXDATE;TZID=Europe/Madrid:20260316T090000",
  "SUMMARY:Weekly",
  "X-OTHER-PROGRAM;A=1:kept",
  "END:VEVENT",
  "BEGIN:VEVENT",
  "UID:s",
  "DTSTAMP:20260101T000000Z",
  "RECURRENCE-ID;TZID=Europe/Madrid:20260413T090000",
  "DTSTART;TZID=Europe/Madrid:20260414T120000",
  "DTEND;TZID=Europe/Madrid:20260414T130000",
  "SUMMARY:Weekly",
  "END:VEVENT",
  "END:VCALENDAR",
  "",
].join("\r\n");

describe("an event that repeats", () => {
  it("wants to be told which occurrences are meant", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    const ask = async (args: Record<string, unknown>) =>
      await office.refusal("update_event", { event_id: "s", title: "x", ...args });
    assert.match(await ask({}), /The event repeats\. Say scope/);
    assert.match(await ask({ scope: "this" }), /Say which occurrence/);
    assert.match(
      await ask({ scope: "this", occurrence: "2026-03-16" }),
      /No occurrence of this event begins at 2026-03-16/,
    );
    assert.match(
      await ask({ scope: "this", occurrence: "2026-03-24T09:00" }),
      /Near it are 2026-03-23T08:00:00Z/,
    );
    assert.match(
      await ask({ scope: "all", start: "2026-03-10" }),
      /can't change between whole days and times/,
    );
    assert.equal(readFileSync(join(office.state, FILE), "utf8"), SERIES);
  });

  it("keeps its time on the clock when clocks change", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    assert.deepEqual(await starts(office), [
      "2026-03-09T09:00:00+01:00",
      "2026-03-23T09:00:00+01:00",
      "2026-03-30T09:00:00+02:00",
      "2026-04-06T09:00:00+02:00",
      "2026-04-14T12:00:00+02:00",
      "2026-04-20T09:00:00+02:00",
      "2026-04-27T09:00:00+02:00",
    ]);
  });

  it("is changed in one occurrence", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    await office.data("update_event", {
      event_id: "s",
      scope: "this",
      occurrence: "2026-03-30",
      start: "2026-03-30T16:00",
      title: "Moved",
    });
    const all = await starts(office);
    assert.equal(all[2], "2026-03-30T16:00:00+02:00");
    assert.equal(all.length, 7);
    agree(office, all);
    assert.match(readFileSync(join(office.state, FILE), "utf8"), /X-OTHER-PROGRAM;A=1:kept/);
  });

  it("is changed from one occurrence on, what was left out and moved included", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    const made = await office.data("update_event", {
      event_id: "s",
      scope: "this_and_following",
      occurrence: "2026-04-06",
      start: "2026-04-07T10:00",
    });
    assert.notEqual(made["event_id"], "s");
    const all = await starts(office);
    assert.deepEqual(all, [
      "2026-03-09T09:00:00+01:00",
      "2026-03-23T09:00:00+01:00",
      "2026-03-30T09:00:00+02:00",
      "2026-04-07T10:00:00+02:00",
      "2026-04-14T12:00:00+02:00",
      "2026-04-21T10:00:00+02:00",
      "2026-04-28T10:00:00+02:00",
    ]);
    agree(office, all);
  });

  it("is changed whole, by the new time of one occurrence", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    await office.data("update_event", {
      event_id: "s",
      scope: "all",
      occurrence: "2026-03-30",
      start: "2026-03-31T08:30",
      title: "Tuesdays",
    });
    const all = await starts(office);
    assert.deepEqual(all, [
      "2026-03-10T08:30:00+01:00",
      "2026-03-24T08:30:00+01:00",
      "2026-03-31T08:30:00+02:00",
      "2026-04-07T08:30:00+02:00",
      "2026-04-14T12:00:00+02:00",
      "2026-04-21T08:30:00+02:00",
      "2026-04-28T08:30:00+02:00",
    ]);
    agree(office, all);
    assert.equal(
      (
        await office.data("list_events", {
          start: "2026-03-02",
          end: "2026-05-01",
          query: "tuesdays",
        })
      )["total"],
      7,
    );
  });

  it("is cancelled in one occurrence, then from one on, then whole", async () => {
    await using office = await seededClient("calendar", { [FILE]: SERIES });
    await office.data("cancel_event", {
      event_id: "s",
      scope: "this",
      occurrence: "2026-04-13T07:00:00Z",
    });
    assert.equal((await starts(office)).includes("2026-04-14T12:00:00+02:00"), false);
    await office.data("cancel_event", {
      event_id: "s",
      scope: "this_and_following",
      occurrence: "2026-04-06",
    });
    const all = await starts(office);
    assert.deepEqual(all, [
      "2026-03-09T09:00:00+01:00",
      "2026-03-23T09:00:00+01:00",
      "2026-03-30T09:00:00+02:00",
    ]);
    agree(office, all);
    await office.data("cancel_event", { event_id: "s", scope: "all" });
    assert.deepEqual(await starts(office), []);
    assert.match(
      await office.refusal("cancel_event", { event_id: "s", scope: "all" }),
      /cancelled already/,
    );
  });

  it("is made with a rule that begins with it, and ends with an empty one", async () => {
    await using office = await seededClient("calendar");
    const make = { title: "x", start: "2026-03-03T10:00" };
    assert.match(
      await office.refusal("create_event", { ...make, recurrence: "FREQ=WEEKLY;BYDAY=FR" }),
      /no occurrence of.*2026-03-06T10:00:00\+01:00/,
    );
    assert.match(
      await office.refusal("create_event", { ...make, recurrence: "FREQ=SECONDLY" }),
      /not more often/,
    );
    assert.match(
      await office.refusal("create_event", { ...make, recurrence: "every week" }),
      /Write it like FREQ=WEEKLY/,
    );
    assert.match(
      await office.refusal("create_event", {
        ...make,
        recurrence: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      }),
      /no occurrence at all/,
    );
    assert.match(
      await office.refusal("create_event", { ...make, recurrence: "FREQ=DAILY;UNTIL=20260301" }),
      /no occurrence at all/,
    );
    const made = await office.data("create_event", {
      ...make,
      recurrence: "RRULE:FREQ=WEEKLY;UNTIL=20260324",
    });
    // The last day is included: until the end of it, in UTC.
    assert.match(
      readFileSync(join(office.state, FILE), "utf8"),
      /RRULE:FREQ=WEEKLY;UNTIL=20260324T225959Z/,
    );
    assert.equal((await starts(office)).length, 4);
    await office.data("update_event", { event_id: made["event_id"], scope: "all", recurrence: "" });
    assert.equal((await starts(office)).length, 1);
  });

  it("of whole days is the same day everywhere, its end the last day", async () => {
    await using office = await seededClient("calendar");
    await office.data("create_event", {
      title: "Trip",
      start: "2026-03-05",
      end: "2026-03-06",
      recurrence: "FREQ=MONTHLY;COUNT=2",
    });
    assert.match(
      readFileSync(join(office.state, FILE), "utf8"),
      /DTSTART;VALUE=DATE:20260305\r\nDTEND;VALUE=DATE:20260307/,
    );
    const { events } = await office.data("list_events", {
      start: "2026-03-01",
      end: "2026-04-30",
      time_zone: "Pacific/Auckland",
    });
    const rows = events as Record<string, unknown>[];
    assert.deepEqual(
      rows.map((row) => [row["start"], row["end"], row["all_day"]]),
      [
        ["2026-03-05", "2026-03-06", true],
        ["2026-04-05", "2026-04-06", true],
      ],
    );
  });
});

async function starts(office: OfficeClient): Promise<string[]> {
  const { events } = await office.data("list_events", { start: "2026-03-02", end: "2026-05-01" });
  return (events as Record<string, unknown>[]).map((row) => String(row["start"]));
}

/** ical.js and, where it is there, Python's icalendar with dateutil see the same occurrences. */
function agree(office: OfficeClient, expected: readonly string[]): void {
  const text = readFileSync(join(office.state, FILE), "utf8");
  const wanted = expected.map((one) => one.slice(0, 19)).sort();
  assert.deepEqual(byIcal(text), wanted);
  const theirs = byPython(join(office.state, "calendar"));
  if (theirs !== undefined) assert.deepEqual(theirs, [...expected]);
}

function byIcal(text: string): string[] {
  const root = new ical.Component(ical.parse(text));
  for (const zone of root.getAllSubcomponents("vtimezone")) ical.TimezoneService.register(zone);
  const all = root.getAllSubcomponents("vevent").map((one) => new ical.Event(one));
  const found: string[] = [];
  for (const event of all.filter((one) => !one.isRecurrenceException())) {
    for (const other of all) {
      if (other.uid === event.uid && other.isRecurrenceException()) event.relateException(other);
    }
    const iterator = event.iterator();
    for (let next = iterator.next(); next; next = iterator.next()) {
      found.push(event.getOccurrenceDetails(next).startDate.toString());
    }
  }
  return found.sort();
}

/** As a grader reads it: with Python's icalendar and dateutil. */
const READER = `
import hashlib, sys
from pathlib import Path
from cloche.files import Entry, Tree
from cloche.state.calendar import Calendar
root, path = Path(sys.argv[1]), sys.argv[2]
data = (root / path).read_bytes()
entry = Entry(path, "file", 0o600, len(data), hashlib.sha256(data).hexdigest())
calendar = Calendar(Tree({path: entry}, root, agents_work=True))
events = calendar.events("ana.ruiz@example.test", expand=("2026-03-01", "2026-05-02"))
print("\\n".join(each.start.isoformat() for each in events))
`;

function byPython(folder: string): string[] | undefined {
  try {
    const env = { PYTHONPATH: GRADER, PYTHONDONTWRITEBYTECODE: "1", TZ: "UTC" };
    const args = ["-c", READER, folder, FILE.slice("calendar/".length)];
    const found = execFileSync("/usr/bin/python3", args, { env, stdio: "pipe" });
    return found.toString("utf8").trim().split("\n");
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error);
    if (/ModuleNotFoundError|ENOENT/.test(said)) return undefined;
    throw new Error(said, { cause: error });
  }
}
