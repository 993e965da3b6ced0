"""Mailboxes as graders see them."""

from __future__ import annotations

import json
import mailbox
import unittest
from email.message import EmailMessage
from typing import Any

from cloche import Failed
from cloche.dates import parse_datetime
from cloche.run import Run
from cloche.state.mail import Mail
from support import FolderCase, write_tree

PEOPLE = {
    "me": "ana@example.test",
    "people": [
        {"name": "Ana", "email": "ana@example.test"},
        {"name": "Bo", "email": "Bo@example.test"},
    ],
}
ME = "ana@example.test"


def message(subject: str, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Bo Lind <Bo@example.test>"
    made["To"] = "Ana <ana@example.test>, bo@example.test"
    made["Subject"] = subject
    made["Date"] = "Mon, 02 Mar 2026 09:00:00 +0100"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content("Hello\n")
    return made


class Mailboxes(FolderCase):
    def mail(self, files: dict[str, Any]) -> Mail:
        root = self.run_folder()
        after = {f"mail/{path}": data for path, data in files.items()}
        write_tree(root, "state-before", {})
        write_tree(root, "state-after", {"people/people.json": json.dumps(PEOPLE), **after})
        return Run(root).state.mail

    def test_a_message_that_is_too_large_fails_the_criterion(self) -> None:
        mail = self.mail({f"{ME}/cur/1:2,S": b"Subject: x\n\n" + b"x" * (65 * 1024 * 1024)})
        with self.assertRaisesRegex(Failed, "at most"):
            mail.inbox()

    def test_odd_messages_are_read_as_far_as_they_go(self) -> None:
        mail = self.mail(
            {
                f"{ME}/cur/1:2,": b"",
                f"{ME}/cur/2:2,": b"Subject: =?x-none?q?a?= b\nDate: never\nFrom: <<>>\n\nx",
                f"{ME}/cur/3:2,": b"Subject: caf\xe9\nContent-Type: text/plain; charset=no\n\n\xff",
                f"{ME}/cur/4:2,": b"Content-Type: multipart/mixed\n\nno boundary",
                f"{ME}/tmp/5": b"half",
                f"{ME}/cur/.6": b"hidden",
            }
        )
        self.assertEqual(4, len(mail.inbox()))
        for each in mail.inbox():
            self.assertIsNone(each.date)
            self.assertIsInstance(each.text + each.subject + each.sender, str)
            self.assertIsInstance(each.attachments, list)

    def test_nothing_is_no_message(self) -> None:
        mail = self.mail({})
        self.assertEqual(([], [], []), (mail.inbox(), mail.sent(), mail.owners()))
        self.assertEqual([], mail.mailbox("bo@example.test").messages())

    def test_folders_flags_and_order(self) -> None:
        mail = self.mail(
            {
                f"{ME}/new/2.b": message("second").as_bytes(),
                f"{ME}/cur/1.a:2,FRS": message("first").as_bytes(),
                f"{ME}/.Sent/cur/3.c:2,S": message("sent", Bcc="cy@example.test").as_bytes(),
                f"{ME}/.Projects.2026/cur/4.d:2,": message("deep").as_bytes(),
                "Bo@example.test/new/5.e": message("his").as_bytes(),
            }
        )
        first, second = mail.inbox()
        self.assertEqual("first", first.subject)
        self.assertTrue(first.seen and first.flagged and first.replied)
        self.assertEqual(("second", False), (second.subject, second.seen))
        self.assertEqual(["INBOX", "Projects/2026", "Sent"], mail.mailbox().folders())
        self.assertEqual("deep", mail.folder("projects.2026")[0].subject)
        (sent,) = mail.sent()
        self.assertEqual(
            {"ana@example.test", "bo@example.test", "cy@example.test"}, sent.recipients
        )
        self.assertEqual("his", mail.mailbox("BO@example.test").inbox()[0].subject)
        self.assertEqual(parse_datetime("2026-03-02T08:00Z"), first.date)
        self.assertEqual("bo@example.test", first.sender)

    def test_what_pythons_mailbox_writes(self) -> None:
        box = mailbox.Maildir(self.folder / "box")
        made = message("Caf\u00e9 \u2615", Message_ID="<a@x>", References="<r1@x> <r2@x>")
        made.add_alternative("<p>Hello</p>", subtype="html")
        made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a \u00e4.pdf")
        made.add_attachment(message("inner"))
        made.add_attachment("METHOD:REQUEST", subtype="calendar", filename="invite.ics")
        box.add(made)
        (data,) = (path.read_bytes() for path in (self.folder / "box" / "new").iterdir())
        (read,) = self.mail({f"{ME}/new/1": data}).inbox()
        self.assertEqual("Caf\u00e9 \u2615", read.subject)
        self.assertEqual(("Hello", "<p>Hello</p>"), (read.text.strip(), read.html.strip()))
        self.assertEqual(["<r1@x>", "<r2@x>"], read.references)
        kinds = [(each.name, each.type) for each in read.attachments]
        wanted = [("a \u00e4.pdf", "application/pdf"), ("", "message/rfc822")]
        self.assertEqual([*wanted, ("invite.ics", "text/calendar")], kinds)
        pdf = read.attachment("a \u00e4.pdf")
        assert pdf is not None
        self.assertEqual(b"%PDF", pdf.content)
        self.assertIn("inner", read.attachments[1].text())
        self.assertIn("METHOD:REQUEST", read.invitation or "")


if __name__ == "__main__":
    unittest.main()
