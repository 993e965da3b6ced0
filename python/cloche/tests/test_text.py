"""Text, dates and identifiers compared as a person would."""

from __future__ import annotations

import unittest
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from cloche.dates import from_serial, parse_date, parse_datetime, same_day, same_instant, to_serial
from cloche.html_text import text_of_html
from cloche.identifiers import bare, is_isbn, isbn13, to_isbn10, to_isbn13
from cloche.text import compare_lists, normalise, numbers_in, same_text, word_in


class CompareLists(unittest.TestCase):
    def test_duplicates_do_not_collapse(self) -> None:
        difference = compare_lists(["a", "b"], ["a", "a", "b"])
        self.assertEqual((difference.missing, difference.extra), ([], ["a"]))
        self.assertEqual(str(compare_lists(["a", "a"], ["a"])), "1 missing: 'a'")

    def test_both_directions_count(self) -> None:
        self.assertEqual(
            str(compare_lists(["a", "b"], ["b", "c"])), "1 missing: 'a'; 1 too many: 'c'"
        )
        self.assertTrue(compare_lists(["a"], []))
        self.assertTrue(compare_lists([], ["a"]))

    def test_order_counts_only_where_asked(self) -> None:
        self.assertFalse(compare_lists(["a", "b"], ["b", "a"]))
        difference = compare_lists(["a", "b"], ["b", "a"], ordered=True)
        self.assertEqual(str(difference), "order: place 1 has 'b', expected 'a'")

    def test_blanks_are_forgiven_and_letters_are_not(self) -> None:
        self.assertFalse(compare_lists(["ADD 1"], ["ADD  1 \r"]))
        self.assertTrue(compare_lists(["ADD 1"], ["add 1"]))

    def test_a_difference_stays_readable(self) -> None:
        text = str(compare_lists([], ["x" * 1000] * 5000))
        self.assertLess(len(text), 2000)
        self.assertIn("and 4990 more", text)


class Words(unittest.TestCase):
    def test_a_number_inside_another_is_not_found(self) -> None:
        for text in ("312", "123", "12.5", "1.12", "112,000", "12,5", "a12", "12th"):
            self.assertFalse(word_in("12", text), text)
        for text in ("12", "(12)", "is 12.", "12, 13", "$12", "12-13"):
            self.assertTrue(word_in("12", text), text)

    def test_a_word_inside_another_is_not_found(self) -> None:
        self.assertFalse(word_in("cat", "The catalogue"))
        self.assertTrue(word_in("cat", "The CAT."))
        self.assertFalse(word_in("cat", "The CAT.", case=True))
        self.assertTrue(word_in("main  hall", "In the main\nhall!"))
        with self.assertRaises(ValueError):
            word_in("", "x")

    def test_numbers_stand_by_themselves(self) -> None:
        self.assertEqual(
            numbers_in(
                "$1,234.50 and 7, -3; 12% of 2026-03-02, 978-0-306-40615-7, A12, 3rd, 1.2.3"
            ),
            [Decimal("1234.50"), Decimal(7), Decimal(-3), Decimal(12)],
        )
        self.assertEqual(numbers_in("5-3"), [])
        self.assertEqual(numbers_in(".5"), [])

    def test_normalising_forgives_what_nobody_sees(self) -> None:
        self.assertEqual(normalise("\ufeffa \r\nb\u00a0c\r\n\n"), "a\nb c")
        self.assertEqual(normalise("e\u0301"), "\u00e9")
        self.assertTrue(same_text("A  b\n", "a b", case=False))
        self.assertFalse(same_text("A b", "a b"))


class Dates(unittest.TestCase):
    def test_what_is_no_date_is_not_guessed(self) -> None:
        for wrong in (
            "",
            "3/4/2026",
            "today",
            "2026-13-01",
            "2026-02-30",
            True,
            -5,
            60,
            1e9,
            float("nan"),
        ):
            with self.subTest(wrong), self.assertRaises(ValueError):
                parse_datetime(wrong)
            self.assertFalse(same_day(wrong, "2026-03-02"))
            self.assertFalse(same_instant(wrong, wrong))
        self.assertFalse(same_day(None, None))  # type: ignore[arg-type]

    def test_times_are_instants_and_not_texts(self) -> None:
        self.assertTrue(same_instant("2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00"))
        self.assertFalse(same_instant("2026-03-02T09:00:00Z", "2026-03-02T09:00:00+01:00"))
        self.assertTrue(
            same_instant("2026-03-02T09:00", "2026-03-02T09:00:30Z", tolerance=timedelta(minutes=1))
        )

    def test_serial_numbers_are_days(self) -> None:
        self.assertEqual(from_serial(46083), datetime(2026, 3, 2))
        self.assertEqual(from_serial(46083.375), datetime(2026, 3, 2, 9))
        self.assertEqual(to_serial(date(2026, 3, 2)), 46083)
        self.assertEqual(to_serial(datetime(2026, 3, 2, 9)), 46083.375)
        self.assertTrue(same_day(46083.9, "2026-03-02T23:00:00+05:00"))
        self.assertEqual(parse_date(datetime(2026, 3, 2, tzinfo=UTC)), date(2026, 3, 2))


class Isbns(unittest.TestCase):
    def test_a_wrong_check_digit_makes_no_isbn(self) -> None:
        for wrong in ("9780306406158", "0306406153", "978030640615", "4006381333931", "", None,
                      True,
                       9.5, "97803064061570", "٩٧٨٠٣٠٦٤٠٦١٥٧",
                      "X306406152"):  # fmt: skip
            self.assertIsNone(isbn13(wrong), wrong)
            self.assertFalse(is_isbn(wrong))

    def test_every_writing_of_one_isbn_is_the_same(self) -> None:
        for text in ("978-0-306-40615-7", "9780306406157", "0-306-40615-2", "ISBN 0306406152",
                     "ISBN-13: 978 0 306 40615 7", "isbn-10 0306406152", "ISBN-13 9780306406157",
                     "978\u20110\u2011306\u201140615\u20117", 9780306406157,
                     9780306406157.0):  # fmt: skip
            self.assertEqual(isbn13(text), "9780306406157", text)
        self.assertEqual(isbn13("0-8044-2957-x"), "9780804429573")
        self.assertEqual(to_isbn10("9780804429573"), "080442957X")
        self.assertIsNone(to_isbn10("9791090636071"))
        self.assertEqual(to_isbn13("0306406152"), "9780306406157")
        self.assertEqual(bare(" isbn: 0-306"), "0306")


class OfPages(unittest.TestCase):
    def test_a_letters_number_is_read_however_long_it_is(self) -> None:
        self.assertEqual(text_of_html("&#0000000065;&#x0041;&#66;"), "AAB")
        self.assertEqual(text_of_html(f"a&#{'9' * 5000};b&#x{'f' * 5000};"), "a\ufffdb\ufffd")
