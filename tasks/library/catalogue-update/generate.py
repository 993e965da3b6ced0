"""Makes one month of the acquisitions desk: a catalogue, four reports, the update they call for.

The month is told as a list of small stories (stories.py), which say what line each title should
get. The expected update does not come from them: it comes from the rules (rules.py), applied to
what was written down, and a month in which the two disagree is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from month import Correction, Month
from papers import (
    last_year,
    write_background,
    write_catalogue,
    write_damage,
    write_delivery,
    write_donations,
    write_purge,
)
from rules import corrected, isbn_of, settle
from stories import STORIES, fill_shelves

if TYPE_CHECKING:
    from cloche.run_generator import Variant


LIBRARIES = [
    "Holmwood County Library",
    "Ashby Vale Libraries",
    "Port Merrow City Library",
    "Three Rivers District Library",
    "Kingsmead Public Library",
]
SHEET_NAMES = [
    ("Catalogue", "Holdings"),
    ("All titles", "Register"),
    ("Catalogue", "Stock"),
    ("Stock list", "Copies"),
    ("Inventory", "Holdings"),
]
TOWNS = ["Eastgate", "Millbrook", "St Anne's", "Harbour Road", "Norton", "Westfield", "Quarry Hill"]


def generate(variant: Variant) -> dict[str, Any]:
    """Writes the workspace of one variant and returns what its grader expects."""
    month = Month(variant.rng, variant.now)
    month.branches = {town_code(name): name for name in variant.rng.sample(TOWNS, 4)}
    library = variant.rng.choice(LIBRARIES)
    old_name, current_name = variant.rng.choice(SHEET_NAMES)
    fill_shelves(month)
    for story in STORIES:
        story(month)
    for report in (month.delivery, month.damage, month.donations, month.purge):
        variant.rng.shuffle(report)
    expected = expect(month)
    variant.variables["library"] = library
    write_catalogue(month, variant.workspace / "catalogue.xlsx", library, old_name, current_name)
    reports = variant.workspace / "reports"
    reports.mkdir()
    write_delivery(month, reports / "delivery.docx", library)
    write_damage(month, reports / "damage.pdf", library)
    write_donations(month, reports / "donations.xlsx", library)
    write_purge(month, reports / "purge.eml", library)
    write_background(month, variant.workspace, library)
    return expected


def expect(month: Month) -> dict[str, Any]:
    """The hidden side of the variant; refuses a month whose stories and rules disagree."""
    add, delete, causes = settle(month)
    lines = {
        **{isbn: f"ADD {isbn} {n}" for isbn, n in add.items()},
        **{isbn: f"DELETE {isbn}" for isbn in delete},
    }
    for isbn, line in month.promised.items():
        found = lines.get(isbn)
        wanted = line and " ".join([line.split()[0], isbn, *line.split()[1:]])
        if found != wanted:
            raise AssertionError(f"{isbn} ({month.why[isbn]}): promised {wanted}, settled {found}")
    if set(lines) - set(month.promised):
        raise AssertionError(f"lines without a story: {set(lines) - set(month.promised)}")
    if settle(month, last_year(month))[:2] == (add, delete):
        raise AssertionError("last year's sheet leads to the same update")
    references = {
        name: sorted(line.reference for line in getattr(month, name))
        for name in ("delivery", "damage", "donations", "purge")
    }
    printed = {line.barcode for line in month.damage}
    return {
        "lines": sorted(lines.values()),
        "add": dict(sorted(add.items())),
        "delete": sorted(delete),
        "by_report": {name: by_report(month, name, lines, causes) for name in references},
        "corrections": [correction_case(month, c, lines) for c in month.corrections],
        "why": dict(sorted(month.why.items())),
        "references": references,
        "barcodes": sorted(
            c.barcode for c in month.copies if not c.withdrawn and c.barcode not in printed
        ),
    }


def by_report(
    month: Month, name: str, lines: dict[str, str], causes: dict[str, set[str]]
) -> dict[str, Any]:
    """The ISBNs whose line a report makes, and all ISBNs that it speaks of."""
    kind = "ADD" if name in ("delivery", "donations") else "DELETE"
    titles = {copy.barcode: copy.book.isbn for copy in month.copies}
    spoken = corrected(getattr(month, name), name, month.corrections) + getattr(month, name)
    named = {titles[line.barcode] if line.barcode else isbn_of(line.isbn) for line in spoken}
    makes = [isbn for isbn, line in lines.items() if line.startswith(kind) and name in causes[isbn]]
    return {
        "kind": kind,
        "makes": sorted(makes),
        "names": sorted(isbn for isbn in named if isbn is not None),
    }


def correction_case(month: Month, correction: Correction, lines: dict[str, str]) -> dict[str, Any]:
    """The titles that one correction decides, each with its line, or null for no line."""
    add, delete, _ = settle(month, without=correction)
    otherwise = {
        **{isbn: f"ADD {isbn} {n}" for isbn, n in add.items()},
        **{isbn: f"DELETE {isbn}" for isbn in delete},
    }
    decided = sorted(
        isbn for isbn in {*lines, *otherwise} if lines.get(isbn) != otherwise.get(isbn)
    )
    if not decided:
        raise AssertionError(f"correction of {correction.reference} changes nothing")
    return {
        "report": correction.report,
        "reference": correction.reference,
        "lines": {isbn: lines.get(isbn) for isbn in decided},
    }


def town_code(name: str) -> str:
    return "".join(c for c in name.upper() if c.isalpha())[:3]
