"""Generators: equal input gives equal bytes, and mistakes are said."""

from __future__ import annotations

import hashlib
import json
import unittest
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from cloche.build import email_text, save_zip
from cloche.canonical import canonical_json
from support import NOW, FolderCase, run_module, write_text

GENERATOR = """
import docx, openpyxl
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph
from cloche.build import email_text, save_document, save_pdf, save_text, save_workbook

def generate(variant):
    book = openpyxl.Workbook()
    for name in {"b", "a", "c", str(variant.rng.random())}:
        pass
    book.active.append([variant.rng.randrange(10**6), variant.now.replace(tzinfo=None)])
    save_workbook(book, variant.workspace / "book.xlsx", variant.now)
    document = docx.Document()
    document.add_paragraph("hello")
    save_document(document, variant.workspace / "note.docx", variant.now)
    save_pdf(variant.workspace / "page.pdf", [Paragraph("hi", getSampleStyleSheet()["Normal"])])
    people = {"sender": "A <a@example.org>", "to": "b@example.org"}
    mail = email_text(**people, subject="s", date=variant.now, body="x")
    save_text(variant.workspace / "mails" / "m.eml", mail)
    variant.variables["month"] = "March"
    variant.variables["count"] = 3
    return {"z": [1, 2.0, (True, None)], "a": "\u00e9"}
"""


class RunGenerator(FolderCase):
    def generate(
        self, script: str, seed: int = 5, hash_seed: str = "0", place: str = "g"
    ) -> dict[str, Any]:
        root = self.folder / place
        write_text(root / "task" / "generate.py", script)
        request = {
            "nonce": "n",
            "root": str(root),
            "variant": 1,
            "seed": seed,
            "now": NOW.isoformat(),
        }
        lines, _, code = run_module("run_generator", request, seed=hash_seed)
        self.assertEqual((len(lines), code, lines[0].pop("nonce")), (1, 0, "n"))
        made: dict[str, Any] = lines[0]
        return made

    def digests(self, place: str) -> dict[str, str]:
        root = self.folder / place / "out"
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def test_a_generator_that_is_wrong_is_said_in_a_sentence(self) -> None:
        for script, words in (
            ("x = 1", "defines no function generate"),
            ("def generate(v): return {1, 2}", "returned is a set"),
            ("def generate(v): return {'a': [float('nan')]}", r"returned.a\[0\] is nan"),
            ("def generate(v): return {1: 2}", "keys are strings"),
            ("def generate(v): return 2**60", "2\\^53"),
            ("def generate(v): v.variables['a'] = True", "is True; names are strings"),
            ("def generate(v): 1/0", "ZeroDivisionError"),
            ("def generate(v): raise SystemExit(0)", "SystemExit"),
            ("def generate(v):\n a = []; a.append(a); return a", "recursion"),
        ):
            with self.subTest(script):
                self.assertRegex(self.generate(script)["failed"], words)

    def test_state_lies_beside_the_workspace(self) -> None:
        script = """
def generate(variant):
    (variant.state / "mail").mkdir()
    (variant.state / "mail" / "1").write_text("hello")
    return sorted(path.name for path in variant.workspace.parent.iterdir())
"""
        self.assertEqual(self.generate(script), {"ok": True})
        out = self.folder / "g" / "out"
        self.assertEqual((out / "state" / "mail" / "1").read_text(), "hello")
        self.assertEqual(json.loads((out / "expected.json").read_text()), ["state", "workspace"])

    def test_the_same_seed_gives_the_same_bytes_with_any_hash_seed(self) -> None:
        self.assertEqual(self.generate(GENERATOR, hash_seed="0", place="one"), {"ok": True})
        self.assertEqual(self.generate(GENERATOR, hash_seed="9", place="two"), {"ok": True})
        self.assertEqual(self.digests("one"), self.digests("two"))
        self.generate(GENERATOR, seed=6, place="three")
        self.assertNotEqual(self.digests("one"), self.digests("three"))
        self.assertEqual(len(self.digests("one")), 6)

    def test_it_leaves_expected_and_variables_as_canonical_json(self) -> None:
        self.generate(GENERATOR)
        out = self.folder / "g" / "out"
        self.assertEqual((out / "expected.json").read_text(), '{"a":"é","z":[1,2,[true,null]]}')
        self.assertEqual(
            json.loads((out / "variables.json").read_text()), {"count": "3", "month": "March"}
        )

    def test_a_static_fixture_is_there_to_build_on(self) -> None:
        write_text(self.folder / "g" / "out" / "workspace" / "a.txt", "static")
        script = "def generate(v): return (v.workspace / 'a.txt').read_text() + str(v.number)"
        self.assertEqual(self.generate(script), {"ok": True})
        self.assertEqual((self.folder / "g" / "out" / "expected.json").read_text(), '"static1"')


class Writers(FolderCase):
    def test_a_zip_depends_on_nothing_but_its_arguments(self) -> None:
        made = []
        for zone in (UTC, timezone(timedelta(hours=5))):
            save_zip(self.folder / "a.zip", {"b": b"1", "a": b"2"}, NOW.astimezone(zone))
            made.append((self.folder / "a.zip").read_bytes())
        self.assertEqual(made[0], made[1])
        with self.assertRaisesRegex(ValueError, "before 1980"):
            save_zip(self.folder / "a.zip", {}, datetime(1979, 1, 1))

    def test_a_mails_headers_hold_one_line_each(self) -> None:
        given = {"sender": "A <a@x.org>", "to": ["b@x.org", "c@x.org"], "date": NOW, "body": "Hi\n"}
        text = email_text(subject="Grüße", **given)  # type: ignore[arg-type]
        self.assertEqual(text.count("\n\n"), 1)
        self.assertIn("To: b@x.org, c@x.org\n", text)
        self.assertIn("Date: Mon, 02 Mar 2026 09:00:00 +0000\n", text)
        with self.assertRaisesRegex(ValueError, "line end"):
            email_text(subject="a\nBcc: x", **given)  # type: ignore[arg-type]


class Canonical(unittest.TestCase):
    def test_numbers_are_written_as_the_host_writes_them(self) -> None:
        for value, text in ((1.0, "1"), (-0.0, "0"), (0.1, "0.1"), (1e21, "1e+21"),
                            (1e20, "1" + "0" * 20),
                             (1e-6, "0.000001"), (1.5e-7, "1.5e-7"), (-2.5e30, "-2.5e+30"),
                            (5e-324, "5e-324"),
                             (1234.5678, "1234.5678"), (100, "100"), (True, "true")):  # fmt: skip
            self.assertEqual(canonical_json(value), text)

    def test_keys_are_sorted_by_utf_16_units(self) -> None:
        self.assertEqual(
            canonical_json({"\U0001f600": 1, "\uffff": 2, "a": 3}), '{"a":3,"😀":1,"\uffff":2}'
        )

    def test_half_a_surrogate_pair_is_refused(self) -> None:
        for value in ("\ud800", {"\udfff": 1}, ["x", "\ud800"]):
            with self.assertRaises(ValueError):
                canonical_json(value)
