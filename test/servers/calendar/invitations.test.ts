import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import PostalMime from "postal-mime";
import { NOW, seededClient } from "../people/seed.ts";
import { file, MINE } from "./files.ts";

const BENS = "calendar/ben.ode@example.test";

describe("invitations", () => {
  it("invites people and rooms: into their calendars, by mail, and the room answers", async () => {
    await using office = await seededClient("calendar");
    const made = await office.data("create_event", {
      title: "Plan",
      start: "2026-03-03T10:00",
      duration_minutes: 30,
      attendees: ["Ben Ode", "azul@rooms.test"],
      optional_attendees: ["chi.le@example.test"],
    });
    assert.deepEqual(made["rooms_accepted"], ["azul@rooms.test"]);
    assert.deepEqual(made["mailed"], ["ben.ode@example.test", "chi.le@example.test"]);
    for (const who of [
      "ana.ruiz@example.test",
      "ben.ode@example.test",
      "chi.le@example.test",
      "azul@rooms.test",
    ]) {
      const text = unfolded(
        readFileSync(join(office.state, `calendar/${who}/calendar.ics`), "utf8"),
      );
      assert.match(text, new RegExp(`UID:${made["event_id"]}`));
      assert.match(
        text,
        /ATTENDEE;CUTYPE=ROOM;CN=Room Azul;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:/,
      );
      assert.match(text, /CN=Chi Lê;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION/);
    }
    const [mail, ...more] = letters(office.state, "ben.ode@example.test");
    assert.deepEqual(more, []);
    const parsed = await PostalMime.parse(mail ?? "");
    assert.match(
      parsed.subject ?? "",
      /^Invitation: Plan @ Tue 2026-03-03 10:00–10:30 \(Europe\/Madrid\)$/,
    );
    assert.equal(parsed.date, new Date(NOW).toISOString());
    assert.deepEqual(
      parsed.attachments.map(({ mimeType, method }) => [mimeType, method]),
      [
        ["text/calendar", "REQUEST"],
        ["application/ics", undefined],
      ],
    );
    const taken = await office.data("create_event", {
      title: "Late",
      start: "2026-03-03T10:15",
      attendees: ["azul@rooms.test"],
    });
    assert.deepEqual(taken["rooms_declined"], ["azul@rooms.test"]);
    assert.match(
      String(taken["conflicts"]),
      /with Plan.*azul@rooms\.test is busy Tue 2026-03-03 10:00–10:30/,
    );
  });

  it("books nothing if one who is invited is unknown, and names the nearest", async () => {
    await using office = await seededClient("calendar");
    const refusal = await office.refusal("create_event", {
      title: "x",
      start: "2026-03-03T10:00",
      attendees: ["ben.ode@example.test", "chi.lee@example.test"],
    });
    assert.match(
      refusal,
      /Nobody here has the address chi\.lee@example\.test.*chi\.le@example\.test/,
    );
    assert.throws(() => readdirSync(join(office.state, "mail/ben.ode@example.test")));
  });

  it("answers an invitation in both calendars and tells the organizer", async () => {
    await using office = await seededClient("calendar", {
      [`${MINE}/google.ics`]: file("google.ics"),
      [`${BENS}/google.ics`]: file("google.ics"),
    });
    const id = "3f1k2j9q8s@google.com";
    assert.match(
      await office.refusal("update_event", { event_id: id, scope: "all", title: "Mine now" }),
      /ben\.ode@example\.test organizes/,
    );
    await office.data("respond_to_invitation", {
      event_id: id,
      response: "accept",
      scope: "all",
      comment: "Glad to",
    });
    await office.data("respond_to_invitation", {
      event_id: id,
      response: "decline",
      scope: "this",
      occurrence: "2026-04-02T07:00:00Z",
    });
    for (const owner of [MINE, BENS]) {
      const text = unfolded(readFileSync(join(office.state, owner, "google.ics"), "utf8"));
      assert.equal(text.match(/PARTSTAT=ACCEPTED[^\n]*mailto:ana\.ruiz/gi)?.length, 2, text);
      assert.match(
        text,
        /PARTSTAT=DECLINED[^\n]*mailto:ana\.ruiz[\s\S]*RECURRENCE-ID;TZID=Europe\/Madrid:20260402T090000/i,
      );
      // What nobody touched is as it was.
      const before = unfolded(file("google.ics").toString());
      assert.ok(text.endsWith(before.slice(before.lastIndexOf("BEGIN:VEVENT"))));
    }
    const mails = await Promise.all(
      letters(office.state, "ben.ode@example.test").map((raw) => PostalMime.parse(raw)),
    );
    assert.deepEqual(
      mails.map(({ subject }) => subject?.split(":")[0]),
      ["Accepted", "Declined"],
    );
    assert.match(mails[0]?.text ?? "", /Glad to/);
    const [ics] = mails[1]?.attachments ?? [];
    assert.match(
      new TextDecoder().decode(ics?.content as ArrayBuffer),
      /METHOD:REPLY[\s\S]*RECURRENCE-ID/,
    );
    const busy = await office.data("list_events", { start: "2026-04-02", end: "2026-04-02" });
    assert.match(JSON.stringify(busy), /"my_answer":"declined"/);
  });

  it("cancels for everyone: the event stays, takes no time, and each is told", async () => {
    await using office = await seededClient("calendar");
    const made = await office.data("create_event", {
      title: "Plan",
      start: "2026-03-03T10:00",
      attendees: ["ben.ode@example.test", "azul@rooms.test"],
    });
    await office.data("cancel_event", { event_id: made["event_id"] });
    assert.equal((await office.data("list_events"))["total"], 0);
    assert.equal((await office.data("list_events", { include_cancelled: true }))["total"], 1);
    for (const who of ["ana.ruiz@example.test", "ben.ode@example.test", "azul@rooms.test"]) {
      const text = readFileSync(join(office.state, `calendar/${who}/calendar.ics`), "utf8");
      assert.match(text, /SEQUENCE:1\r\nSTATUS:CANCELLED/);
    }
    assert.match(letters(office.state, "ben.ode@example.test")[1] ?? "", /method=CANCEL/);
    const free = await office.data("check_availability", {
      people: ["azul@rooms.test"],
      start: "2026-03-03",
      end: "2026-03-03",
    });
    assert.match(JSON.stringify(free), /"free_throughout":true/);
  });

  it("writes the same bytes for the same calls", async () => {
    const texts = await Promise.all(
      [1, 2].map(async () => {
        await using office = await seededClient("calendar");
        await office.data("create_event", {
          title: "A",
          start: "2026-03-03T10:00",
          attendees: ["ben.ode@example.test"],
        });
        await office.data("create_event", {
          title: "A",
          start: "2026-03-03T10:00",
          attendees: ["ben.ode@example.test"],
        });
        const own = readFileSync(join(office.state, MINE, "calendar.ics"), "utf8");
        return [
          own,
          readdirSync(join(office.state, "mail/ben.ode@example.test/new")),
          letters(office.state, "ben.ode@example.test"),
        ];
      }),
    );
    assert.deepEqual(texts[0], texts[1]);
  });
});

function unfolded(text: string): string {
  return text.replace(/\r?\n[ \t]/g, "");
}

function letters(state: string, email: string): string[] {
  const folder = join(state, "mail", email, "new");
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));
}
