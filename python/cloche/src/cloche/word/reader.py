"""A Word file as paragraphs, tables, notes and what stands around its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..text import squeeze
from .package import (
    Element,
    Package,
    attr,
    child_of,
    descendants,
    elements,
    is_on,
    name_of,
    number,
    val_of,
)
from .pieces import UNTOUCHED, Accept, Piece, State, changed_by, content_of, joined, mark_of
from .styles import Styles

#: Wrappers whose content stands as if they were not there.
_SEE_THROUGH = {
    *("w:sdt", "w:sdtContent", "w:customXml", "w:smartTag", "w:ins", "w:moveTo"),
    *("mc:AlternateContent", "mc:Choice"),
}
_SPAN = 63
_COLUMNS = 256


@dataclass(frozen=True)
class Line:
    """A paragraph."""

    text: str
    style: str


@dataclass(frozen=True)
class Grid:
    """A table: its cells' texts, and the tables that lie in them."""

    rows: list[list[str]]
    inner: list[Grid]


Block = Line | Grid


class Reader:
    """Reads the text of a Word file that ``accept`` asks for."""

    def __init__(self, package: Package, accept: Accept) -> None:
        self._package = package
        self._accept = accept
        self._styles = Styles(package)
        self._referred: set[tuple[str, str]] = set()

    def body(self) -> list[Block]:
        """The blocks of the body, in order."""
        return self._blocks(self._package.body)

    def notes(self) -> list[str]:
        """Footnotes, then endnotes, whose marks stood in what was read before."""
        found: list[str] = []
        for kind in ("footnote", "endnote"):
            for relation in self._package.related(f"{kind}s"):
                for note in elements(self._package.part(relation.target)):
                    if (kind, attr(note, "w:id")) in self._referred:
                        found.append(self._flat(note, " "))
        return found

    def around(self, kind: str) -> list[str]:
        """The texts of all headers or footers that are shown, each once."""
        parts = {each.id: each.target for each in self._package.related(kind)}
        shown: dict[str, str] = {}
        for section in descendants(self._package.body, "w:sectPr"):
            for reference in elements(section):
                target = parts.get(attr(reference, "r:id"), "")
                if name_of(reference) != f"w:{kind}Reference" or not target:
                    continue
                if self._is_used(section, attr(reference, "w:type")):
                    shown[target] = self._flat(self._package.part(target), " / ")
        return [text for text in shown.values() if text]

    def _is_used(self, section: Element, when: str) -> bool:
        if when == "first":
            return is_on(section, "w:titlePg")
        if when == "even":
            settings = self._package.related("settings")
            return any(
                is_on(self._package.part(each.target), "w:evenAndOddHeaders") for each in settings
            )
        return True

    def _flat(self, root: Element, between: str) -> str:
        texts = (_said(block, between) for block in self._blocks(root))
        return between.join(text for text in texts if text)

    def _blocks(self, parent: Element, state: State = UNTOUCHED) -> list[Block]:
        """With the paragraphs joined whose ends tracked changes took away."""
        waiting = list(_within(parent, "w:p", "w:tbl"))
        found: list[Block] = []
        carried: list[Piece] = []
        for place, element in enumerate(waiting):
            if name_of(element) == "w:tbl":
                table = self._table(element, state)
                found += [table] if table.rows else []
                continue
            content = content_of(element, state)
            pieces, carried = carried + content.pieces, []
            visible = [each for each in content.notes if each[2].counts(self._accept)]
            self._referred.update((kind, name) for kind, name, _ in visible)
            text = squeeze(joined(pieces, self._accept))
            lost = not mark_of(element).counts(self._accept)
            joins = place + 1 < len(waiting) and name_of(waiting[place + 1]) == "w:p"
            if lost and joins:
                carried = pieces
            elif text or not lost:
                found.append(
                    Line(text, self._styles.name(val_of(_properties(element), "w:pStyle")))
                )
            for box, around in content.boxes:
                if around.counts(self._accept):
                    found += self._blocks(box, around)
        return found

    def _table(self, table: Element, state: State) -> Grid:
        grid = Grid([], [])
        for row in _within(table, "w:tr"):
            properties = child_of(row, "w:trPr")
            own = changed_by(properties, ("w:ins",), ("w:del",)).within(state)
            if own.counts(self._accept):
                grid.rows.append(self._row(row, properties, own, grid))
        return grid

    def _row(self, row: Element, properties: Element | None, state: State, grid: Grid) -> list[str]:
        """Walks the places of a row. A merged cell stands in each place that it covers."""
        above = grid.rows[-1] if grid.rows else []
        texts = [""] * number(val_of(properties, "w:gridBefore"), _SPAN)
        for cell in _within(row, "w:tc"):
            own = child_of(cell, "w:tcPr")
            changed = changed_by(own, ("w:cellIns",), ("w:cellDel",)).within(state)
            if not changed.counts(self._accept):
                continue
            blocks = self._blocks(cell, changed)
            merge = child_of(own, "w:vMerge")
            text = squeeze("\n".join(_said(block, "\n") for block in blocks))
            if merge is not None and attr(merge, "w:val") != "restart" and len(texts) < len(above):
                text = above[len(texts)]
            grid.inner.extend(each for each in blocks if isinstance(each, Grid))
            span = max(1, number(val_of(own, "w:gridSpan"), _SPAN))
            texts += [text] * min(span, max(1, _COLUMNS - len(texts)))
        return texts


def _properties(paragraph: Element) -> Element | None:
    return child_of(paragraph, "w:pPr")


def _said(block: Block, between: str) -> str:
    if isinstance(block, Line):
        return block.text
    return between.join("\t".join(row) for row in block.rows)


def _within(parent: Element, *names: str) -> Iterator[Element]:
    for each in elements(parent):
        name = name_of(each)
        if name in names:
            yield each
        elif name in _SEE_THROUGH:
            yield from _within(each, *names)
