"""Mutants of texts, tables of text, JSON and Word documents in the workspace."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

from lxml.etree import SubElement

from .changes import Family, Mutant, off_by_one, short, some
from .ground import Edits, Ground
from .office import WORD, Package, paragraphs

LINES, DROPPED, LEAVES = 20, 4, 16
#: Words that are code, or prose in a markup: their lines are not facts one by one.
_CODE = re.compile(r"\.(py|sh|js|ts|rb|pl|html?|css|xml|svg|toml|ya?ml|log)$", re.IGNORECASE)


def text_mutants(ground: Ground, tree: str, path: str, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of a text: lines dropped, doubled, swapped, added, and facts in them wrong."""
    try:
        text = ground.read(tree, path).decode("utf-8")
    except UnicodeDecodeError:
        return
    if "\0" in text or _CODE.search(path):
        return
    if path.endswith(".json"):
        yield from json_mutants(ground, tree, path, text, rng)
        return
    old = (ground.before(tree, path) or b"").decode("utf-8", "replace").splitlines()
    lines = text.splitlines(keepends=True)
    place, key = ground.place(tree, path), (tree, path)
    new = [at for at, line in enumerate(lines) if line.strip() and line.rstrip("\r\n") not in old]

    def mutant(family: Any, at: int, operator: str, change: str, changed: list[str]) -> Mutant:
        data = "".join(changed).encode()
        return Mutant(family, place, f"line {at + 1}", operator, change, Edits({key: data}))

    for at in some(new, LINES, rng):
        wrong = off_by_one(lines[at], rng)
        if wrong:
            change = f"{short(lines[at])} → {short(wrong[0])}"
            yield mutant("wrong", at, wrong[1], change, [*lines[:at], wrong[0], *lines[at + 1 :]])
    for at in some(new, DROPPED, rng):
        whole, shown = _ended(lines, at), short(lines[at])
        yield mutant("partial", at, "line dropped", shown, [*lines[:at], *lines[at + 1 :]])
        yield mutant("extra", at, "line doubled", shown, [*whole[: at + 1], *whole[at:]])
    pairs = [at for at in new if at + 1 in new and lines[at].strip() != lines[at + 1].strip()]
    for at in some(pairs, DROPPED, rng):
        whole = _ended(lines, at + 1)
        swapped = [*whole[:at], whole[at + 1], whole[at], *whole[at + 2 :]]
        yield mutant("wrong", at, "lines swapped", f"lines {at + 1} and {at + 2}", swapped)
    if new:
        whole = _ended(lines, len(lines) - 1)
        wrong = off_by_one(whole[new[-1]], rng)
        added = wrong[0] if wrong else whole[new[-1]]
        yield mutant("extra", len(lines), "line added", short(added), [*whole, added])
    wider = _with_column(lines) if path.lower().endswith((".csv", ".tsv")) and new else None
    if wider is not None:
        edits = Edits({key: "".join(wider).encode()})
        yield Mutant("extra", place, "", "column added", short(wider[0]), edits, True)
    yield from _untouched_line(lines, new, old, mutant, rng)


def _untouched_line(
    lines: list[str], new: list[int], old: list[str], mutant: Any, rng: random.Random
) -> Iterator[Mutant]:
    kept = [at for at, line in enumerate(lines) if line.strip() and at not in new] if old else []
    for at in some(kept, 3, rng):
        wrong = off_by_one(lines[at], rng)
        if wrong:
            change = f"{short(lines[at])} → {short(wrong[0])}"
            changed = [*lines[:at], wrong[0], *lines[at + 1 :]]
            yield mutant("forbidden", at, wrong[1], change, changed)


def _with_column(lines: list[str]) -> list[str] | None:
    """A table with one more column, the last one; None where a cell reaches over two lines."""
    if any(line.count('"') % 2 for line in lines):
        return None
    mark = max(",;\t", key=next(line for line in lines if line.strip()).count)
    cells = iter(("helper", *(f"{at}" for at in range(1, len(lines)))))
    bodies = [line.rstrip("\r\n") for line in lines]
    return [
        f"{body}{mark}{next(cells)}{line[len(body) :]}" if body.strip() else line
        for body, line in zip(bodies, lines)
    ]


def _ended(lines: list[str], at: int) -> list[str]:
    """The lines, with an end to the one that may have none."""
    if not lines or lines[at].endswith(("\n", "\r")):
        return lines
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    return [*lines[:at], lines[at] + end, *lines[at + 1 :]]


#: Keys and places in lists, from the outside in.
Way = tuple[Any, ...]
PARAGRAPHS: tuple[tuple[Family, str], ...] = (
    ("partial", "paragraph dropped"),
    ("extra", "paragraph doubled"),
)


