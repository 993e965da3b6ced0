import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zoneFile } from "../../../servers/calendar/zone-file.ts";
import { missing, ZONE_FILES } from "../debian-programs.ts";

const HOUR = 3_600_000;
const ZONES = [
  ...["Europe/Madrid", "Europe/Dublin", "Europe/London", "Africa/Lagos"],
  ...["America/New_York", "America/St_Johns", "America/Santiago", "America/Sao_Paulo"],
  ...["America/Argentina/Buenos_Aires", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo"],
  ...["Asia/Jerusalem", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham"],
  ...["Pacific/Kiritimati", "Antarctica/Troll", "Etc/GMT+5", "UTC"],
];

describe("a time zone from the system's file", {
  skip: await missing(ZONE_FILES),
}, () => {
  it("has the offsets that Node's own tables have, before and after the file's last change", () => {
    for (const name of ZONES) {
      const offsetAt = zoneFile(name);
      assert.ok(offsetAt, name);
      const format = new Intl.DateTimeFormat("en-US", {
        ...{ timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric" },
        ...{ day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
      });
      const spans = [
        { from: Date.UTC(1996, 0, 1), to: Date.UTC(2030, 0, 1), step: 37 * HOUR },
        { from: Date.UTC(2036, 0, 1), to: Date.UTC(2039, 0, 1), step: 11 * HOUR },
        { from: Date.UTC(2061, 0, 1), to: Date.UTC(2063, 0, 1), step: 13 * HOUR },
      ];
      for (const { from, to, step } of spans) {
        for (let utc = from; utc < to; utc += step) {
          const wall = Date.parse(`${format.format(utc).replace(",", "")} UTC`);
          assert.equal(offsetAt(utc), wall - utc, `${name} ${new Date(utc).toISOString()}`);
        }
      }
    }
  });

  it("changes at the very second", () => {
    const offsetAt = zoneFile("Europe/Madrid");
    for (const year of [2026, 2060]) {
      const spring = [...Array(7).keys()]
        .map((day) => Date.UTC(year, 2, 31 - day, 1))
        .find((utc) => new Date(utc).getUTCDay() === 0);
      assert.deepEqual(
        [offsetAt?.((spring ?? 0) - 1_000), offsetAt?.(spring ?? 0)],
        [HOUR, 2 * HOUR],
      );
    }
  });

  it("is none for what is no zone's name", () => {
    const names = ["right/Europe/Madrid", "posixrules", "zone.tab", "Europe", "europe/madrid"];
    for (const name of [...names, "Europe/Nowhere", "../Europe/Madrid", "Europe/../UTC", ""]) {
      assert.equal(zoneFile(name), undefined, name);
    }
  });
});
