"""Mutants of what services keep as JSON: the rows of web sites, and the lines of a memory."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from .changes import Mutant, short, some
from .ground import Edits, Ground
from .papers import leaves, other_leaf, replaced, said

STATE = "state-after"
ROWS, LEAVES, OLD = 4, 14, 3
#: What the service makes itself, and nobody who works there decides.
_OWN = re.compile(
    r"(^|\.)(id|status|stock|session|basket|key|counters?|\w+_at|\w*total\w*|\w+_cents)$"
)
_ID = re.compile(r"^(id|barcode|sku|card|key)$")


def record_mutants(ground: Ground, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of every site's data.json: by row, by value, and of rows that were there."""
    for path in ground.files(STATE):
        if path.startswith("web/") and path.endswith("/data.json"):
            yield from _of_site(ground, path, rng)


def _of_site(ground: Ground, path: str, rng: random.Random) -> Iterator[Mutant]:
    try:
        data = json.loads(ground.read(STATE, path))
        old = json.loads(ground.before(STATE, path) or b"{}")
    except ValueError:
        return
    tables = {name: rows for name, rows in data.items() if isinstance(rows, list) and rows}
    for table, rows in tables.items():
        if table in ("sessions", "baskets", "changes"):
            continue
        known = [json.dumps(row, sort_keys=True) for row in old.get(table) or []]
        new = [at for at, row in enumerate(rows) if json.dumps(row, sort_keys=True) not in known]
        ids = {_id(row) for row in old.get(table) or []}
        maker = _Rows(ground, path, data, table, ids)
        for at in some(new, ROWS, rng):
            if _id(rows[at]) not in ids:
                yield from maker.whole_row(at)
            yield from maker.values(at, rng)
        kept = [at for at in range(len(rows)) if at not in new]
        if new or any(isinstance(row, dict) and "status" in row for row in rows):
            for at in some(kept, OLD if new else 1, rng):
                yield from maker.old_row(at)


class _Rows:
    def __init__(
        self, ground: Ground, path: str, data: dict[str, Any], table: str, ids: set[str]
    ) -> None:
        self._path = path
        self._place = ground.place(STATE, path)
        self._data = data
        self._table = table
        self._rows: list[Any] = data[table]
        self._ids = ids
        self._old = _old_rows(ground, path, table)

    def whole_row(self, at: int) -> Iterator[Mutant]:
        """A row that was added, missing and twice."""
        row, shown = self._rows[at], short(json.dumps(self._rows[at], ensure_ascii=False))
        without = self._rows[:at] + self._rows[at + 1 :]
        yield self._mutant("partial", at, "row missing", shown, without)
        yield self._mutant("extra", at, "row made twice", shown, [*self._rows, _twin(row)])

    def values(self, at: int, rng: random.Random) -> Iterator[Mutant]:
        """Values of a row that was added or changed, wrong; lines of it missing."""
        row = self._rows[at]
        was = dict(leaves(self._old.get(_id(row), {})))
        mine = [
            (way, leaf)
            for way, leaf in leaves(row)
            if not _OWN.search(said(way)) and was.get(way, ()) != leaf and leaf not in (None, "")
        ]
        for way, leaf in some(mine, LEAVES, rng):
            wrong = other_leaf(leaf, rng)
            if wrong:
                rows = [*self._rows[:at], replaced(row, way, wrong[0]), *self._rows[at + 1 :]]
                change = f"{short(leaf)} → {short(wrong[0])}"
                yield self._mutant("wrong", at, wrong[1], change, rows, said(way))
        for key, value in row.items() if isinstance(row, dict) else ():
            if value == self._old.get(_id(row), {}).get(key):
                continue
            if isinstance(value, list) and value and isinstance(value[0], dict):
                for family, operator, items in (
                    ("partial", "line missing", value[:-1]),
                    ("extra", "line made twice", [*value, value[-1]]),
                ):
                    rows = [*self._rows[:at], {**row, key: items}, *self._rows[at + 1 :]]
                    shown = short(json.dumps(value[-1], ensure_ascii=False))
                    yield self._mutant(family, at, operator, shown, rows, key)

    def old_row(self, at: int) -> Iterator[Mutant]:
        """A row that was there before, removed, cancelled, and another one like it."""
        row, shown = self._rows[at], short(json.dumps(self._rows[at], ensure_ascii=False))
        if not isinstance(row, dict):
            return
        without = self._rows[:at] + self._rows[at + 1 :]
        if "status" in row:
            yield self._mutant("forbidden", at, "old row removed", shown, without)
            rows = [*self._rows[:at], {**row, "status": "cancelled"}, *self._rows[at + 1 :]]
            yield self._mutant("forbidden", at, "old row cancelled", shown, rows)
            yield self._mutant("extra", at, "row added", shown, [*self._rows, _twin(row)])

    def _mutant(
        self, family: Any, at: int, operator: str, change: str, rows: list[Any], within: str = ""
    ) -> Mutant:
        data = json.dumps({**self._data, self._table: rows}, ensure_ascii=False).encode()
        name = _id(self._rows[at]) or str(at + 1)
        where = ".".join(filter(None, [f"{self._table}[{name}]", within]))
        return Mutant(
            family, self._place, where, operator, change, Edits({(STATE, self._path): data})
        )


def _old_rows(ground: Ground, path: str, table: str) -> dict[str, Any]:
    try:
        data = json.loads(ground.before(STATE, path) or b"{}")
    except ValueError:
        return {}
    return {_id(row): row for row in data.get(table) or []}


def _twin(row: dict[str, Any]) -> dict[str, Any]:
    """The row, by another name if its name is a text."""
    named = {key: value for key, value in row.items() if _ID.match(key) and isinstance(value, str)}
    return {**row, **{key: f"{value}9" for key, value in named.items()}}


def _id(row: Any) -> str:
    if not isinstance(row, dict):
        return ""
    return next((str(value) for key, value in row.items() if _ID.match(key)), "")
