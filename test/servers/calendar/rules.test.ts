import assert from "node:assert/strict";
import { describe, it } from "node:test";
import ical from "ical.js";
import { parseTree, serialize } from "../../../servers/calendar/lines.ts";
import { occurrences } from "../../../servers/calendar/occurrences.ts";
import { parseRule } from "../../../servers/calendar/rule.ts";
import { timeZoneOf } from "../../../servers/calendar/vtimezone.ts";
import { ianaZone } from "../../../servers/calendar/zones.ts";
import { missing, PYTHON_CALENDARS, python } from "../debian-programs.ts";

const skip = await missing(PYTHON_CALENDARS);

const START = Date.UTC(2026, 0, 30, 9, 30);
const SHOWN = 40;

/** Of the standard's own examples, and those that trip programs up. */
const RULES = [
  "FREQ=DAILY;COUNT=10",
  "FREQ=DAILY;INTERVAL=10;COUNT=5",
  "FREQ=DAILY;BYMONTH=1,2",
  "FREQ=DAILY;BYHOUR=9,12;BYMINUTE=0,30",
  "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH",
  "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU",
  "FREQ=WEEKLY;BYDAY=MO,FR;BYMONTH=3",
  "FREQ=WEEKLY;INTERVAL=3",
  "FREQ=MONTHLY",
  "FREQ=MONTHLY;BYMONTHDAY=31",
  "FREQ=MONTHLY;BYMONTHDAY=-3,1",
  "FREQ=MONTHLY;BYDAY=1FR",
  "FREQ=MONTHLY;BYDAY=-2MO;INTERVAL=2",
  "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
  "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
  "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
  "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3",
  "FREQ=YEARLY",
  "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
  "FREQ=YEARLY;BYMONTH=6,7",
  "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
  "FREQ=YEARLY;BYDAY=20MO",
  "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
  "FREQ=YEARLY;BYYEARDAY=1,100,-1",
  "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
  "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
  "FREQ=YEARLY;BYWEEKNO=1,-2;BYDAY=MO,SU",
  "FREQ=HOURLY;INTERVAL=3",
  "FREQ=HOURLY;BYDAY=SU;BYHOUR=8,20",
  "FREQ=MINUTELY;INTERVAL=90;COUNT=30",
  "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10",
  "FREQ=SECONDLY;INTERVAL=7201",
];

describe("recurrence rules", () => {
  it("come to the dates that Python's dateutil finds", { skip }, async () => {
    const script =
      "import sys,json,itertools\nfrom datetime import datetime\nfrom dateutil.rrule import rrulestr\n" +
      "print(json.dumps([[d.isoformat() for d in itertools.islice(rrulestr(r,dtstart=datetime(2026,1,30,9,30)),40)] for r in json.loads(sys.argv[1])]))";
    const all = await python<string[][]>(script, JSON.stringify(RULES));
    for (const [at, rule] of RULES.entries()) assert.deepEqual(found(rule), all[at], rule);
  });

  it("begin at any later moment as if they had been followed from the start", () => {
    for (const rule of RULES.filter((one) => !one.includes("COUNT"))) {
      const all = found(rule);
      const from = Date.parse(`${all[20]}Z`);
      const late = [...take(occurrences(parseRule(rule), START, { steps: 1e6 }, from), 300)];
      const shown = late
        .filter((wall) => wall >= from)
        .slice(0, 15)
        .map(text);
      assert.deepEqual(shown, all.slice(20, 35), rule);
    }
  });

  it("that never match, or match each second, end with their budget", () => {
    for (const rule of [
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=MINUTELY;BYHOUR=3;BYMINUTE=7;BYSECOND=1;BYMONTHDAY=31;BYMONTH=11",
      "FREQ=SECONDLY;COUNT=1000000000",
      "FREQ=DAILY;INTERVAL=100000;BYDAY=MO;BYMONTH=5;BYMONTHDAY=31",
      "FREQ=WEEKLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYSETPOS=-366",
    ]) {
      const walls = occurrences(parseRule(rule), START, { steps: 20_000 });
      let count = 0;
      while (!walls.next().done && count < 1e6) count++;
      assert.ok(count < 1e6, rule);
    }
  });

  it("that make no sense are refused", () => {
    for (const rule of [
      "",
      "FREQ=OFTEN",
      "FREQ=DAILY;COUNT=0",
      "FREQ=DAILY;COUNT=1;UNTIL=20260101",
      "FREQ=DAILY;BYMONTH=13",
      "FREQ=WEEKLY;BYDAY=1MO",
      "FREQ=DAILY;INTERVAL=-1",
      "FREQ=DAILY;FREQ=DAILY",
      "FREQ=DAILY;BYDAY=XX",
      "COUNT=1",
    ]) {
      assert.throws(() => parseRule(rule), rule);
    }
  });
});

