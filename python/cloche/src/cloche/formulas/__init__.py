"""Recomputes a workbook's formulas, so that no cached value has to be believed."""

from .evaluate import Evaluator
from .values import CellError, FormulaLimit, UnsupportedFormula

__all__ = ["CellError", "Evaluator", "FormulaLimit", "UnsupportedFormula"]
