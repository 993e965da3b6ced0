"""Rows under a header, found by their keys and compared both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .cells import as_number, cells_equal, plain
from .criteria import Failed
from .text import shown, squeeze

Row = dict[str, Any]
Reject = Callable[[str], NoReturn]


def header_key(name: object) -> str:
    """A column's or sheet's name without capitals and needless blanks."""
    return squeeze(str(name)).casefold() if name is not None else ""


def _fail(reason: str) -> NoReturn:
    raise Failed(reason)


class Table:
    """Rows under a header. Columns are found whatever their capitals and blanks."""

    def __init__(self, columns: list[str], rows: list[Row], reject: Reject = _fail) -> None:
        #: The header, as it is written, single-spaced.
        self.columns = columns
        #: One dict a row, by the names in ``columns``.
        self.rows = rows
        self.reject = reject

    @classmethod
    def of(
        cls,
        header: Sequence[object],
        body: Sequence[Sequence[object]],
        first_row: int,
        reject: Reject,
        wanted: Iterable[str] = (),
    ) -> Table:
        """Makes a table of a sheet's rows; names in ``wanted`` are spelt as there."""
        spelling = {header_key(name): name for name in wanted}
        names = [
            spelling.get(header_key(name), squeeze(str(name)) if name is not None else "")
            for name in header
        ]
        keys = [header_key(name) for name in names if name]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            reject(f"has two columns of one name: {shown(twice)}")
        rows = []
        for number, line in enumerate(body, first_row):
            beyond = [
                value
                for name, value in zip(_padded(names, len(line)), line)
                if not name and value is not None
            ]
            if beyond:
                reject(f"row {number} holds {shown(beyond)} under no header")
            row = {
                name: line[at] if at < len(line) else None for at, name in enumerate(names) if name
            }
            if any(plain(value) is not None for value in row.values()):
                rows.append(row)
        return cls([name for name in names if name], rows, reject)

    def name_of(self, column: str) -> str:
        """The column's name as this table writes it. Rejects the file if there is none."""
        wanted = header_key(column)
        for name in self.columns:
            if header_key(name) == wanted:
                return name
        self.reject(f"has no column {column!r}; it has {shown(self.columns)}")

    def column(self, name: str) -> list[Any]:
        """All values of a column, from the top."""
        known = self.name_of(name)
        return [row[known] for row in self.rows]

    def by(self, *key: str) -> dict[Any, Row]:
        """Rows by the value of a column (or by a tuple of several).

        Numbers and their texts are one key, as are texts that differ in blanks only. A key that is
        blank or stands twice rejects the file: no row is lost in silence.
        """
        return keyed(self.rows, [self.name_of(name) for name in key], self.reject)

    def __len__(self) -> int:
        return len(self.rows)


def keyed(rows: Iterable[Row], key: Sequence[str], reject: Reject) -> dict[Any, Row]:
    """Rows by key; ``reject`` is called for a blank key and for one that stands twice."""
    found: dict[Any, Row] = {}
    twice: list[str] = []
    for row in rows:
        parts = tuple(key_of(row[name]) for name in key)
        if None in parts:
            reject(f"a row has no {' and '.join(key)}: {_brief(row)}")
        name = parts[0] if len(parts) == 1 else parts
        if name in found:
            twice.append(_named(name))
        found[name] = row
    if twice:
        reject(f"{' and '.join(key)} stands more than once: {shown(sorted(set(twice)))}")
    return found


def key_of(value: object) -> Any:
    """A value as a key: 12, 12.0 and "12" are one, "012" is another; None for a blank."""
    value = plain(value)
    if isinstance(value, bool) or value is None:
        return value
    number = as_number(value)
    if number is None:
        return value
    text = str(value)
    coded = isinstance(value, str) and text[:1] == "0" and text[1:2].isdigit()
    return text if coded else int(number) if number.is_integer() else number


