import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import PostalMime from "postal-mime";
import type { OfficeClient } from "../office-client.ts";
import { seededClient } from "../people/seed.ts";

const BEN = "ben.ode@example.test";
const CHI = "chi.le@example.test";
const AZUL = "azul@rooms.test";
const SECOND = "2026-03-11T09:00:00Z";

describe("people asked to, or left out of, one occurrence of a series", () => {
  it("cancels that occurrence for one who is left out: calendar, time and mail", async () => {
    await using office = await seededClient("calendar");
    const event_id = await weekly(office, [BEN, CHI, AZUL]);
    const before = { ben: mails(office, BEN), chi: mails(office, CHI) };
    const left = await office.data("update_event", {
      ...{ event_id, scope: "this", occurrence: SECOND },
      remove_attendees: [BEN, AZUL],
    });
    assert.deepEqual([...(left["mailed"] as string[])].sort(), [BEN, CHI]);
    for (const who of [BEN, AZUL]) {
      const [series, ...more] = vevents(office, who);
      assert.match(series ?? "", /^EXDATE;TZID=Europe\/Madrid:20260311T100000$/m);
      assert.deepEqual(more, []);
      assert.deepEqual(await busyDays(office, who), ["04", "18", "25"]);
    }
    assert.deepEqual(await busyDays(office, CHI), ["04", "11", "18", "25"]);
    assert.doesNotMatch(vevents(office, CHI)[1] ?? "", /CANCELLED|ben\.ode|azul/);
    const toBen = await news(office, BEN, before.ben);
    assert.deepEqual(
      toBen.map(({ subject, method }) => [subject, method]),
      [["Cancelled event: Plan @ Wed 2026-03-11 10:00–11:00 (Europe/Madrid)", "CANCEL"]],
    );
    const ics = toBen[0]?.ics ?? "";
    assert.match(ics, /^RECURRENCE-ID;TZID=Europe\/Madrid:20260311T100000$/m);
    assert.match(ics, /^STATUS:CANCELLED$/m);
    assert.match(ics, /^SEQUENCE:1$/m);
    assert.match(ics, /mailto:ben\.ode@example\.test/);
    assert.doesNotMatch(ics, /FREQ=WEEKLY/);
    const toChi = await news(office, CHI, before.chi);
    assert.deepEqual(
      toChi.map(({ method }) => method),
      ["REQUEST"],
    );
  });

  it("tells one who is left out when it would have been, not where it is moved to", async () => {
    await using office = await seededClient("calendar");
    const event_id = await weekly(office, [BEN, CHI]);
    const before = mails(office, BEN);
    await office.data("update_event", {
      ...{ event_id, scope: "this", occurrence: SECOND },
      ...{ start: "2026-03-12T15:00", title: "Secret", remove_attendees: [BEN] },
    });
    const [mail, ...more] = await news(office, BEN, before);
    assert.deepEqual(more, []);
    assert.match(mail?.subject ?? "", /^Cancelled event: Plan @ Wed 2026-03-11 10:00/);
    assert.doesNotMatch(`${mail?.text}${mail?.ics}${vevents(office, BEN).join("")}`, /Secret/);
    assert.deepEqual(await busyDays(office, BEN), ["04", "18", "25"]);
    assert.deepEqual(await busyDays(office, CHI), ["04", "12", "18", "25"]);
  });

  it("keeps it cancelled whatever else changes, and tells that person no more of it", async () => {
    await using office = await seededClient("calendar");
    const event_id = await weekly(office, [BEN, CHI]);
    const one = { event_id, scope: "this", occurrence: SECOND };
    await office.data("update_event", { ...one, remove_attendees: [BEN] });
    const before = mails(office, BEN);
    await office.data("update_event", { ...one, location: "Porch" });
    assert.deepEqual(await news(office, BEN, before), []);
    assert.deepEqual(await busyDays(office, BEN), ["04", "18", "25"]);
    await office.data("update_event", { event_id, scope: "all", start: "2026-03-04T12:00" });
    assert.deepEqual(await busyDays(office, BEN), ["04", "18", "25"]);
    assert.deepEqual(
      (await news(office, BEN, before)).map(({ method, ics }) => [
        method,
        /RECURRENCE-ID/.test(ics),
        /EXDATE;TZID=Europe\/Madrid:20260311T120000/.test(ics),
      ]),
      [["REQUEST", false, true]],
    );
    await office.data("cancel_event", { ...one, occurrence: "2026-03-11T11:00:00Z" });
    assert.equal((await news(office, BEN, before)).length, 1);
  });

  it("asks them again when they are added again", async () => {
    await using office = await seededClient("calendar");
    const event_id = await weekly(office, [BEN, CHI]);
    const one = { event_id, scope: "this", occurrence: SECOND };
    await office.data("update_event", { ...one, remove_attendees: [BEN] });
    const before = mails(office, BEN);
    await office.data("update_event", { ...one, add_attendees: [BEN] });
    assert.deepEqual(await busyDays(office, BEN), ["04", "11", "18", "25"]);
    assert.doesNotMatch(vevents(office, BEN).join(""), /CANCELLED/);
    const again = await news(office, BEN, before);
    assert.deepEqual(
      again.map(({ subject }) => subject?.split(":")[0]),
      ["Invitation"],
    );
  });

  it("gives one who is asked to one occurrence that one and not the series", async () => {
    await using office = await seededClient("calendar");
    const event_id = await weekly(office, [CHI]);
    const one = { event_id, scope: "this", occurrence: SECOND };
    const asked = await office.data("update_event", { ...one, add_attendees: [BEN, AZUL] });
    assert.deepEqual(asked["rooms_accepted"], [AZUL]);
    for (const who of [BEN, AZUL]) {
      assert.deepEqual(await busyDays(office, who), ["11"]);
      assert.equal(vevents(office, who).length, 1);
      assert.doesNotMatch(vevents(office, who)[0] ?? "", /RRULE/);
    }
    const [mail, ...more] = await news(office, BEN, 0);
    assert.deepEqual([mail?.method, more], ["REQUEST", []]);
    await office.data("update_event", { ...one, remove_attendees: [BEN, AZUL] });
    for (const who of [BEN, AZUL]) assert.deepEqual(await busyDays(office, who), []);
    const [, cancel, ...rest] = await news(office, BEN, 0);
    assert.deepEqual([cancel?.method, rest], ["CANCEL", []]);
    assert.deepEqual(await busyDays(office, CHI), ["04", "11", "18", "25"]);
  });
});

