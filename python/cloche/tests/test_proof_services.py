"""Mutants of services' state."""

from __future__ import annotations

import base64
import email
import json
from email.message import EmailMessage
from typing import Any

from cloche.proof.ground import Edits, parents
from cloche.proof.shapes import all_shapes
from proof_case import LINES, MutantsCase

STATE_GRADER = """
from cloche import check, criterion, grade

@criterion("right")
def right(run):
    state = run.state
    found = (len(state.calendar.events()), len(state.mail.sent()),
             len(state.mail.mailbox("ben@example.test").inbox()), len(state.memory.entities()))
    check(found == (0, 0, 0, 1), f"found {found}")
    return True

grade()
"""
ME, BOSS, COPY = "ana@example.test", "ben@example.test", "cy@example.test"


class Services(MutantsCase):
    people = json.dumps(
        {"me": ME, "people": [{"email": each, "name": each} for each in (ME, BOSS, COPY)]}
    )

    def mail(self, attached: bytes = b"") -> bytes:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = ME, BOSS, "Done"
        message["Message-ID"] = "<1@example.test>"
        message.set_content("The total is 12.50 EUR for 2026-03-02.")
        if attached:
            message.add_attachment(attached, maintype="text", subtype="plain", filename="out.txt")
        return message.as_bytes()

    def test_a_sent_mail_is_dropped_doubled_sent_to_one_more_and_says_wrong_facts(self) -> None:
        sent = {f"mail/{ME}/.Sent/cur/1:2,S": self.mail(), f"mail/{BOSS}/new/1": self.mail()}
        old = {
            f"mail/{ME}/new/0": self.mail().replace(b"<1@", b"<0@"),
            "people/people.json": self.people,
        }
        ground = self.ground({"out.txt": LINES}, state=(old, {**old, **sent}))
        mine = {m.operator: m for m in self.mutants(ground) if m.place == "state/mail"}
        self.assertLessEqual(
            {
                "mail not sent",
                "one more mail sent",
                "mail sent twice",
                "mail sent to one more",
                "number off by one",
                "date shifted",
                "old mail deleted",
                "mail left as a draft",
            },
            set(mine),
        )
        wrong = mine["date shifted"].edits.files
        self.assertEqual(len(wrong), 2)  # Both copies.
        for data in wrong.values():
            text = email.message_from_bytes(data or b"").get_payload(decode=True)
            self.assertIn(b"2026-03-03", text)

    def test_a_changed_file_is_changed_in_the_mail_that_has_it_attached(self) -> None:
        text = LINES * 4
        whole = self.mail(text.encode())
        self.assertIn(base64.encodebytes(text.encode()).strip(), whole)
        state = {f"mail/{ME}/.Sent/cur/1:2,S": whole, "people/people.json": self.people}
        ground = self.ground({"out.txt": text}, state=({}, state))
        mutant = next(m for m in self.mutants(ground) if m.operator == "line dropped")
        changed = mutant.edits.files["after", "out.txt"] or b""
        mailed = mutant.edits.files["state-after", f"mail/{ME}/.Sent/cur/1:2,S"] or b""
        self.assertIn(base64.encodebytes(changed).strip(), mailed)

    def test_an_event_is_missing_later_longer_with_others_and_twice(self) -> None:
        event = (
            "BEGIN:VEVENT\r\nUID:new\r\nSUMMARY:Workshop\r\n"
            "DTSTART;TZID=Europe/Madrid:20260311T120000\r\n"
            "DTEND;TZID=Europe/Madrid:20260311T143000\r\n"
            f"ATTENDEE:mailto:{BOSS}\r\nEND:VEVENT\r\n"
        )
        old = event.replace("UID:new", "UID:old").replace("Workshop", "Dentist")
        calendar = f"BEGIN:VCALENDAR\r\n{old}%sEND:VCALENDAR\r\n"
        path = f"calendar/{ME}/main.ics"
        state = (
            {path: calendar % "", "people/people.json": self.people},
            {path: calendar % event, "people/people.json": self.people},
        )
        ground = self.ground({}, state=state)
        mine = {m.operator: m for m in self.mutants(ground) if m.place == "state/calendar"}
        self.assertLessEqual(
            {
                "event missing",
                "event made twice",
                "event a day later",
                "event a quarter longer",
                "one more attendee",
                "attendee missing",
                "old event moved",
                "old event removed",
            },
            set(mine),
        )
        later = mine["event a day later"].edits.files["state-after", path] or b""
        self.assertIn(b"DTSTART;TZID=Europe/Madrid:20260312T120000", later)
        self.assertIn(old.encode(), later)
        utc = next(s for s in all_shapes(ground, "seed", (), [], ()) if s.shape == "utc-times")
        self.assertIn(b"DTSTART:20260311T110000Z", utc.edits.files["state-after", path] or b"")

    def test_a_service_in_which_nothing_was_made_holds_one_thing_too_many(self) -> None:
        thing = {"type": "entity", "name": "A", "entityType": "b", "observations": []}
        state: dict[str, Any] = {
            f"calendar/{ME}/main.ics": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
            f"mail/{ME}/new/0": self.mail(),
            "memory/memory.jsonl": json.dumps(thing),
            "people/people.json": self.people,
        }
        state |= {folder: None for path in state for folder in parents(path)}
        for right, verdicts in (
            ("== (0, 0, 0, 1)", [True, False, False, False]),
            ("in ((0, 0, 0, 2), (0, 1, 1, 1), (1, 0, 0, 1))", [False, True, True, True]),
        ):
            grader = STATE_GRADER.replace("== (0, 0, 0, 1)", right)
            ground = self.ground({"out.txt": LINES}, grader=grader, state=(state, state))
            mine = {m.operator: m.edits for m in self.mutants(ground)}
            made = [mine[each] for each in ("entity added", "mail sent", "event added")]
            self.assertEqual(self.passes(ground, [Edits(), *made]), verdicts)

    def test_where_there_is_no_such_service_nothing_is_made_in_it(self) -> None:
        state = {"people/people.json": self.people}
        ground = self.ground({"out.txt": LINES}, state=(state, state))
        self.assertFalse([m for m in self.mutants(ground) if m.place.startswith("state/")])

    def test_rows_of_a_site_are_missing_twice_and_wrong(self) -> None:
        row = {
            "id": "SO-2",
            "status": "placed",
            "placed_at": "2026-03-02T09:00:00Z",
            "lines": [{"sku": "A", "quantity": 4}],
            "delivery": "standard",
        }
        old = {"id": "SO-1", "status": "shipped", "lines": []}
        path = "web/shop/data.json"
        state = ({path: json.dumps({"orders": [old]})}, {path: json.dumps({"orders": [old, row]})})
        mine = [m for m in self.mutants(self.ground({}, state=state)) if m.place == f"state/{path}"]
        operators = {each.operator for each in mine}
        self.assertLessEqual(
            {
                "row missing",
                "row made twice",
                "number off by one",
                "line missing",
                "word changed",
                "old row removed",
                "old row cancelled",
                "row added",
            },
            operators,
        )
        self.assertFalse([each.where for each in mine if "placed_at" in each.where])
