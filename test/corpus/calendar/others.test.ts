import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import ical from "ical.js";
import { calendar, event, file, MINE } from "../../servers/calendar/files.ts";
import { missing, PYTHON_CALENDARS } from "../../servers/debian-programs.ts";
import { seededClient } from "../../servers/people/seed.ts";
import { calendarOfTool, calendarsOfGrader } from "./both-read.ts";

const MAKER = fileURLToPath(new URL("./make_calendars.py", import.meta.url));
const skip = await missing(PYTHON_CALENDARS);
const SPAN = { from: "2026-02-01", to: "2026-06-01" };

describe("calendars of other programs", { skip }, () => {
  it("are the same occurrences to a grader and to the tools", async (context) => {
    await using office = await seededClient("calendar");
    const folder = join(office.state, MINE);
    mkdirSync(folder, { recursive: true });
    execFileSync("/usr/bin/python3", ["-B", MAKER, folder]);
    for (const name of ["google", "outlook", "evolution"]) {
      writeFileSync(join(folder, `${name}.ics`), file(`${name}.ics`));
    }
    for (const [n, rule] of RULES.entries()) {
      writeFileSync(join(folder, `icaljs-${n}.ics`), byIcalJs(rule));
    }
    const names = readdirSync(folder).map((name) => name.replace(".ics", ""));
    context.diagnostic(`${names.length} calendars`);
    const graded = await calendarsOfGrader(office.state, "ana.ruiz@example.test", SPAN);
    assert.deepEqual(Object.keys(graded).sort(), names.toSorted());
    for (const name of names) {
      assert.deepEqual(graded[name], await calendarOfTool(office, name, SPAN), name);
    }
  });
});

describe("a time zone that nobody knows", { skip }, () => {
  it("is said by the tools and unreadable to a grader: it is not guessed", async () => {
    const start = "DTSTART;TZID=Nowhere/None:20260302T090000";
    const text = calendar(event("r", start, "SUMMARY:r"));
    await using office = await seededClient("calendar", { [`${MINE}/calendar.ics`]: text });
    const graded = await calendarsOfGrader(office.state, "ana.ruiz@example.test", SPAN);
    assert.match(JSON.stringify(graded), /time zone that nobody knows: Nowhere/);
    const shown = await office.data("list_events", { start: "2026-03-01", end: "2026-03-05" });
    assert.match(JSON.stringify(shown["problems"]), /unknown time zone: Nowhere/);
  });
});

const RULES = [
  "FREQ=DAILY;INTERVAL=3;UNTIL=20260401",
  "FREQ=WEEKLY;BYDAY=TU,TH",
  "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4",
  "FREQ=MONTHLY;BYDAY=2WE;UNTIL=20260520T000000Z",
  "FREQ=YEARLY;BYDAY=20MO;COUNT=2",
];

function byIcalJs(rule: string): string {
  const calendar = new ical.Component(["vcalendar", [], []]);
  calendar.updatePropertyWithValue("version", "2.0");
  calendar.updatePropertyWithValue("prodid", "-//corpus//EN");
  const event = new ical.Component("vevent");
  event.updatePropertyWithValue("uid", "series");
  event.updatePropertyWithValue("summary", "Ünït, über; all of it");
  event.updatePropertyWithValue("dtstart", ical.Time.fromDateTimeString("2026-02-10T09:30:00"));
  event.updatePropertyWithValue("duration", ical.Duration.fromString("PT45M"));
  event.updatePropertyWithValue("rrule", ical.Recur.fromString(rule));
  calendar.addSubcomponent(event);
  return calendar.toString();
}