/** Wednesdays at 10:00 in Madrid, four times from 2026-03-04 on. */
async function weekly(office: OfficeClient, attendees: readonly string[]): Promise<unknown> {
  const made = await office.data("create_event", {
    ...{ title: "Plan", start: "2026-03-04T10:00", attendees },
    recurrence: "FREQ=WEEKLY;COUNT=4",
  });
  return made["event_id"];
}

function vevents(office: OfficeClient, who: string): string[] {
  const text = readFileSync(join(office.state, `calendar/${who}/calendar.ics`), "utf8");
  return unfolded(text).match(/BEGIN:VEVENT[\s\S]*?END:VEVENT/g) ?? [];
}

/** Days of March on which this person has something. */
async function busyDays(office: OfficeClient, who: string): Promise<string[]> {
  const { availability } = await office.data("check_availability", {
    ...{ people: [who], start: "2026-03-01", end: "2026-03-31" },
  });
  const [{ busy }] = availability as [{ busy: { start: string }[] }];
  return busy.map(({ start }) => start.slice(8, 10));
}

function folder(office: OfficeClient, who: string): string {
  return join(office.state, "mail", who, "new");
}

function mails(office: OfficeClient, who: string): number {
  return readdirSync(folder(office, who)).length;
}

interface News {
  readonly subject: string | undefined;
  readonly text: string | undefined;
  readonly method: string | undefined;
  readonly ics: string;
}

/** The letters after the first so many. */
async function news(office: OfficeClient, who: string, after: number): Promise<News[]> {
  const names = readdirSync(folder(office, who)).sort().slice(after);
  return await Promise.all(
    names.map(async (name) => {
      const raw = readFileSync(join(folder(office, who), name), "utf8");
      const { subject, text, attachments } = await PostalMime.parse(raw);
      const part = attachments.find(({ mimeType }) => mimeType === "text/calendar");
      const ics = new TextDecoder().decode(part?.content as ArrayBuffer);
      return { subject, text, method: part?.method, ics: unfolded(ics) };
    }),
  );
}

function unfolded(text: string): string {
  return text.replace(/\r?\n[ \t]/g, "").replaceAll("\r\n", "\n");
}
