"""The letters of a paragraph, each with whether a tracked change added it or took it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .package import Element, attr, child_of, elements, name_of

#: Which text counts of one with tracked changes: as if all were accepted, as if all were
#: rejected, or both, as the tools mark them: ``{++added++}``, ``{--removed--}``.
Accept = Literal["final", "original", "marked"]

_CLOSED = {"w:pPr", "w:rPr", "w:sdtPr", "w:sdtEndPr", "mc:Fallback", "w:instrText", "w:rt"}
_ADDED, _REMOVED = ("w:ins", "w:moveTo"), ("w:del", "w:moveFrom")
_LETTERS = {
    "w:tab": "\t",
    "w:ptab": "\t",
    "w:br": "\n",
    "w:cr": "\n",
    "w:noBreakHyphen": "\u2011",
}
_NOTES = ("w:footnoteReference", "w:endnoteReference")
#: Letters of symbol fonts, which have places of their own for them, at U+F000.
_SYMBOLS = {
    111: "□",
    167: "▪",
    168: "◻",
    183: "•",
    216: "➢",
    251: "✗",
    252: "✓",
    254: "☑",
}


class State(NamedTuple):
    """What tracked changes did to something."""

    added: bool = False
    removed: bool = False

    def within(self, other: State) -> State:
        """Something with this state, inside of something with another."""
        return State(self.added or other.added, self.removed or other.removed)

    def counts(self, accept: Accept) -> bool:
        """Whether it is part of the text that is asked for."""
        if accept == "marked":
            return True
        return not (self.added if accept == "original" else self.removed)


UNTOUCHED = State()


class Piece(NamedTuple):
    """A bit of a paragraph's text."""

    text: str
    state: State


@dataclass
class Content:
    """What a paragraph holds."""

    pieces: list[Piece] = field(default_factory=list)
    #: ``w:txbxContent`` of the text boxes that hang on it.
    boxes: list[tuple[Element, State]] = field(default_factory=list)
    #: Kind and id of the notes whose marks stand in it.
    notes: list[tuple[str, str, State]] = field(default_factory=list)


def content_of(paragraph: Element, state: State = UNTOUCHED) -> Content:
    """The text of a paragraph in order, and what hangs on it."""
    found = Content()
    _collect(paragraph, state, found, [])
    return found


def mark_of(paragraph: Element) -> State:
    """What tracked changes did to the end of the paragraph."""
    properties = child_of(child_of(paragraph, "w:pPr"), "w:rPr")
    return changed_by(properties, _ADDED, _REMOVED)


def changed_by(
    properties: Element | None, added: tuple[str, ...], removed: tuple[str, ...]
) -> State:
    """What marks among properties say."""
    names = set() if properties is None else {name_of(each) for each in elements(properties)}
    return State(not names.isdisjoint(added), not names.isdisjoint(removed))


def joined(pieces: list[Piece], accept: Accept) -> str:
    """The text that is asked for."""
    if accept != "marked":
        return "".join(piece.text for piece in pieces if piece.state.counts(accept))
    parts: list[list[str]] = []
    marks: list[str] = []
    for text, state in pieces:
        mark = "-" if state.removed else "+" if state.added else ""
        if not text:
            continue
        if not marks or marks[-1] != mark:
            marks.append(mark)
            parts.append([])
        parts[-1].append(text)
    return "".join(_marked("".join(part), mark) for part, mark in zip(parts, marks))


def _marked(text: str, mark: str) -> str:
    return f"{{{mark * 2}{text}{mark * 2}}}" if mark else text


def _collect(parent: Element, state: State, found: Content, fields: list[bool]) -> None:
    """``fields``: of each field that is open, whether its instruction goes on."""
    for node in elements(parent):
        name = name_of(node)
        if name in _CLOSED or name in ("w:p", "w:tbl"):
            continue
        if name == "w:fldChar":
            _field(attr(node, "w:fldCharType"), fields)
        elif name == "w:txbxContent":
            found.boxes.append((node, state))
        elif name in _NOTES:
            found.notes.append((name[2:-9], attr(node, "w:id"), state))
        elif (text := _text(node, name)) is not None:
            if not any(fields):
                found.pieces.append(Piece(text, state))
        else:
            _collect(node, _inside(name, state), found, fields)


def _inside(name: str, state: State) -> State:
    return State(state.added or name in _ADDED, state.removed or name in _REMOVED)


def _field(kind: str, fields: list[bool]) -> None:
    """Between its beginning and its separator a field holds no text but what makes its text."""
    if kind == "begin":
        fields.append(True)
    elif fields and kind == "separate":
        fields[-1] = False
    elif fields and kind == "end":
        fields.pop()


def _text(node: Element, name: str) -> str | None:
    if name in ("w:t", "w:delText", "m:oMath"):
        return "".join(node.itertext())
    if name == "w:sym":
        return _symbol(attr(node, "w:char"))
    return _LETTERS.get(name)


def _symbol(char: str) -> str:
    try:
        code = int(char, 16)
        if 0xF000 <= code <= 0xF0FF and code & 0xFF in _SYMBOLS:
            return _SYMBOLS[code & 0xFF]
        return "" if 0xD800 <= code <= 0xDFFF else chr(code)
    except (ValueError, OverflowError):
        return ""