@dataclass(frozen=True)
class TableDifference:
    """How two tables differ; false if they don't."""

    missing: list[Any] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    #: (key, column, expected, found)
    wrong: list[tuple[Any, str, Any, Any]] = field(default_factory=list)
    #: Columns that the found table lacks or has beside the expected ones.
    missing_columns: list[str] = field(default_factory=list)
    extra_columns: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.missing, self.extra, self.wrong, self.missing_columns, self.extra_columns))

    def __str__(self) -> str:
        if not self:
            return "the tables are equal"
        parts = [
            f"{len(items)} {words}: {shown([_named(item) for item in items])}"
            for items, words in (
                (self.missing_columns, "columns missing"),
                (self.extra_columns, "columns too many"),
                (self.missing, "rows missing"),
                (self.extra, "rows too many"),
            )
            if items
        ]
        if self.wrong:
            cells = [
                f"{_named(key)} {column}: {found!r:.80} instead of {expected!r:.80}"
                for key, column, expected, found in self.wrong
            ]
            parts.append(f"{len(cells)} cells wrong: {shown(cells)}")
        return "; ".join(parts)


def compare_tables(
    expected: Iterable[Mapping[str, Any]],
    found: Table | Iterable[Mapping[str, Any]],
    *,
    key: str | Sequence[str],
    tolerances: Mapping[str, float] | None = None,
    columns: Sequence[str] | None = None,
) -> TableDifference:
    """Compares rows by key, both ways: missing and extra rows, wrong cells, missing columns.

    ``columns`` says which are compared (default: all of the expected rows; then a column that the
    found table has beside them counts too). ``tolerances`` gives the absolute tolerance of a
    column, half a unit of the rounding asked for; columns without one are exact. Duplicate keys in
    ``found`` fail the criterion, in ``expected`` they are a ValueError.
    """
    keys = [key] if isinstance(key, str) else list(key)
    wanted = [dict(row) for row in expected]
    names = (
        list(columns)
        if columns is not None
        else list(dict.fromkeys(name for row in wanted for name in row))
    )
    names = list(dict.fromkeys([*keys, *names]))
    table = found if isinstance(found, Table) else _table(found)
    unknown = set(tolerances or {}) - set(names)
    if unknown:
        raise ValueError(f"tolerances for columns that are not compared: {shown(sorted(unknown))}")
    spelt = {header_key(name): name for name in table.columns}
    lacking = [name for name in names if header_key(name) not in spelt]
    if lacking:
        return TableDifference(missing_columns=lacking)
    known = {header_key(name) for name in names}
    beside = (
        []
        if columns is not None
        else [name for name in table.columns if header_key(name) not in known]
    )
    rows = [{name: row.get(spelt[header_key(name)]) for name in names} for row in table.rows]
    return _difference(
        _expected_by(wanted, keys), keyed(rows, keys, table.reject), names, tolerances or {}, beside
    )


def _difference(
    wanted: dict[Any, Row],
    got: dict[Any, Row],
    names: list[str],
    tolerances: Mapping[str, float],
    beside: list[str],
) -> TableDifference:
    wrong = [
        (key, name, row.get(name), got[key][name])
        for key, row in wanted.items()
        if key in got
        for name in names
        if not cells_equal(row.get(name), got[key][name], abs_tol=tolerances.get(name, 0))
    ]
    return TableDifference(
        missing=[key for key in wanted if key not in got],
        extra=[key for key in got if key not in wanted],
        wrong=wrong,
        extra_columns=beside,
    )


def _expected_by(rows: list[Row], keys: list[str]) -> dict[Any, Row]:
    def mistaken(reason: str) -> NoReturn:
        raise ValueError(f"the expected rows: {reason}")

    return keyed(rows, keys, mistaken)


def _table(rows: Iterable[Mapping[str, Any]]) -> Table:
    plain_rows = [dict(row) for row in rows]
    columns = list(dict.fromkeys(name for row in plain_rows for name in row))
    full = [{name: row.get(name) for name in columns} for row in plain_rows]
    return Table(columns, full)


def _padded(names: list[str], length: int) -> list[str]:
    return names + [""] * (length - len(names))


def _named(key: Any) -> str:
    return " / ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _brief(row: Row) -> str:
    return shown([value for value in row.values() if value is not None], 4)
