import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import ical from "ical.js";
import { seededClient } from "../people/seed.ts";

const MINE = "calendar/ana.ruiz@example.test";

const file = (...lines: string[]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ...lines, "END:VCALENDAR", ""].join("\r\n");
const event = (uid: string, ...lines: string[]) => [
  "BEGIN:VEVENT",
  `UID:${uid}`,
  "DTSTAMP:20260101T000000Z",
  ...lines,
  "END:VEVENT",
];
const GOOD = event("good", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Good");

describe("bad input to the calendar", () => {
  it("of impossible dates, times and zones is refused with what to write instead", async () => {
    await using office = await seededClient("calendar");
    const ask = async (args: Record<string, unknown>) =>
      await office.refusal("create_event", { title: "x", ...args });
    assert.match(await ask({ start: "2026-02-30T10:00" }), /no such date/);
    assert.match(await ask({ start: "2026-03-03T25:00" }), /no such date/);
    assert.match(await ask({ start: "next monday" }), /write it like 2026-03-02T09:00/);
    assert.match(
      await ask({ start: "2026-03-29T02:30" }),
      /does not exist in Europe\/Madrid.*2026-03-29T03:30/,
    );
    assert.match(
      await ask({ start: "2026-03-03T10:00", time_zone: "Europe/Atlantis" }),
      /no time zone "Europe\/Atlantis".*Europe\//,
    );
    assert.match(
      await ask({ start: "2026-03-03T10:00", end: "2026-03-03T09:00" }),
      /lies before the start/,
    );
    assert.match(
      await ask({ start: "2026-03-03T10:00", end: "2026-03-04" }),
      /both have a time of day/,
    );
    assert.match(await ask({ start: "2026-03-03T10:00", calendar: "nope" }), /no calendar "nope"/);
    assert.match(
      await office.refusal("list_events", { start: "2026-03-03", end: "2031-03-03" }),
      /longer than 400 days/,
    );
    assert.match(
      await office.refusal("find_free_time", {
        duration_minutes: 30,
        start: "2026-02-01",
        end: "2026-02-02",
      }),
      /is over/,
    );
    assert.match(
      await office.refusal("check_availability", {
        people: ["x@y.test"],
        start: "2026-03-03",
        end: "2026-03-03",
      }),
      /Nobody here/,
    );
    assert.throws(() => readdirSync(join(office.state, MINE)));
  });

  it("can't bring lines of its own into a file", async () => {
    await using office = await seededClient("calendar");
    assert.match(
      await office.refusal("create_event", {
        title: "a\r\nATTENDEE:mailto:x@y.test",
        start: "2026-03-03",
      }),
      /one line/,
    );
    assert.match(
      await office.refusal("create_event", {
        title: "a",
        location: "b\rDTSTART:2",
        start: "2026-03-03",
      }),
      /one line/,
    );
    await office.data("create_event", {
      title: 'Quote " ; , \\n : end',
      description: "one\r\nEND:VEVENT\rBEGIN:VEVENT\nUID:evil\u2028\u0085\u0000DTSTART:x\\",
      start: "2026-03-03T10:00",
    });
    const text = readFileSync(join(office.state, MINE, "calendar.ics"), "utf8");
    const events = new ical.Component(ical.parse(text)).getAllSubcomponents("vevent");
    assert.equal(events.length, 1);
    assert.equal(events[0]?.getFirstPropertyValue("summary"), 'Quote " ; , \\n : end');
    assert.equal(
      events[0]?.getFirstPropertyValue("description"),
      "one\nEND:VEVENT\nBEGIN:VEVENT\nUID:evil\n\nDTSTART:x\\",
    );
  });

  it("in one event or one file leaves the others readable and the file whole", async () => {
    const bad = file(
      ...GOOD,
      ...event("b1", "DTSTART:20260230T090000Z", "SUMMARY:No such day"),
      ...event("b2", "SUMMARY:No start"),
      ...event("b3", "DTSTART;TZID=Mars/Olympus:20260303T090000", "SUMMARY:Mars"),
      ...event("b4", "DTSTART:20260303T090000Z", "RRULE:FREQ=NEVER", "SUMMARY:Rule"),
    );
    await using office = await seededClient("calendar", {
      [`${MINE}/bad.ics`]: bad,
      [`${MINE}/cut.ics`]: bad.slice(0, 200),
      [`${MINE}/zip.ics`]: Buffer.from("PK\u0003\u0004\u0000\u00ff", "latin1"),
      [`${MINE}/empty.ics`]: "",
    });
    const { events, problems } = await office.data("list_events");
    assert.deepEqual(
      (events as { title: string }[]).map(({ title }) => title),
      ["Good"],
    );
    assert.match(
      JSON.stringify(problems),
      /No such day.*no date that exists.*no DTSTART.*unknown time zone: Mars.*FREQ must be/s,
    );
    assert.match(JSON.stringify(problems), /cut\.ics can't be read: the file ends inside VEVENT/);
    assert.match(
      await office.refusal("create_event", { title: "x", start: "2026-03-03", calendar: "cut" }),
      /can't be read/,
    );
    await office.data("create_event", { title: "New", start: "2026-03-04", calendar: "bad" });
    const after = readFileSync(join(office.state, MINE, "bad.ics"), "utf8");
    assert.ok(after.startsWith(bad.slice(0, bad.indexOf("END:VCALENDAR"))));
  });

  it("that recurs each second, for ever or without end, is bounded", async () => {
    const rules = [
      "FREQ=SECONDLY",
      "FREQ=SECONDLY;COUNT=999999999",
      "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=MINUTELY;INTERVAL=7",
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    ];
    const old = rules.flatMap((rule, at) =>
      event(
        `r${at}`,
        "DTSTART:19700101T000000Z",
        "DURATION:PT1S",
        `RRULE:${rule}`,
        `SUMMARY:${rule}`,
      ),
    );
    await using office = await seededClient("calendar", {
      [`${MINE}/calendar.ics`]: file(...old, ...GOOD),
    });
    const { events, problems, total } = await office.data("list_events", {
      start: "2026-03-02",
      end: "2026-03-04",
      query: "o",
    });
    assert.ok(Number(total) <= 20_000);
    assert.ok((events as { title: string }[]).some(({ title }) => title === "Good"));
    assert.match(JSON.stringify(problems), /recurs too often/);
    await office.data("find_free_time", {
      duration_minutes: 30,
      start: "2026-03-02",
      end: "2026-03-06",
    });
    await office.data("get_event", { event_id: "r1" });
  });

  it("of ten megabytes in one line, or in a million folds, is read or told", async () => {
    const long = file(
      ...GOOD,
      ...event("long", "DTSTART:20260303T110000Z", `SUMMARY:${"x".repeat(10e6)}`),
    );
    const folds = file(
      ...GOOD.with(1, "UID:other"),
      ...event("fold", "DTSTART:20260303T120000Z", `SUMMARY:y${"\r\n y".repeat(1e6)}`),
    );
    await using office = await seededClient("calendar", {
      [`${MINE}/long.ics`]: long,
      [`${MINE}/folds.ics`]: folds,
      [`${MINE}/huge.ics`]: `${file(...GOOD)}${" ".repeat(17e6)}`,
    });
    const text = await office.text("list_events");
    assert.ok(text.length < 10_000);
    assert.match(text, /4 events[\s\S]*huge\.ics can't be read: it has 17/);
    await office.data("update_event", { event_id: "long", location: "here" });
    const after = readFileSync(join(office.state, MINE, "long.ics"), "utf8");
    assert.ok(after.includes("x".repeat(10e6)) && after.includes("LOCATION:here"));
  });

  it("of two calls at once loses nothing", async () => {
    await using office = await seededClient("calendar");
    const hours = Array.from(
      { length: 12 },
      (_, at) => `2026-03-03T${String(at + 8).padStart(2, "0")}:00`,
    );
    const made = await Promise.all(
      hours.map((start) =>
        office.data("create_event", { title: "x", start, attendees: ["ben.ode@example.test"] }),
      ),
    );
    assert.equal(new Set(made.map((one) => one["event_id"])).size, 12);
    assert.equal((await office.data("list_events"))["total"], 12);
    assert.equal(readdirSync(join(office.state, "mail/ben.ode@example.test/new")).length, 12);
    assert.deepEqual(readdirSync(join(office.state, MINE)), ["calendar.ics"]);
  });
});
