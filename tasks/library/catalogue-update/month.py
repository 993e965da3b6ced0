"""One month at a library: its copies, the lines of its reports, and how they come to be."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from rules import check_digit_10, check_digit_13

GIVEN = (
    "Ada Bruno Clara Dario Elif Farid Greta Hugo Ines Jonas Kaya Lena Milan Nora Oskar Petra "
    "Rosa Sami Tilda Viktor Wanda Yusuf"
).split()
FAMILY = (
    "Abara Bergström Castell Dunmore Eriksen Farrow Galeano Hartwig Ibsen Jarrett Kowal "
    "Lamarque Moreau Nakata Okonjo Pryce Quill Rossi Szabo Thorne Ullmann Vance Whitlock "
    "Zielinski"
).split()
FIRST_WORDS = [
    "The Silent",
    "The Last",
    "A Northern",
    "The Glass",
    "Beyond the",
    "The Hidden",
    "A Brief",
    "The Winter",
    "Under the",
    "The Copper",
    "Letters from the",
    "The Second",
    "An Unquiet",
    "The Painted",
    "Maps of the",
    "The Drowned",
    "A Handbook of",
    "The Long",
]
LAST_WORDS = (
    "Harbour Orchard Meridian Archive Lighthouse Garden Railway Tide Cartographer Winter "
    "Bell Kitchen Forest Observatory Weaver Bridge Migration Quarry Island Almanac River "
    "Beekeeper Marsh Staircase"
).split()
TAILS = ["", "", "", "", ": A Novel", ": A History", ": Essays", " and Other Stories", ", Volume 2"]
# Prefix, registration group and registrant; what remains of twelve digits numbers the publication.
PUBLISHERS = [
    ("978", "0", "14"),
    ("978", "0", "241"),
    ("978", "0", "571"),
    ("978", "0", "7475"),
    ("978", "0", "86068"),
    ("978", "1", "4088"),
    ("978", "1", "84668"),
    ("978", "3", "423"),
    ("978", "3", "596"),
    ("979", "10", "90636"),
]
REFERENCE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
STATUSES = ["On shelf"] * 7 + ["On loan"] * 4 + ["Missing", "In repair"]


@dataclass(frozen=True, eq=False)
class Book:
    """A title: one ISBN, in the parts that hyphens stand between."""

    parts: tuple[str, ...]
    title: str
    author: str
    year: int

    @property
    def isbn(self) -> str:
        return "".join(self.parts)

    def written(self, how: str) -> str:
        """The ISBN as people write it: plain, hyphens, blanks, ten or ten-hyphens."""
        if how.startswith("ten") and self.parts[0] == "978":
            ten = [*self.parts[1:4], check_digit_10("".join(self.parts[1:4]))]
            return ("-" if how == "ten-hyphens" else "").join(ten)
        return {"hyphens": "-", "blanks": " "}.get(how, "").join(self.parts)

    def misprinted(self) -> str:
        """The ISBN with two neighbouring digits swapped, so that the check digit is wrong."""
        digits = self.isbn
        for at in range(8, 3, -1):
            swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
            if swapped[-1] != check_digit_13(swapped[:12]):
                return "-".join(split_like(self.parts, swapped))
        raise ValueError(f"no swap spoils {digits}")


@dataclass(eq=False)
class Copy:
    """A row of the catalogue."""

    barcode: str
    book: Book
    branch: str
    acquired: date
    collection: str = "Lending"
    status: str = "On shelf"
    how: str = "plain"
    withdrawn: date | None = None


@dataclass(frozen=True)
class Line:
    """A line of a report. Only the fields that its report has are filled."""

    reference: str
    isbn: str = ""
    title: str = ""
    author: str = ""
    barcode: str = ""
    number: int = 0
    ordered: int = 0
    verdict: str = ""
    where: str = "all branches"
    void: bool = False


@dataclass(frozen=True)
class Correction:
    """What a report says about one of its own lines further down."""

    report: str
    reference: str
    changes: dict[str, Any]
    said: str


@dataclass
class Month:
    """Everything that is written down, and what each title should come to."""

    rng: random.Random
    now: datetime
    branches: dict[str, str] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    delivery: list[Line] = field(default_factory=list)
    damage: list[Line] = field(default_factory=list)
    donations: list[Line] = field(default_factory=list)
    purge: list[Line] = field(default_factory=list)
    draft: list[Line] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    promised: dict[str, str | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def book(self, like: Book | None = None) -> Book:
        """A title that nothing else in this month uses; `like` makes it another edition."""
        rng = self.rng
        while True:
            prefix, group, registrant = rng.choice(PUBLISHERS)
            width = 12 - len(prefix + group + registrant)
            publication = f"{rng.randrange(10**width):0{width}d}"
            body = prefix + group + registrant + publication
            if body[3:] not in self.used:
                break
        self.used.add(body[3:])
        parts = (prefix, group, registrant, publication, check_digit_13(body))
        if like is not None:
            return Book(parts, like.title, like.author, like.year)
        return Book(
            parts,
            self.title(),
            f"{rng.choice(FAMILY)}, {rng.choice(GIVEN)}",
            rng.randint(1984, 2025),
        )

    def title(self) -> str:
        while True:
            words = (self.rng.choice(FIRST_WORDS), self.rng.choice(LAST_WORDS))
            title = " ".join(words) + self.rng.choice(TAILS)
            if title not in self.used:
                self.used.add(title)
                return title

    def code(self, start: str, length: int) -> str:
        while True:
            code = start + "".join(self.rng.choices(REFERENCE_LETTERS, k=length))
            # Letters and digits both, so that a reference is never mistaken for a word or a number.
            if (
                code not in self.used
                and any(c.isdigit() for c in code[len(start) :])
                and any(c.isalpha() for c in code[len(start) :])
            ):
                self.used.add(code)
                return code

    def barcode(self) -> str:
        while True:
            barcode = f"3{self.rng.randrange(10**8):08d}"
            if barcode not in self.used:
                self.used.add(barcode)
                return barcode

    def how(self) -> str:
        return self.rng.choice(["hyphens", "hyphens", "plain", "ten", "ten-hyphens", "blanks"])

    def hold(self, book: Book, number: int = 1, **given: Any) -> list[Copy]:
        """Puts copies of a title into the current sheet (or, if withdrawn, into that one)."""
        made = []
        for _ in range(number):
            acquired = date(2008, 1, 7) + timedelta(days=self.rng.randrange(6500))
            row = {
                "barcode": self.barcode(),
                "book": book,
                "acquired": acquired,
                "branch": self.rng.choice(list(self.branches)),
                "status": self.rng.choice(STATUSES),
                "how": self.rng.choice(["plain"] * 6 + ["number", "number", "hyphens", "ten"]),
            }
            made.append(Copy(**{**row, **given}))
        self.copies += made
        return made

    def deliver(
        self, book: Book, number: int, ordered: int | None = None, isbn: str | None = None
    ) -> Line:
        line = Line(
            self.code("HB-", 5),
            isbn or book.written(self.how()),
            book.title,
            book.author,
            number=number,
            ordered=number if ordered is None else ordered,
        )
        self.delivery.append(line)
        return line

    def give(
        self, book: Book, number: int, verdict: str = "accepted", isbn: str | None = None
    ) -> Line:
        line = Line(
            self.code("GF-", 5),
            isbn or book.written(self.how()),
            book.title,
            book.author,
            number=number,
            verdict=verdict,
        )
        self.donations.append(line)
        return line

    def harm(self, copy: Copy, verdict: str = "write-off") -> Line:
        line = Line(
            self.code("DS-", 5),
            barcode=copy.barcode,
            title=copy.book.title,
            where=copy.branch,
            verdict=verdict,
        )
        self.damage.append(line)
        return line

    def weed(self, book: Book, where: str = "all branches", isbn: str | None = None) -> Line:
        line = Line(self.code("SP-", 5), isbn or book.written(self.how()), book.title, where=where)
        self.purge.append(line)
        return line

    def correct(self, report: str, line: Line, said: str, **changes: Any) -> None:
        self.corrections.append(Correction(report, line.reference, changes, said))

    def promise(self, book: Book, line: str | None, why: str) -> None:
        """Says which line a title should get ("ADD 2", "DELETE" or None), and why."""
        self.promised[book.isbn] = line
        self.why[book.isbn] = why


def split_like(parts: tuple[str, ...], digits: str) -> Iterator[str]:
    for part in parts:
        yield digits[: len(part)]
        digits = digits[len(part) :]
