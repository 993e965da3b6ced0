import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calendar, event, MINE } from "../../servers/calendar/files.ts";
import { missing, PYTHON_CALENDARS } from "../../servers/debian-programs.ts";
import type { OfficeClient } from "../../servers/office-client.ts";
import { seededClient } from "../../servers/people/seed.ts";
import { calendarOfTool, calendarsOfGrader } from "./both-read.ts";

const ME = "ana.ruiz@example.test";
const SPAN = { from: "2026-03-20", to: "2026-04-10" };
const skip = await missing(PYTHON_CALENDARS);

/** One moment, 14:00 in Madrid on 28 March, in the ways in which programs say it. */
const SATURDAY: Readonly<Record<string, string>> = {
  own: ";TZID=Europe/Madrid:20260328T140000",
  utc: ":20260328T130000Z",
  london: ";TZID=Europe/London:20260328T130000",
  york: ";TZID=America/New_York:20260328T090000",
  floating: ":20260328T140000",
};
/** The same on 30 March, when clocks are an hour ahead in Europe. */
const MONDAY: Readonly<Record<string, string>> = {
  own: ";TZID=Europe/Madrid:20260330T140000",
  utc: ":20260330T120000Z",
  london: ";TZID=Europe/London:20260330T130000",
  york: ";TZID=America/New_York:20260330T080000",
  floating: ":20260330T140000",
};
const WAYS = Object.keys(SATURDAY);

/** Daily at two from 26 March to 1 April; 28 left out, 30 at five. */
function series(way: string): string {
  const times = (hour: number, day = "26", month = "03") => [
    `DTSTART;TZID=Europe/Madrid:2026${month}${day}T${hour}0000`,
    `DTEND;TZID=Europe/Madrid:2026${month}${day}T${hour + 1}0000`,
  ];
  const rule = ["RRULE:FREQ=DAILY;COUNT=7", `EXDATE${SATURDAY[way]}`];
  return [
    event(way, ...times(14), ...rule, `SUMMARY:${way}`),
    event(way, `RECURRENCE-ID${MONDAY[way]}`, ...times(17, "30"), `SUMMARY:${way}`),
  ].join("\r\n");
}

async function bothSee(office: OfficeClient, expected: readonly string[], said: string) {
  const graded = (await calendarsOfGrader(office.state, ME, SPAN))["calendar"];
  assert.ok(Array.isArray(graded), JSON.stringify(graded));
  const shown = await calendarOfTool(office, "calendar", SPAN);
  assert.deepEqual(graded, shown, said);
  for (const way of WAYS) {
    const starts = shown.filter(([title]) => title === way).map(([, start]) => start);
    assert.deepEqual(starts, expected, `${way}: ${said}`);
  }
}

const STARTS = ["26T13", "27T13", "29T12", "30T15", "31T12"];
const at = (minutes: string) => [
  ...STARTS.map((one) => `2026-03-${one}:${one === "30T15" ? "00" : minutes}:00Z`),
  `2026-04-01T12:${minutes}:00Z`,
];

describe("a series whose exceptions are said in other zones", { skip }, () => {
  it("keeps them when it is moved, whole, from one occurrence on, or to another zone", async () => {
    const file = calendar(...WAYS.map(series));
    await using office = await seededClient("calendar", { [`${MINE}/calendar.ics`]: file });
    await bothSee(office, at("00"), "as it is");
    for (const way of WAYS) {
      await office.data("update_event", { event_id: way, scope: "all", start: "2026-03-26T14:30" });
    }
    await bothSee(office, at("30"), "moved whole");
    for (const way of WAYS) {
      const which = { scope: "all", occurrence: "2026-03-27T13:30:00Z" };
      await office.data("update_event", { event_id: way, ...which, start: "2026-03-27T14:45" });
    }
    await bothSee(office, at("45"), "moved by the time of one occurrence");
    for (const way of WAYS) {
      const when = { start: "2026-03-26T13:45", time_zone: "Europe/London" };
      await office.data("update_event", { event_id: way, scope: "all", ...when });
    }
    await bothSee(office, at("45"), "put on the clock of London");
    for (const way of WAYS) {
      const which = { scope: "this_and_following", occurrence: "2026-03-27T13:45:00Z" };
      await office.data("update_event", { event_id: way, ...which, start: "2026-03-27T13:50Z" });
    }
    const split = at("50").with(0, "2026-03-26T13:45:00Z");
    await bothSee(office, split, "moved from the second on");
  });
});

