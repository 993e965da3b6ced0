"""What formulas mean: the workbook is computed anew with other inputs."""

from __future__ import annotations

import unittest
from typing import Any

from cloche.depends import depends_on, means
from cloche.sheets import open_workbook
from openpyxl import Workbook
from support import FolderCase

INPUTS = ("S!A1", "S!B1")


class Depends(FolderCase):
    def book(self, formula: object) -> Any:
        workbook = Workbook()
        page = workbook.worksheets[0]
        page.title = "S"
        page.append([2, 6.25, formula])
        return open_workbook(self.workbook_file(workbook))

    def is_product(self, formula: object) -> bool:
        return means(self.book(formula), "S!C1", lambda a, b: a * b, INPUTS)

    def test_a_constant_dressed_as_a_formula_depends_on_nothing(self) -> None:
        for formula in ("=0*A1*B1+12.5", "=12.5", "=A1-A1+12.5", 12.5, "=IF(A1=2,12.5,0)*B1/B1"):
            with self.subTest(formula):
                self.assertFalse(depends_on(self.book(formula), "S!C1", INPUTS))
                self.assertFalse(self.is_product(formula))

    def test_formulas_that_say_the_same_mean_the_same(self) -> None:
        for formula in ("=A1*B1", "=$B$1*A1", "=PRODUCT(A1:B1)", "=ROUND(A1*B1,6)"):
            with self.subTest(formula):
                self.assertTrue(depends_on(self.book(formula), "S!C1", INPUTS))
                self.assertTrue(self.is_product(formula))
        self.assertFalse(self.is_product("=A1+B1"))


if __name__ == "__main__":
    unittest.main()