def json_mutants(
    ground: Ground, tree: str, path: str, text: str, rng: random.Random
) -> Iterator[Mutant]:
    """Mutants of a JSON document: leaves wrong, items dropped and doubled."""
    try:
        value = json.loads(text)
        old = json.loads(ground.before(tree, path) or b"null")
    except ValueError:
        return
    place, key = ground.place(tree, path), (tree, path)
    known = {(at, json.dumps(leaf)) for at, leaf in leaves(old)}
    new = [(at, leaf) for at, leaf in leaves(value) if (at, json.dumps(leaf)) not in known]
    for at, leaf in some(new, LEAVES, rng):
        wrong = other_leaf(leaf, rng)
        if wrong is not None:
            data = json.dumps(replaced(value, at, wrong[0]), ensure_ascii=False, indent=1).encode()
            change = f"{short(leaf)} → {short(wrong[0])}"
            yield Mutant("wrong", place, said(at), wrong[1], change, Edits({key: data}))
    lists = [at for at, items in branches(value) if isinstance(items, list) and items]
    for at in some(lists, DROPPED, rng):
        items = inside(value, at)
        others: tuple[tuple[Family, str, list[Any]], ...] = (
            ("partial", "item dropped", items[:-1]),
            ("extra", "item doubled", [*items, items[-1]]),
        )
        for family, operator, other in others:
            changed = replaced(value, at, other)
            data = json.dumps(changed, ensure_ascii=False, indent=1).encode()
            shown = short(json.dumps(items[-1], ensure_ascii=False))
            yield Mutant(family, place, said(at), operator, shown, Edits({key: data}))


def document_mutants(ground: Ground, tree: str, path: str, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of a Word document: paragraphs dropped and doubled, facts in them wrong."""
    try:
        package = Package(ground.read(tree, path))
        root = package.xml("word/document.xml")
    except ValueError:
        return
    known = _known_paragraphs(ground.before(tree, path))
    place, key = ground.place(tree, path), (tree, path)
    whole = list(paragraphs(root))
    new = [at for at, each in enumerate(whole) if _said(each) not in known]
    for at in some(new, LINES, rng):
        copied = copy.deepcopy(root)
        texts = [t for t in list(paragraphs(copied))[at].iter(f"{{{WORD}}}t") if t.text]
        wrong = next((w for t in texts if (w := off_by_one(t.text, rng))), None)
        if wrong is None:
            continue
        one = next(t for t in texts if off_by_one(t.text, random.Random(0)))
        change = f"{short(one.text)} → {short(wrong[0])}"
        one.text = wrong[0]
        data = package.written({"word/document.xml": copied})
        where = f"paragraph {at + 1}"
        yield Mutant("wrong", place, where, wrong[1], change, Edits({key: data}))
    for at in some(new, DROPPED, rng):
        for family, operator in PARAGRAPHS:
            copied = copy.deepcopy(root)
            one = list(paragraphs(copied))[at]
            if family == "extra":
                one.addnext(copy.deepcopy(one))
            elif len(one.getparent()) > 1:
                one.getparent().remove(one)
            data = package.written({"word/document.xml": copied})
            where, shown = f"paragraph {at + 1}", short(_said(whole[at]))
            yield Mutant(family, place, where, operator, shown, Edits({key: data}))

    body = root.find(f"{{{WORD}}}body")
    if body is not None:
        # What says the page's size stands last.
        ending = body.find(f"{{{WORD}}}sectPr")
        at = len(body) if ending is None else body.index(ending)
        one = body.makeelement(f"{{{WORD}}}p")
        body.insert(at, one)
        run = SubElement(one, f"{{{WORD}}}r")
        SubElement(run, f"{{{WORD}}}t").text = "Nobody asked for this."
        data = package.written({"word/document.xml": root})
        where = f"paragraph {len(whole) + 1}"
        yield Mutant("extra", place, where, "paragraph added", "at the end", Edits({key: data}))


def _known_paragraphs(data: bytes | None) -> set[str]:
    try:
        root = Package(data).xml("word/document.xml") if data else None
    except ValueError:
        return set()
    return set() if root is None else {_said(each) for each in paragraphs(root)}


def _said(paragraph: Any) -> str:
    return "".join(t.text or "" for t in paragraph.iter(f"{{{WORD}}}t"))


def leaves(value: Any, at: Way = ()) -> Iterator[tuple[Way, Any]]:
    """All values in a document that hold no others, with the way to each."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*at, number))
    else:
        yield at, value


def branches(value: Any, at: Way = ()) -> Iterator[tuple[Way, Any]]:
    """All values in a document that hold others, with the way to each."""
    if isinstance(value, (dict, list)):
        yield at, value
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from branches(inner, (*at, key))


def inside(value: Any, at: Way) -> Any:
    """What lies at the end of a way."""
    for key in at:
        value = value[key]
    return value


def replaced(value: Any, at: Way, new: Any) -> Any:
    """The document with something else at the end of a way."""
    if not at:
        return new
    copied = list(value) if isinstance(value, list) else dict(value)
    copied[at[0]] = replaced(value[at[0]], at[1:], new)
    return copied


def other_leaf(leaf: Any, rng: random.Random) -> tuple[Any, str] | None:
    """Another value of the same kind, and the operator's name."""
    if isinstance(leaf, bool):
        return not leaf, "yes or no turned"
    if isinstance(leaf, int):
        return leaf + 1, "number off by one"
    if isinstance(leaf, float):
        return round(leaf + 0.01, 6), "number off by a hundredth"
    return off_by_one(leaf, rng) if isinstance(leaf, str) else None


def said(at: Way) -> str:
    """The way to a value as people write it."""
    return ".".join(str(each) for each in at)