describe("an event in the hours of a change of clocks", { skip }, () => {
  it("is as long as it was asked for", async () => {
    await using office = await seededClient("calendar");
    const make = async (title: string, rest: Record<string, unknown>) =>
      await office.data("create_event", { title, ...rest });
    await make("put back", { start: "2026-10-25T02:30", duration_minutes: 60 });
    await make("second", { start: "2026-10-25T02:30+01:00", duration_minutes: 15 });
    await make("nightly", { start: "2026-10-24T02:30", recurrence: "FREQ=DAILY;COUNT=3" });
    await make("spring", { start: "2026-03-28T02:30", recurrence: "FREQ=DAILY;COUNT=3" });
    const other = await make("moved", { start: "2026-10-20T02:30", duration_minutes: 60 });
    await office.data("update_event", { event_id: other["event_id"], start: "2026-10-25T02:30" });
    const refused = { start: "2026-10-25T02:30+01:00", recurrence: "FREQ=DAILY", title: "no" };
    assert.match(await office.refusal("create_event", refused), /second hour of that name/);
    const span = { from: "2026-03-01", to: "2026-11-01" };
    const shown = await calendarOfTool(office, "calendar", span);
    assert.deepEqual((await calendarsOfGrader(office.state, ME, span))["calendar"], shown);
    assert.deepEqual(shown, [
      ["moved", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
      ["nightly", "2026-10-24T00:30:00Z", "2026-10-24T01:30:00Z"],
      ["nightly", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
      ["nightly", "2026-10-26T01:30:00Z", "2026-10-26T02:30:00Z"],
      ["put back", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
      ["second", "2026-10-25T01:30:00Z", "2026-10-25T01:45:00Z"],
      ["spring", "2026-03-28T01:30:00Z", "2026-03-28T02:30:00Z"],
      ["spring", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"],
      ["spring", "2026-03-30T00:30:00Z", "2026-03-30T01:30:00Z"],
    ]);
  });
});

describe("a rule that no program can follow", { skip }, () => {
  const RULES = [
    "FREQ=DAILY;BYMONTH=13",
    "FREQ=YEARLY;BYWEEKNO=99;BYDAY=9MO",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=WEEKLY;BYDAY=XX",
    "FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO",
    "FREQ=DAILY;COUNT=99999999999999999999999;INTERVAL=99999999999999999999",
    "FREQ=FORTNIGHTLY",
    "RATHER=OFTEN",
    "FREQ=SECONDLY",
  ];

  it("is what a grader can't read, with a reason, and no error of the grader's", async () => {
    const start = "DTSTART:20260302T090000Z";
    const files = RULES.map((rule, n) => [
      `${MINE}/c${n}.ics`,
      calendar(event("r", start, "DTEND:20260302T100000Z", `RRULE:${rule}`, "SUMMARY:r")),
    ]);
    const odd = ["00010101T000000Z", "99991231T235959Z", "20260230T000000"];
    const moments = odd.map((moment, n) => [
      `${MINE}/d${n}.ics`,
      calendar(event("r", `DTSTART:${moment}`, "RRULE:FREQ=DAILY", "SUMMARY:r")),
    ]);
    await using office = await seededClient("calendar", Object.fromEntries([...files, ...moments]));
    const graded = await calendarsOfGrader(office.state, ME, SPAN);
    assert.equal(Object.keys(graded).length, RULES.length + odd.length);
    for (const [n, rule] of RULES.entries()) {
      const found = graded[`c${n}`];
      if (found !== undefined && "failed" in found)
        assert.match(found.failed, /recur|calendar/, rule);
      else assert.ok((found?.length ?? 0) <= 21, rule);
    }
  });
});
