import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { seededClient } from "../people/seed.ts";
import { calendar, event, file, MINE } from "./files.ts";

const BENS = "calendar/ben.ode@example.test";
const VERDE = "calendar/verde@rooms.test/calendar.ics";

describe("the calendar surface", () => {
  it("says what is missing where nobody is set up", async () => {
    await using office = await seededClient("calendar", { "people/people.json": "" });
    rmSync(join(office.state, "people/people.json"));
    assert.match(await office.refusal("list_calendars"), /Nobody is set up here/);
    assert.match(
      await office.refusal("create_event", { title: "x", start: "2026-03-03" }),
      /no calendars/,
    );
  });

  it("starts with no calendar at all and makes one for the first event", async () => {
    await using office = await seededClient("calendar");
    assert.deepEqual((await office.data("list_calendars"))["calendars"], []);
    await office.data("create_event", { title: "First", start: "2026-03-03T10:00" });
    const text = readFileSync(join(office.state, MINE, "calendar.ics"), "utf8");
    assert.match(text, /^BEGIN:VCALENDAR\r\nVERSION:2\.0\r\n/);
    assert.match(text, /DTSTART;TZID=Europe\/Madrid:20260303T100000\r\n/);
    const [only] = (await office.data("list_events"))["events"] as Record<string, unknown>[];
    assert.equal(only?.["start"], "2026-03-03T10:00:00+01:00");
    assert.equal(only?.["end"], "2026-03-03T11:00:00+01:00");
  });

  it("reads calendars of Google, Evolution and Outlook with their time zones", async () => {
    await using office = await seededClient("calendar", {
      [`${MINE}/google.ics`]: file("google.ics"),
      [`${MINE}/evolution.ics`]: file("evolution.ics"),
      [`${MINE}/outlook.ics`]: file("outlook.ics"),
    });
    const { events, problems } = await office.data("list_events", {
      start: "2026-03-02",
      end: "2026-04-12",
    });
    assert.deepEqual(problems, []);
    const rows = (events as Record<string, unknown>[]).map(
      (row) => `${row["start"]} ${row["title"]}`,
    );
    assert.deepEqual(rows, [
      "2026-03-05T14:30:00+01:00 Arzttermin",
      "2026-03-06T15:00:00+01:00 New York call",
      // New York has summer time by now, Madrid not yet.
      "2026-03-09T15:00:00+01:00 Review with Boston",
      "2026-03-13T14:00:00+01:00 New York call",
      "2026-03-20T14:00:00+01:00 New York call",
      "2026-03-23T09:00:00+01:00 Café planning ☕ weekly",
      "2026-03-27T14:00:00+01:00 New York call",
      "2026-03-30T11:00:00+02:00 Café planning ☕ weekly (late)",
      "2026-04-02 Easter break",
      "2026-04-02T09:00:00+02:00 Café planning ☕ weekly",
      "2026-04-03T15:00:00+02:00 New York call",
      "2026-04-06T09:00:00+02:00 Café planning ☕ weekly",
      "2026-04-09T09:00:00+02:00 Café planning ☕ weekly",
    ]);
  });

  it("shows others' calendars only if they are shared, and never their private events", async () => {
    const shared = calendar(
      "X-CLOCHE-SHARED:TRUE",
      event("s1", "DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "SUMMARY:Open"),
      event(
        "s2",
        "DTSTART:20260303T110000Z",
        "DTEND:20260303T120000Z",
        "SUMMARY:Surgery",
        "CLASS:PRIVATE",
      ),
    );
    const own = calendar(
      event("p1", "DTSTART:20260304T090000Z", "DTEND:20260304T100000Z", "SUMMARY:Secret plan"),
    );
    await using office = await seededClient("calendar", {
      [`${BENS}/team.ics`]: shared,
      [`${BENS}/own.ics`]: own,
    });
    const text = await office.text("list_events");
    assert.match(text, /Open/);
    assert.doesNotMatch(text, /Surgery|Secret/);
    assert.doesNotMatch(await office.text("get_event", { event_id: "s2" }), /Surgery/);
    assert.match(await office.refusal("get_event", { event_id: "p1" }), /no event with the id/);
    assert.match(await office.refusal("cancel_event", { event_id: "s1" }), /read only/);
    const answer = await office.data("check_availability", {
      people: ["ben.ode@example.test"],
      start: "2026-03-03",
      end: "2026-03-04",
    });
    assert.deepEqual(answer["availability"], [
      {
        email: "ben.ode@example.test",
        free_throughout: false,
        busy: [
          {
            start: "2026-03-03T10:00:00+01:00",
            end: "2026-03-03T11:00:00+01:00",
            tentative: false,
          },
          {
            start: "2026-03-03T12:00:00+01:00",
            end: "2026-03-03T13:00:00+01:00",
            tentative: false,
          },
          {
            start: "2026-03-04T10:00:00+01:00",
            end: "2026-03-04T11:00:00+01:00",
            tentative: false,
          },
        ],
      },
    ]);
  });

  it("finds slots that suit everyone, each in their own working hours, with a room", async () => {
    await using office = await seededClient("calendar", {
      [`${MINE}/calendar.ics`]: calendar(
        event("m", "DTSTART:20260303T140000Z", "DTEND:20260303T150000Z", "SUMMARY:Busy"),
      ),
      [VERDE]: calendar(event("v", "DTSTART;VALUE=DATE:20260303", "SUMMARY:Closed")),
    });
    const found = await office.data("find_free_time", {
      duration_minutes: 60,
      attendees: ["chi.le@example.test"],
      rooms: ["any"],
      seats: 10,
      start: "2026-03-03",
      end: "2026-03-04",
      everyones_hours: true,
      working_hours: "09:00-17:30",
      limit: 2,
    });
    assert.deepEqual(found["slots"], [
      {
        start: "2026-03-04T15:00:00+01:00",
        end: "2026-03-04T16:00:00+01:00",
        free_rooms: ["verde@rooms.test"],
      },
      {
        start: "2026-03-04T15:15:00+01:00",
        end: "2026-03-04T16:15:00+01:00",
        free_rooms: ["verde@rooms.test"],
      },
    ]);
    assert.match(
      await office.text("find_free_time", {
        duration_minutes: 600,
        start: "2026-03-03",
        end: "2026-03-04",
      }),
      /No slot suits everyone/,
    );
  });
});
