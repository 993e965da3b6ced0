"""Calendars as graders see them."""

from __future__ import annotations

import json
import unittest
from datetime import date, timedelta
from typing import Any

from cloche import Failed
from cloche.dates import parse_datetime
from cloche.run import Run
from cloche.state.calendar import Calendar
from support import FolderCase, write_tree

PEOPLE = {
    "me": "Ana@example.test",
    "people": [
        {"name": "Ana", "email": "ana@example.test", "timezone": "Europe/Madrid"},
        {"name": "Bo", "email": "bo@example.test"},
    ],
}
SERIES = [
    "BEGIN:VEVENT",
    "UID:series",
    "DTSTAMP:20260101T000000Z",
    "DTSTART;TZID=Europe/Madrid:20260323T090000",
    "DTEND;TZID=Europe/Madrid:20260323T093000",
    "RRULE:FREQ=WEEKLY;UNTIL=20260413T070000Z;BYDAY=MO",
    "EXDATE;TZID=Europe/Madrid:20260330T090000",
    "SUMMARY:Caf\u00e9\\, weekly",
    "ORGANIZER;CN=Ana:mailto:Ana@example.test",
    "ATTENDEE;CN=Bo;PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:mailto:bo@example.test",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "TRIGGER:-PT15M",
    "END:VALARM",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "UID:series",
    "DTSTAMP:20260101T000000Z",
    "RECURRENCE-ID;TZID=Europe/Madrid:20260406T090000",
    "DTSTART;TZID=Europe/Madrid:20260407T120000",
    "DTEND;TZID=Europe/Madrid:20260407T123000",
    "SUMMARY:Moved",
    "END:VEVENT",
]


def ics(*lines: str) -> str:
    all_lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *lines, "END:VCALENDAR", ""]
    return "\r\n".join(all_lines)


def event(uid: str, *lines: str) -> list[str]:
    return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]


class Calendars(FolderCase):
    def calendar(self, files: dict[str, Any]) -> Calendar:
        root = self.run_folder()
        after = {f"calendar/{path}": text for path, text in files.items()}
        write_tree(root, "state-before", {})
        write_tree(root, "state-after", {"people/people.json": json.dumps(PEOPLE), **after})
        return Run(root).state.calendar

    def test_what_is_broken_fails_the_criterion(self) -> None:
        for text, words in (
            ("", "is empty"),
            ("PK\x03\x04", "no calendar that can be read"),
            (ics(*SERIES)[:300], "does not end with END:VCALENDAR"),
            (ics(*event("x", "SUMMARY:No start")), "'No start' has no UID or no DTSTART"),
            (ics(*event("x", "DTSTART:20260230T090000")), "no DTSTART that can be read"),
        ):
            with self.subTest(text), self.assertRaisesRegex(Failed, words):
                self.calendar({"ana@example.test/a.ics": text}).events()

    def test_an_event_that_recurs_each_second_fails_where_it_is_followed(self) -> None:
        text = ics(*event("x", "DTSTART:19700101T000000Z", "RRULE:FREQ=SECONDLY", "SUMMARY:Tick"))
        calendar = self.calendar({"ana@example.test/a.ics": text})
        self.assertEqual(1, len(calendar.events()))
        with self.assertRaisesRegex(Failed, "'Tick' that recurs secondly"):
            calendar.events(expand=("2026-03-01", "2026-03-02"))

    def test_nothing_is_no_event(self) -> None:
        calendar = self.calendar({})
        self.assertEqual(([], [], []), (calendar.events(), calendar.owners(), calendar.calendars()))
        self.assertIsNone(calendar.event("x"))

    def test_an_event_says_all_that_its_file_says(self) -> None:
        calendar = self.calendar({"Ana@example.test/work.ics": ics(*SERIES)})
        self.assertEqual(["work"], calendar.calendars())
        found = calendar.event("series")
        assert found is not None
        self.assertEqual("Caf\u00e9, weekly", found.title)
        self.assertEqual(parse_datetime("2026-03-23T08:00:00Z"), found.start)
        self.assertEqual(timedelta(minutes=30), found.duration)
        self.assertEqual("ana@example.test", found.organizer)
        self.assertEqual("declined", found.answer_of("BO@example.test"))
        self.assertTrue(found.attendees[0].optional)
        self.assertEqual("FREQ=WEEKLY;UNTIL=20260413T070000Z;BYDAY=MO", found.recurrence)
        self.assertEqual((15, True, False), (found.reminder_minutes, found.busy, found.cancelled))
        self.assertEqual([], calendar.events("bo@example.test"))

    def test_occurrences_keep_their_time_on_the_clock(self) -> None:
        calendar = self.calendar({"ana@example.test/work.ics": ics(*SERIES)})
        events = calendar.events(expand=("2026-03-01", "2026-05-01"))
        self.assertEqual(
            ["2026-03-23T09:00:00+01:00", "2026-04-07T12:00:00+02:00", "2026-04-13T09:00:00+02:00"],
            [each.start.isoformat() for each in events],
        )
        self.assertEqual("Moved", events[1].title)
        self.assertEqual(1, len(calendar.events(expand=("2026-04-13T07:15Z", "2026-04-13T08:00Z"))))

    def test_days_floating_times_and_zones_of_the_files_own(self) -> None:
        zone = ["BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:16010101T000000"]
        zone += ["TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE"]
        text = ics(
            *zone,
            *event("days", "DTSTART;VALUE=DATE:20260305", "DTEND;VALUE=DATE:20260307"),
            *event("float", "DTSTART:20260306T090000", "DURATION:PT45M", "TRANSP:TRANSPARENT"),
            *event("own", "DTSTART;TZID=Own:20260306T120000", "STATUS:CANCELLED"),
            *event("daily", "DTSTART;VALUE=DATE:20260310", "RRULE:FREQ=DAILY;COUNT=3"),
        )
        calendar = self.calendar({"ana@example.test/a.ics": text})
        days, floating, *_ = calendar.events()
        self.assertEqual((date(2026, 3, 5), date(2026, 3, 7)), (days.start, days.end))
        self.assertTrue(days.all_day)
        self.assertEqual(parse_datetime("2026-03-06T08:00Z"), floating.start)
        self.assertEqual(parse_datetime("2026-03-06T08:45Z"), floating.end)
        self.assertFalse(floating.busy)
        own = calendar.event("own")
        assert own is not None
        self.assertEqual((parse_datetime("2026-03-06T09:00Z"), True), (own.start, own.cancelled))
        self.assertNotIn("own", [each.uid for each in calendar.events()])
        later = calendar.events(expand=("2026-03-08", "2026-03-12"))
        self.assertEqual([10, 11], [each.start.day for each in later])


if __name__ == "__main__":
    unittest.main()
