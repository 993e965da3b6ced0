"""Text compared as a person would: spaces and line ends forgiven, words and numbers not."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

SHOWN = 10
SHOWN_LETTERS = 120
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIGATURES = re.compile("[\ufb00-\ufb06]")
_NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w]|[.,]\d)")


def decode(data: bytes, encoding: str = "utf-8") -> str:
    """Strictly decoded text without a byte order mark. Raises ValueError with a sentence."""
    for mark, name in _MARKS:
        if data.startswith(mark) and name != encoding.lower() and name != "utf-8":
            raise ValueError(f"is not {encoding} text but starts like {name}")
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        near = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"is not {encoding} text: byte 0x{data[error.start]:02x} in line {near} "
            f"({error.reason})"
        ) from error


def split_lines(text: str) -> list[str]:
    """The lines of a text; LF, CRLF and CR end one, nothing else does. A last end adds no line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def apart(text: str) -> str:
    """With letters that fonts draw as one ("\ufb01") as the letters that a reader sees."""
    return _LIGATURES.sub(lambda each: unicodedata.normalize("NFKC", each[0]), text)


def normalise(text: str) -> str:
    """Text without what nobody sees: NFC, LF, no byte order mark, no blanks at the ends of lines,
    no empty lines at the end, no-break spaces as spaces."""
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff")).replace("\u00a0", " ")
    return "\n".join(line.rstrip() for line in split_lines(text)).rstrip("\n")


def squeeze(text: str) -> str:
    """Text as one line of words with single spaces between them, normalised."""
    return " ".join(normalise(text).split())


def same_text(first: str, second: str, *, case: bool = True) -> bool:
    """Whether two texts hold the same words in the same order; ``case=False`` forgives capitals."""
    one, other = _typed(first), _typed(second)
    return one == other if case else one.casefold() == other.casefold()


def _typed(text: str) -> str:
    """As one types it: hyphens of all kinds are one, those that only may break a line are none."""
    plain = apart(text).replace("\u00ad", "")
    return squeeze(plain.replace("\u2010", "-").replace("\u2011", "-"))


def word_in(word: str, text: str, *, case: bool = False) -> bool:
    """Whether the word (or phrase) stands by itself in the text, not inside a word or number.

    "12" does not stand in "312" or "12.5", "cat" not in "catalogue". Capitals are forgiven unless
    ``case``.
    """
    wanted, within = _typed(word), _typed(text)
    if not wanted:
        raise ValueError("word_in needs a word to look for")
    before = r"(?<![\w])(?<!\d[.,])" if wanted[0].isalnum() else ""
    after = r"(?![\w])(?![.,]\d)" if wanted[-1].isalnum() else ""
    flags = 0 if case else re.IGNORECASE
    return re.search(before + re.escape(wanted) + after, within, flags) is not None


def numbers_in(text: str) -> list[Decimal]:
    """The numbers that stand by themselves, without their separators: "$1,234.50" is 1234.50.

    Digits inside words, codes, dates and longer numbers are none.
    """
    plain = re.sub(r"[$€£]", " ", text)
    found = (match[0] for match in _NUMBER.finditer(plain) if not _joined(plain, match))
    return [Decimal(number.replace(",", "")) for number in found]


def _joined(text: str, match: re.Match[str]) -> bool:
    """Whether a dash or slash ties the number to more digits, as in a date or an ISBN."""
    before = text[max(0, match.start() - 2) : match.start()]
    after = text[match.end() : match.end() + 2]
    sign = match[0][0] in "+-" and before[-1:].isalnum()
    return sign or bool(re.search(r"\w[-/:]$", before) or re.match(r"[-/:]\w", after))


@dataclass(frozen=True)
class ListDifference:
    """How two lists differ; false if they don't, so ``check(not difference, str(difference))``."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    #: (place from 1, expected, found) of the first place where the order differs.
    order: tuple[int, str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.order)

    def __str__(self) -> str:
        if not self:
            return "the lists are equal"
        parts = []
        if self.missing:
            parts.append(f"{len(self.missing)} missing: {shown(self.missing)}")
        if self.extra:
            parts.append(f"{len(self.extra)} too many: {shown(self.extra)}")
        if self.order:
            place, expected, found = self.order
            parts.append(f"order: place {place} has {_short(found)}, expected {_short(expected)}")
        return "; ".join(parts)


def compare_lists(
    expected: Iterable[str], found: Iterable[str], *, ordered: bool = False
) -> ListDifference:
    """What is missing, what is too many and, if ``ordered``, where the order differs first.

    Items are compared after ``squeeze``. A line that stands twice counts twice, on both sides.
    """
    wanted, got = [squeeze(item) for item in expected], [squeeze(item) for item in found]
    need, have = Counter(wanted), Counter(got)
    missing, extra = sorted((need - have).elements()), sorted((have - need).elements())
    order = None
    if ordered and not missing and not extra and wanted != got:
        place = next(index for index, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1])
        order = (place + 1, wanted[place], got[place])
    return ListDifference(missing, extra, order)


def shown(items: Sequence[object], limit: int = SHOWN) -> str:
    """The first few items in quotes and how many there are more, for a reason."""
    some = ", ".join(_short(str(item)) for item in items[:limit])
    return some if len(items) <= limit else f"{some} and {len(items) - limit} more"


def _short(item: str) -> str:
    return repr(item if len(item) <= SHOWN_LETTERS else item[: SHOWN_LETTERS - 1] + "…")
