"""What a criterion may return, and what makes no grader."""

from __future__ import annotations

import unittest
from fractions import Fraction
from typing import Any

from cloche.criteria import GraderMistake, collect, criterion, grade, score_of


class ScoreOf(unittest.TestCase):
    def test_none_is_an_error_and_no_pass(self) -> None:
        with self.assertRaisesRegex(TypeError, "returned NoneType"):
            score_of(None)

    def test_what_is_no_fraction_is_an_error(self) -> None:
        for wrong in (float("nan"), float("inf"), -0.1, 1.0001, 2, Fraction(3, 2)):
            with self.subTest(wrong), self.assertRaises(ValueError):
                score_of(wrong)
        others: tuple[Any, ...] = ("1", "", [], {}, [True], (True,), (True, 1), (1, "a", "b"))
        for no in (*others, (None, "why")):
            with self.subTest(no), self.assertRaises(TypeError):
                score_of(no)

    def test_yes_and_no_become_one_and_nothing_with_a_reason(self) -> None:
        self.assertEqual(score_of(True), (1, "holds"))
        self.assertEqual(score_of(False), (0, "does not hold"))
        self.assertEqual(score_of((True, "all 12 rows")), (1, "all 12 rows"))
        self.assertIs(type(score_of(True)[0]), int)

    def test_a_fraction_stays_one_however_near_to_the_whole(self) -> None:
        self.assertEqual(score_of(Fraction(1, 4))[0], 0.25)
        self.assertEqual(score_of((0.5, "half")), (0.5, "half"))
        self.assertLess(score_of(Fraction(10**30 - 1, 10**30))[0], 1)
        self.assertEqual(score_of(1.0), (1, "holds"))


class Collect(unittest.TestCase):
    def test_a_grader_without_criteria_is_refused(self) -> None:
        with self.assertRaisesRegex(GraderMistake, "no criteria"):
            collect(grade)

    def test_two_criteria_of_one_name_are_refused_by_name(self) -> None:
        def load() -> None:
            for name in ("a", "b", "a", "c", "c "):
                criterion(name)(bool)
            grade()

        with self.assertRaisesRegex(GraderMistake, "one name: 'a', 'c'"):
            collect(load)

    def test_a_grader_that_does_not_end_with_grade_is_refused(self) -> None:
        with self.assertRaisesRegex(GraderMistake, "does not end with grade"):
            collect(lambda: criterion("a")(bool))

        def late() -> None:
            criterion("a")(bool)
            grade()
            criterion("b")(bool)

        with self.assertRaisesRegex(GraderMistake, "after grade"):
            collect(late)

    def test_names_and_weights_are_checked_where_they_stand(self) -> None:
        for name in ("", "  ", "two\nlines", "x" * 201, 3):
            with self.subTest(name), self.assertRaises(GraderMistake):
                criterion(name)  # type: ignore[arg-type]
        for weight in (0, -1, True, "1", float("nan"), float("inf"), 1001, None):
            with self.subTest(weight), self.assertRaises(GraderMistake):
                criterion("a", weight=weight)  # type: ignore[arg-type]

    def test_what_must_not_happen_can_not_be_all_of_it(self) -> None:
        def load() -> None:
            criterion("a", must_not=True)(bool)
            criterion("b", must_not=True, cap=0)(bool)
            grade()

        with self.assertRaisesRegex(GraderMistake, "who does nothing would pass"):
            collect(load)

    def test_caps_belong_to_what_must_not_happen_and_have_no_weight(self) -> None:
        for wrong in (
            {"cap": 0.5},
            {"must_not": True, "cap": 1},
            {"must_not": True, "cap": -0.1},
            {"must_not": True, "cap": True},
            {"must_not": True, "cap": "0"},
            {"must_not": True, "cap": 0, "weight": 2},
            {"must_not": "gate"},
            {"asks": ""},
            {"asks": "x" * 1001},
            {"asks": ["Do it."]},
        ):
            with self.subTest(wrong), self.assertRaises(GraderMistake):
                criterion("a", **wrong)

    def test_what_is_declared_is_polarity_cap_and_sentence(self) -> None:
        def load() -> None:
            criterion("a", weight=2, asks="Write  it\ndown.")(bool)
            criterion("b", must_not=True, cap=Fraction(1, 4))(bool)
            grade()

        first, second = collect(load)
        self.assertEqual(
            first.declared(),
            {"name": "a", "weight": 2, "polarity": "must", "cap": None, "asks": "Write it down."},
        )
        self.assertEqual((second.polarity, second.cap), ("must_not", 0.25))

    def test_criteria_keep_the_order_of_their_definition(self) -> None:
        def load() -> None:
            for name in ("z", "a", "m"):
                criterion(name, weight=2)(bool)
            grade()

        self.assertEqual([each.name for each in collect(load)], ["z", "a", "m"])