describe("time zones that are written out", () => {
  const ZONES = [
    "Europe/Madrid",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Tokyo",
    "America/Santiago",
  ];

  it("are read by ical.js as they are", () => {
    for (const name of ZONES) {
      const zone = ianaZone(name);
      assert.ok(zone);
      const written = serialize([timeZoneOf(zone, Date.UTC(2026, 2, 2))]);
      const read = new ical.Timezone({
        component: new ical.Component(ical.parse(written)),
        tzid: name,
      });
      for (let at = Date.UTC(2026, 0, 1, 12); at < Date.UTC(2028, 0, 1); at += 86_400_000) {
        const local = ical.Time.fromJSDate(new Date(at + zone.offsetAt(at)), true);
        assert.equal(
          read.utcOffset(local) * 1000,
          zone.offsetAt(at),
          `${name} ${new Date(at).toISOString()}`,
        );
      }
    }
  });

  it("are read by Python's icalendar as they are", { skip }, async () => {
    const script =
      "import sys,json\nfrom datetime import datetime,timedelta\nfrom icalendar import Calendar\nout=[]\n" +
      "for text in json.loads(sys.argv[1]):\n  tz=Calendar.from_ical(text).walk('VTIMEZONE')[0].to_tz()\n" +
      "  out.append([tz.utcoffset(datetime(2026,1,1,12)+timedelta(days=d)).total_seconds() for d in range(0,600)])\nprint(json.dumps(out))";
    // The library names observances by the zone; a name it knows of itself would prove nothing.
    const texts = ZONES.map((name) => {
      const zone = ianaZone(name);
      assert.ok(zone);
      const written = serialize([
        timeZoneOf({ ...zone, id: `Test ${name}` }, Date.UTC(2026, 2, 2)),
      ]);
      return `BEGIN:VCALENDAR\r\n${written}END:VCALENDAR\r\n`;
    });
    const answer = await python<number[][]>(script, JSON.stringify(texts));
    for (const [at, offsets] of answer.entries()) {
      const zone = ianaZone(ZONES[at] ?? "");
      const own = offsets.map((_, day) => {
        const wall = Date.UTC(2026, 0, 1, 12) + day * 86_400_000;
        return (zone?.offsetAt(wall - (zone?.offsetAt(wall) ?? 0)) ?? 0) / 1000;
      });
      assert.deepEqual(offsets, own, ZONES[at]);
    }
  });
});

describe("lines of an iCalendar file", () => {
  it("come back byte for byte, however they are folded and ended", () => {
    const text =
      '\uFEFFBEGIN:VCALENDAR\r\nX-A;P="a:b;c",d:one\r\n  two\r\n\tthree\nBEGIN:VEVENT\nSUMMARY:x\\,y\nEND:VEVENT\r\nnonsense\r\nEND:VCALENDAR\r\n\r\n';
    assert.equal(serialize(parseTree(text.slice(1))), text.slice(1));
    assert.throws(
      () => parseTree("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n"),
      /END:VEVENT stands where VCALENDAR is open/,
    );
    assert.throws(() => parseTree("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"), /ends inside VEVENT/);
  });
});

function found(rule: string): string[] {
  return [...take(occurrences(parseRule(rule), START, { steps: 5e6 }), SHOWN)].map(text);
}

function* take(from: Iterable<number>, most: number): Generator<number> {
  let left = most;
  for (const one of from) {
    yield one;
    if (--left === 0) return;
  }
}

function text(wall: number): string {
  return new Date(wall).toISOString().slice(0, 19);
}
