"""The names of paragraph styles, as python-docx and people write them: "Heading 1"."""

from __future__ import annotations

import re

from .package import Package, attr, elements, name_of, val_of

_OWN = re.compile(r"(caption|footer|header|heading [1-9])\Z")


class Styles:
    """Of one file."""

    def __init__(self, package: Package) -> None:
        self._names: dict[str, str] = {}
        self._usual = ""
        for relation in package.related("styles")[:1]:
            for style in elements(package.part(relation.target)):
                if name_of(style) != "w:style" or attr(style, "w:type") not in ("", "paragraph"):
                    continue
                id_ = attr(style, "w:styleId")
                name = val_of(style, "w:name") or id_
                self._names[id_] = name.capitalize() if _OWN.match(name) else name
                if attr(style, "w:default") in ("1", "true", "on"):
                    self._usual = self._names[id_]

    def name(self, id_: str) -> str:
        """The name of a style; that of the usual one where the file does not know it."""
        return self._names.get(id_, self._usual)
