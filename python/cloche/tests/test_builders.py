"""The builders of generators, read back with what graders read by."""

from __future__ import annotations

import unittest
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cloche.build import PAGE_BREAK, CalendarFile, People, Person, Sheet, email_text
from cloche.build.blocks import Block
from cloche.documents import open_document, pdf_text
from cloche.files import Tree
from cloche.run_generator import Variant
from cloche.sheets import open_workbook
from cloche.state import State
from support import NOW, FolderCase, write_tree

MADRID = ZoneInfo("Europe/Madrid")
ANA = Person("Ana Ruiz", "ana@example.org")
BO = Person("Bo Lind; Ltd", "bo@example.org")
ELM = Person("Elm", "room.elm@example.org", seats=8)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=MADRID)


class BuilderCase(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        self.variant = self.made("v")

    def made(self, place: str) -> Variant:
        import random

        root = self.folder / place
        for name in ("people", "mail", "calendar", "search"):
            (root / "state" / name).mkdir(parents=True)
        (root / "workspace").mkdir()
        workspace, state, rng = root / "workspace", root / "state", random.Random(1)
        return Variant(number=1, seed=1, now=NOW, rng=rng, workspace=workspace, state=state)

    def state(self) -> State:
        """What graders would see of the state."""
        root = self.variant.state
        files = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
        write_tree(self.folder, "state", files)
        return State(Tree.load(self.folder / "state.json", self.folder / "state", agents_work=True))

    def bytes_of(self, variant: Variant) -> dict[str, bytes]:
        root = variant.workspace.parent
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


class Files(BuilderCase):
    def test_what_is_not_in_the_workspace_is_refused(self) -> None:
        for path in ("../x.txt", "/etc/x", "a/../../x"):
            with self.subTest(path), self.assertRaisesRegex(ValueError, "not in the workspace"):
                self.variant.text(path, "x")
        self.variant.text("/workspace/a/b.txt", "x")
        self.assertTrue((self.variant.workspace / "a" / "b.txt").exists())

    def test_a_workbook_is_its_sheets_rows_and_formats(self) -> None:
        day = date(2026, 3, 2)
        sheet = Sheet(
            ["Day", "Amount"],
            [[day, 1.5], [day, "=B4*2"]],
            formats={"Amount": "0.00"},
            above=["Budget", ""],
            total=["Total", "=SUM(B4:B5)"],
        )
        self.variant.workbook("b.xlsx", {"One": sheet, "Two": [["A"], ["x"]]})
        data = (self.variant.workspace / "b.xlsx").read_bytes()
        book = open_workbook(self.file("b.xlsx", data), now=NOW)
        self.assertEqual(book.names, ["One", "Two"])
        one = book.sheet("One")
        self.assertEqual([one.value(cell) for cell in ("A1", "A3", "B6")], ["Budget", "Day", 4.5])
        self.assertEqual(one.formula("B6"), "=SUM(B4:B5)")
        self.assertEqual(book.sheet("Two").rows(), [["A"], ["x"]])
        with self.assertRaisesRegex(ValueError, "one sheet at least"):
            self.variant.workbook("c.xlsx", {})

    def test_documents_and_pdfs_are_made_of_the_same_blocks(self) -> None:
        blocks: list[Block] = [
            "# Report",
            "Some <b> & more.",
            "- an item",
            [["Name", "Count"], ["Elm", 3]],
            PAGE_BREAK,
            "## End",
        ]
        self.variant.document("r.docx", blocks)
        self.variant.pdf("r.pdf", blocks)
        word = open_document(self.file("r.docx", (self.variant.workspace / "r.docx").read_bytes()))
        self.assertEqual(word.tables[0], [["Name", "Count"], ["Elm", "3"]])
        text = pdf_text(self.file("r.pdf", (self.variant.workspace / "r.pdf").read_bytes()))
        for words in ("Report", "Some <b> & more.", "an item", "Elm", "End"):
            self.assertIn(words, word.text)
            self.assertIn(words, text)

    def test_the_same_calls_make_the_same_bytes(self) -> None:
        def fill(variant: Variant) -> dict[str, bytes]:
            variant.people(ANA, [BO, ELM])
            variant.workbook("b.xlsx", {"S": [["A"], [1]]})
            variant.document("r.docx", ["# R"])
            variant.pdf("r.pdf", ["# R"])
            variant.mail.send(ANA, [BO], subject="s", at=at(2, 9), body="b", attached={"a": b"1"})
            variant.meeting(ANA, [BO, ELM], "m", at(3, 9), at(3, 10))
            variant.corpus("c").add("a.md", "A", "text")
            return self.bytes_of(variant)

        self.assertEqual(fill(self.made("one")), fill(self.made("two")))


class World(BuilderCase):
    def test_a_service_that_the_task_does_not_have_is_named(self) -> None:
        (self.variant.state / "search").rmdir()
        with self.assertRaisesRegex(ValueError, "no service that keeps search"):
            self.variant.corpus("handbook")

    def test_people_are_read_back_as_they_were_said(self) -> None:
        self.variant.people(ANA, [BO, ELM])
        self.assertEqual(list(self.variant.people()), list(People(ANA, [BO, ELM])))
        people = self.state().people
        self.assertEqual(people.me and people.me.email, ANA.email)
        self.assertEqual([each.email for each in people.rooms], [ELM.email])
        self.assertEqual((ANA.first, self.variant.people().rooms), ("Ana", [ELM]))

    def test_a_mail_that_is_sent_lies_with_all_who_got_it(self) -> None:
        self.variant.people(ANA, [BO, ELM])
        first = self.variant.mail.send(
            BO, [ANA, ELM], subject="Plan", at=at(2, 9), body="One.\n", attached={"p.pdf": b"%PDF"}
        )
        second = self.variant.mail.deliver(
            ANA,
            sender="X <x@example.net>",
            subject="Re: Plan",
            at=at(2, 10),
            body="Two.",
            cc=[BO],
            answers=[first],
            flags="SF",
        )
        mail = self.state().mail
        new, old = mail.inbox()
        self.assertEqual((new.message_id, new.subject, new.text.strip()), (first, "Plan", "One."))
        self.assertEqual((new.seen, new.to), (False, [ANA.email, ELM.email]))
        self.assertEqual((new.attachments[0].name, new.attachments[0].content), ("p.pdf", b"%PDF"))
        self.assertEqual((old.message_id, old.in_reply_to), (second, first))
        self.assertTrue(old.seen and old.flagged)
        self.assertEqual(old.date, at(2, 10))
        self.assertEqual([each.message_id for each in mail.mailbox(BO.email).sent()], [first])
        self.assertNotIn(ELM.email, mail.owners())

    def test_a_header_with_a_line_end_and_a_name_that_breaks_out_are_refused(self) -> None:
        said = {"sender": ANA, "to": BO, "subject": "a\nBcc: x", "date": NOW, "body": ""}
        with self.assertRaisesRegex(ValueError, "header Subject has a line end"):
            email_text(**said)  # type: ignore[arg-type]
        with self.assertRaisesRegex(ValueError, "can't be named"):
            email_text(**{**said, "subject": "a"}, attached={'a"b': b""})  # type: ignore[arg-type]

    def test_a_series_has_its_exceptions(self) -> None:
        self.variant.people(ANA, [BO])
        calendar = self.variant.calendar(ANA)
        calendar.event(
            "Team; weekly",
            at(2, 9),
            at(2, 10),
            repeat="FREQ=WEEKLY;COUNT=4",
            without=[at(9, 9)],
            moved={at(16, 9): (at(17, 11), at(17, 12))},
        )
        calendar.event("Off", date(2026, 3, 5), date(2026, 3, 7), busy=False)
        calendar.event("Call", NOW, NOW + timedelta(hours=1), status="tentative", location="a, b")
        span = (datetime(2026, 3, 1, tzinfo=UTC), at(31, 23))
        found = self.state().calendar.events(ANA.email, expand=span)
        known = {(each.title, each.start) for each in calendar.events(*span)}
        self.assertEqual(known, {(each.title, each.start) for each in found})
        starts = [each.start for each in found if each.title == "Team; weekly"]
        self.assertEqual(starts, [at(2, 9), at(17, 11), at(23, 9)])
        off = next(each for each in found if each.title == "Off")
        self.assertEqual((off.all_day, off.busy, off.end), (True, False, date(2026, 3, 7)))
        call = next(each for each in found if each.title == "Call")
        self.assertEqual((call.status, call.location, call.start), ("tentative", "a, b", NOW))

    def test_a_meeting_stands_in_the_calendars_of_all_but_who_declined(self) -> None:
        self.variant.people(ANA, [BO, ELM])
        uid = self.variant.meeting(
            ANA, [(BO, "declined"), ELM], "Planning of something long " * 4, at(3, 9), at(3, 10)
        )
        calendar = self.state().calendar
        event = calendar.event(uid, ANA.email)
        assert event is not None
        self.assertEqual(event.title, "Planning of something long " * 4)
        self.assertEqual(event.organizer, ANA.email)
        self.assertEqual(event.emails, {ANA.email, BO.email, ELM.email})
        self.assertEqual(event.answer_of(BO.email), "declined")
        self.assertEqual(calendar.owners(), [ANA.email, ELM.email])

    def test_events_without_a_zone_or_that_end_before_they_begin_are_refused(self) -> None:
        path = Path(self.variant.state) / "calendar" / "a.ics"
        calendar = CalendarFile(path, ANA, NOW)
        for start, end, words in (
            (datetime(2026, 3, 2), datetime(2026, 3, 3), "has no time zone"),
            (at(2, 9), at(2, 9), "begins at"),
            (date(2026, 3, 2), at(3, 9), "begins at"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                calendar.event("x", start, end)
        with self.assertRaisesRegex(ValueError, "status is one of"):
            calendar.event("x", at(2, 9), at(2, 10), status="maybe")
        with self.assertRaisesRegex(ValueError, "can't have answered"):
            calendar.event("x", at(2, 9), at(2, 10), attendees=[(BO, "yes")])

    def test_a_corpus_has_titles_and_fields_and_no_document_twice(self) -> None:
        corpus = self.variant.corpus("handbook", title="Handbook", fields={"year": "of issue"})
        corpus.add("leave/care.md", "Care: leave", "Two days.", year=2026, tags=["a", "b, c"])
        with self.assertRaisesRegex(ValueError, "already"):
            corpus.add("leave/care.md", "Again", "x")
        with self.assertRaisesRegex(ValueError, "ends with .md"):
            corpus.add("../x.md", "Out", "x")
        (document,) = self.state().search.documents("handbook")
        head = '---\ntitle: "Care: leave"\nyear: 2026\ntags: ["a", "b, c"]\n---\n\n'
        self.assertEqual(document.text(), f"{head}Two days.\n")


if __name__ == "__main__":
    unittest.main()
