"""What nobody asked for in a workbook: a sheet, a column, a cell beside or below the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from lxml import etree
from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter, range_boundaries

from .changes import Family, Mutant
from .ground import Edits
from .office import MAIN, RELATION, Book, Page, set_number, set_text

PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_WORKBOOK, _RELATIONS, _TYPES = (
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "[Content_Types].xml",
)
#: For lxml None is the prefix of names without one.
_OWN: dict[Any, str] = {None: MAIN}
#: The last row and the last column that a sheet can have.
BOTTOM, RIGHT = 1_048_576, 16_384
SHEETS, ROWS = 4, 200
Places = dict[tuple[int, int], str]


def workbook_additions(
    place: str, key: tuple[str, str], book: Book, worked_on: set[str]
) -> Iterator[Mutant]:
    """The workbook with one more sheet, and with cells around those in use in its sheets.

    Each but those in sheets that the agent has not ``worked_on`` is grave: there is one of a kind,
    too few for a score to tell.
    """
    name = _free_name(book)
    if name is not None:
        data = with_sheet(book, name, ["Nobody asked for this.", "Nor for this."])
        edits = Edits({key: data})
        yield Mutant("extra", place, name, "sheet added", "behind all others", edits, True)
    # Those that the agent has worked on come first.
    for sheet in sorted(book.sheets, key=lambda each: each not in worked_on)[:SHEETS]:
        grave = sheet in worked_on
        for operator, cells in _around(book.page(sheet)):
            page = book.page(sheet)
            for (row, column), text in cells.items():
                fill = set_number if text.isdigit() else set_text
                fill(put(page, row, column), text)
            first = min(cells)
            where = f"{sheet}!{get_column_letter(first[1])}{first[0]}"
            shown = f"{len(cells)} cells" if len(cells) > 1 else cells[first]
            family: Family = "extra" if grave else "forbidden"
            yield Mutant(family, place, where, operator, shown, Edits({key: page.bytes()}), grave)


def _around(page: Page) -> Iterator[tuple[str, Places]]:
    """Places outside of what is in use, and what is to stand there, by the name of the change."""
    area = area_of(page)
    if area is None or area[2] + 2 > BOTTOM or area[3] + 2 > RIGHT:
        return
    _, left, bottom, right = area
    first, *filled = (int(row.get("r", 0)) for row in page.rows if page.line(row))
    numbers = {(row, right + 1): f"{at}" for at, row in enumerate(filled[:ROWS], 1)}
    yield "column added", {(first, right + 1): "helper", **numbers}
    # A blank one between: who reads up to the first blank must notice, too.
    yield "cell added on the right", {(bottom, right + 2): "checked"}
    yield "cell added below", {(bottom + 2, left): "checked"}


def _free_name(book: Book) -> str | None:
    """A name for one more sheet; None for a book that can have none."""
    if not book.sheets or _TYPES not in book.parts:
        return None
    every = book.xml(_WORKBOOK).iter(f"{{{MAIN}}}sheet")  # Sheets of charts are among them.
    taken = {each.get("name", "").casefold() for each in every}
    names = ("Helper", *(f"Helper {at}" for at in range(2, len(taken) + 2)))
    return next(each for each in names if each.casefold() not in taken)


def with_sheet(book: Book, name: str, rows: Iterable[str]) -> bytes:
    """The workbook with one more sheet, the last one, that has a text in each of its rows.

    Raises ValueError if a part that lists others is no XML.
    """
    workbook, relations, types = (book.xml(part) for part in (_WORKBOOK, _RELATIONS, _TYPES))
    sheets = workbook.find(f"{{{MAIN}}}sheets")
    used = {each.get("Id") for each in relations}
    relation = _first_free("rId{}", used)
    part = _first_free("xl/worksheets/sheet{}.xml", set(book.parts))
    sheet = etree.SubElement(sheets, f"{{{MAIN}}}sheet", name=name)
    sheet.set("sheetId", str(1 + max(int(each.get("sheetId", 0)) for each in sheets)))
    sheet.set(f"{{{RELATION}}}id", relation)
    link = {"Id": relation, "Type": f"{RELATION}/worksheet", "Target": f"/{part}"}
    etree.SubElement(relations, f"{{{PACKAGE}}}Relationship", link)
    kind = {"PartName": f"/{part}", "ContentType": _SHEET_TYPE}
    etree.SubElement(types, f"{{{CONTENT}}}Override", kind)
    root = etree.Element(f"{{{MAIN}}}worksheet", nsmap=_OWN)
    etree.SubElement(root, f"{{{MAIN}}}sheetData")
    page = Page(book, name, root)
    for at, text in enumerate(rows, 1):
        set_text(put(page, at, 1), text)
    return book.written({_WORKBOOK: workbook, _RELATIONS: relations, _TYPES: types, part: root})


def _first_free(pattern: str, used: set[Any]) -> str:
    return next(name for at in range(1, len(used) + 2) if (name := pattern.format(at)) not in used)


def area_of(page: Page) -> tuple[int, int, int, int] | None:
    """First row and column, last row and column in use: of what holds something, or is merged.

    None for a sheet that is blank, or whose cells do not say where they are.
    """
    cells = page.cells()
    if not cells or not all(part.get("r") for row in page.rows for part in (row, *row)):
        return None
    places = [coordinate_to_tuple(address) for address in cells]
    for merged in page.root.iter(f"{{{MAIN}}}mergeCell"):
        left, top, right, bottom = _corners(merged.get("ref", ""))
        places += [(top, left), (bottom, right)]
    rows, columns = zip(*places)
    return min(rows), min(columns), max(rows), max(columns)


def _corners(cells: str) -> tuple[int, int, int, int]:
    # Only ranges of whole rows or columns are without some of them.
    return cast("tuple[int, int, int, int]", range_boundaries(cells))


def put(page: Page, number: int, column: int) -> Any:
    """The cell at a place, made if the file has none there."""
    data = page.root.find(f"{{{MAIN}}}sheetData")
    row = _child(data, "row", str(number), lambda name: int(name) - number)
    row.attrib.pop("spans", None)
    said = page.root.find(f"{{{MAIN}}}dimension")
    if said is not None:
        left, top, right, bottom = _corners(said.get("ref", "A1"))
        first = f"{get_column_letter(min(left, column))}{min(top, number)}"
        last = f"{get_column_letter(max(right, column))}{max(bottom, number)}"
        said.set("ref", f"{first}:{last}")
    address = f"{get_column_letter(column)}{number}"
    return _child(row, "c", address, lambda name: coordinate_to_tuple(name)[1] - column)


def _child(parent: Any, tag: str, name: str, compare: Callable[[str], int]) -> Any:
    """The child that ``compare`` finds equal; made where it belongs if there is none."""
    at = 0
    for child in parent.findall(f"{{{MAIN}}}{tag}"):
        found = compare(child.get("r"))
        if found == 0:
            return child
        if found > 0:
            break
        at = parent.index(child) + 1
    made = parent.makeelement(f"{{{MAIN}}}{tag}", r=name)
    parent.insert(at, made)
    return made
