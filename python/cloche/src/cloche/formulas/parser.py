"""From a formula's text to a tree. Excel's grammar as far as single sheets of an office need it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError
from openpyxl.utils import column_index_from_string

from .values import CellError, Scalar, UnsupportedFormula

LENGTH_LIMIT = 8_192
DEPTH_LIMIT = 64
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
_BINDING = {
    "=": 1,
    "<>": 1,
    "<": 1,
    ">": 1,
    "<=": 1,
    ">=": 1,
    "&": 2,
    "+": 3,
    "-": 3,
    "*": 4,
    "/": 4,
    "^": 5,
}
_PREFIX_BINDING = 6
_CELL = r"\$?([A-Z]{1,3})\$?([0-9]{1,7})"
_CELLS = re.compile(rf"{_CELL}(?::{_CELL})?", re.IGNORECASE)
_COLUMNS = re.compile(r"\$?([A-Z]{1,3}):\$?([A-Z]{1,3})", re.IGNORECASE)
_ROWS = re.compile(r"\$?([0-9]{1,7}):\$?([0-9]{1,7})")
_NAME = re.compile(r"[A-Za-z_\\][\w.\\]*")


@dataclass(frozen=True)
class Literal:
    """A number, text, truth value or error written in the formula; None for an empty argument."""

    value: Scalar


@dataclass(frozen=True)
class Reference:
    """Cells of a sheet (the formula's own if None)."""

    sheet: str | None
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Name:
    """A defined name."""

    name: str


@dataclass(frozen=True)
class Operation:
    """An operator with one operand (prefix, or "%") or two."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Function:
    """A call; the name in capitals, without the prefix of newer functions."""

    name: str
    arguments: tuple[Node, ...]


Node = Literal | Reference | Name | Operation | Function


def parse(formula: str) -> Node:
    """The tree of a formula that starts with "=". Raises UnsupportedFormula."""
    if len(formula) > LENGTH_LIMIT:
        raise UnsupportedFormula(
            f"the formula has {len(formula)} letters, at most {LENGTH_LIMIT} are read"
        )
    try:
        tokens = [token for token in Tokenizer(formula).items if token.type != Token.WSPACE]
    except (TokenizerError, IndexError, ValueError) as error:
        raise UnsupportedFormula(f"{formula[:200]!r} can't be read: {error}") from error
    return _Parser(formula, tokens).whole()


class _Parser:
    """Reads operators by how strongly they bind."""

    def __init__(self, formula: str, tokens: Sequence[Token]) -> None:
        self._formula = formula[:200]
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._expression(0)
        if self._at < len(self._tokens):
            raise self._unsupported(
                f"{self._tokens[self._at].value!r} where the formula should end"
            )
        return node

    def _expression(self, binding: int) -> Node:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise self._unsupported(f"nesting deeper than {DEPTH_LIMIT}")
        left = self._operand()
        while (token := self._peek()) is not None:
            if token.type == Token.OP_POST:
                self._at += 1
                left = Operation("%", (left,))
                continue
            strength = _BINDING.get(token.value.strip()) if token.type == Token.OP_IN else None
            if strength is None or strength <= binding:
                break
            self._at += 1
            left = Operation(token.value.strip(), (left, self._expression(strength)))
        self._depth -= 1
        return left

    def _operand(self) -> Node:
        token = self._next()
        if token.type == Token.OP_PRE:
            return Operation(f"u{token.value}", (self._expression(_PREFIX_BINDING),))
        if token.type == Token.PAREN and token.subtype == Token.OPEN:
            node = self._expression(0)
            self._close(Token.PAREN)
            return node
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            name = token.value[:-1].strip().upper().removeprefix("_XLFN.").removeprefix("_XLWS.")
            return Function(name, self._arguments())
        if token.type == Token.OPERAND:
            return self._literal(token)
        raise self._unsupported(repr(token.value))

    def _arguments(self) -> tuple[Node, ...]:
        arguments: list[Node] = []
        if self._is_close(self._peek()):
            self._at += 1
            return ()
        while True:
            token = self._peek()
            empty = token is not None and (token.type == Token.SEP or self._is_close(token))
            arguments.append(Literal(None) if empty else self._expression(0))
            token = self._next()
            if self._is_close(token):
                return tuple(arguments)
            if token.type != Token.SEP:
                raise self._unsupported(f"{token.value!r} between arguments")

    def _literal(self, token: Token) -> Node:
        value = token.value
        if token.subtype == Token.TEXT:
            return Literal(value[1:-1].replace('""', '"'))
        if token.subtype == Token.NUMBER:
            return Literal(float(value))
        if token.subtype == Token.LOGICAL:
            return Literal(value.upper() == "TRUE")
        if token.subtype == Token.ERROR:
            return Literal(CellError(value.upper()))
        return reference(value) or self._name(value)

    def _name(self, value: str) -> Node:
        if not _NAME.fullmatch(value):
            raise self._unsupported(f"the reference {value!r}")
        return Name(value)

    def _is_close(self, token: Token | None) -> bool:
        return token is not None and token.type == Token.FUNC and token.subtype == Token.CLOSE

    def _close(self, kind: str) -> None:
        token = self._next()
        if token.type != kind or token.subtype != Token.CLOSE:
            raise self._unsupported(f"{token.value!r} where a bracket should close")

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        token = self._peek()
        if token is None:
            raise self._unsupported("an end in the middle")
        self._at += 1
        return token

    def _unsupported(self, what: str) -> UnsupportedFormula:
        return UnsupportedFormula(f"the formula {self._formula!r} has {what}")


def reference(text: str) -> Reference | None:
    """Cells, whole columns or whole rows, with or without a sheet; None for anything else."""
    sheet, bang, cells = text.rpartition("!")
    if bang and sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    elif bang and not re.fullmatch(r"[\w.]+", sheet):
        return None
    if "[" in sheet:
        return None
    name = sheet if bang else None
    if match := _CELLS.fullmatch(cells):
        left, top, right, bottom = match.groups()
        return _ordered(name, left, top, right or left, bottom or top)
    if match := _COLUMNS.fullmatch(cells):
        return _ordered(name, match[1], "1", match[2], str(LAST_ROW))
    if match := _ROWS.fullmatch(cells):
        return _ordered(name, "A", match[1], "XFD", match[2])
    return None


def _ordered(sheet: str | None, left: str, top: str, right: str, bottom: str) -> Reference | None:
    columns = sorted(
        (column_index_from_string(left.upper()), column_index_from_string(right.upper()))
    )
    rows = sorted((int(top), int(bottom)))
    if rows[0] < 1 or rows[1] > LAST_ROW or columns[1] > LAST_COLUMN:
        return None
    return Reference(sheet, rows[0], columns[0], rows[1], columns[1])
