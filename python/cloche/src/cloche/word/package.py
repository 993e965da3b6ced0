"""The parts of a Word file: XML that is parsed when asked for, and where its relations lead."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PREFIXES = {
    W: "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
}

#: An element of lxml's, which has no types of its own.
Element = Any


@dataclass(frozen=True)
class Relation:
    """Where a part leads to."""

    id: str
    #: The last word of its type: "header", "footnotes".
    type: str
    target: str
    external: bool


class Package:
    """A Word file whose zip was looked at before. Raises ValueError for what is no Word file."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._names = set(self._zip.namelist())
        self._parts: dict[str, Element] = {}
        found = (each for each in self.relations("") if each.type == "officeDocument")
        root = next(found, None)
        if root is None or root.target not in self._names:
            raise ValueError("it leads to no document")
        self.main = root.target
        if name_of(self.part(self.main)) != "w:document":
            raise ValueError("its main part is no Word document")

    @cached_property
    def body(self) -> Element:
        """Of the main part."""
        body = child_of(self.part(self.main), "w:body")
        if body is None:
            raise ValueError("it has no body")
        return body

    def part(self, name: str) -> Element:
        """The root of a part. Nothing that it declares is read from elsewhere."""
        if name not in self._parts:
            parser = etree.XMLParser(
                resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
            )
            root = etree.fromstring(self._zip.read(name), parser)
            about = root.getroottree().docinfo
            if about.doctype:  # type: ignore[union-attr]  # lxml-stubs does not know it.
                raise ValueError(f"its part {name} declares a document type")
            self._parts[name] = root
        return self._parts[name]

    def relations(self, part: str) -> list[Relation]:
        """The relations of a part ("" for the package's own), targets as names of parts."""
        folder, base = posixpath.split(part)
        name = posixpath.join(folder, "_rels", f"{base}.rels")
        if name not in self._names:
            return []
        return [_relation(folder, each) for each in elements(self.part(name))]

    def related(self, kind: str) -> list[Relation]:
        """The parts of this kind that the main part leads to and that are there."""
        return [
            each
            for each in self.relations(self.main)
            if each.type == kind and not each.external and each.target in self._names
        ]


def _relation(folder: str, element: Element) -> Relation:
    target = element.get("Target", "")
    external = element.get("TargetMode") == "External"
    if not external:
        target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
    kind = element.get("Type", "").rpartition("/")[2]
    return Relation(element.get("Id", ""), kind, target, external)


def name_of(element: Element) -> str:
    """With the prefix that everybody uses, whatever the file's is: "w:p"."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    prefix = _PREFIXES.get(name.namespace or "")
    return name.localname if prefix is None else f"{prefix}:{name.localname}"


def elements(parent: Element) -> list[Element]:
    """The elements inside of another; no comments, no text."""
    return [each for each in parent if isinstance(each.tag, str)]


def child_of(parent: Element | None, name: str) -> Element | None:
    """The first of this name."""
    if parent is None:
        return None
    return next((each for each in elements(parent) if name_of(each) == name), None)


def descendants(root: Element, name: str) -> Iterator[Element]:
    """Everything inside of this name, in the order of the text."""
    return (each for each in root.iterdescendants() if name_of(each) == name)


def attr(element: Element | None, name: str) -> str:
    """The value of a "w:…" or "r:…" attribute; empty if it is not there."""
    if element is None:
        return ""
    local = name.partition(":")[2]
    for key, value in element.attrib.items():
        full = etree.QName(key)
        if full.localname == local and full.namespace is not None:
            return str(value)
    return ""


def val_of(parent: Element | None, name: str) -> str:
    """The ``w:val`` of a child."""
    return attr(child_of(parent, name), "w:val")


def is_on(parent: Element | None, name: str) -> bool:
    """Whether a switch is among the children, and not set to off."""
    found = child_of(parent, name)
    return found is not None and attr(found, "w:val") not in ("0", "false", "off", "none")


def number(text: str, most: int) -> int:
    """A count of columns; 0 for what is none."""
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else 0
