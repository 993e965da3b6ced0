"""Who there is in the task's world: persons and rooms, and the one whom the agent acts for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ..files import File, Tree
from .records import parse_json, text_of

PEOPLE_FILE = "people.json"


@dataclass(frozen=True)
class Person:
    """A person, or a room that can be booked."""

    name: str
    #: In lower case, as addresses are compared.
    email: str
    kind: Literal["person", "room"] = "person"
    #: Such as "Europe/Madrid"; None if the fixture does not say.
    timezone: str | None = None

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class People:
    """``people/people.json``: everybody, in the fixture's order; nobody if there is no file."""

    def __init__(self, tree: Tree) -> None:
        self._file = tree.file(PEOPLE_FILE)

    @property
    def me(self) -> Person | None:
        """Whom the agent acts for; None for a world without people."""
        address = self._data.get("me")
        if address is None:
            return None
        found = self.find(address) if isinstance(address, str) else None
        if found is None:
            self._file.reject(f"says that the agent is {address!r}, who is not among its people")
        return found

    @property
    def persons(self) -> list[Person]:
        """Everybody but the rooms."""
        return [each for each in self._all if each.kind == "person"]

    @property
    def rooms(self) -> list[Person]:
        """What can be booked."""
        return [each for each in self._all if each.kind == "room"]

    def find(self, address: str) -> Person | None:
        """Whose address this is, letter case aside; None for a stranger."""
        wanted = plain_address(address)
        return next((each for each in self._all if each.email == wanted), None)

    def __getitem__(self, address: str) -> Person:
        """As ``find``; a stranger's address is a mistake of the grader's."""
        found = self.find(address)
        if found is None:
            raise KeyError(f"nobody in {PEOPLE_FILE} has the address {address!r}")
        return found

    def __iter__(self) -> Iterator[Person]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _data(self) -> dict[str, Any]:
        if self._file.kind is None:
            return {}
        data = parse_json(self._file, self._file.text())
        if not isinstance(data, dict):
            self._file.reject('is not an object with "me" and "people"')
        return data

    @cached_property
    def _all(self) -> list[Person]:
        entries = self._data.get("people", [])
        if not isinstance(entries, list):
            self._file.reject('has no list "people"')
        return [_person(self._file, each, f"person {n}") for n, each in enumerate(entries, 1)]


def plain_address(address: str) -> str:
    """An e-mail address as it is compared: lower case, no blanks around, without "mailto:"."""
    return address.strip().lower().removeprefix("mailto:")


def _person(file: File, data: Any, where: str) -> Person:
    if not isinstance(data, dict):
        file.reject(f"has something else than an object as {where}")
    kind = data.get("kind", "person")
    if kind not in ("person", "room"):
        file.reject(f'has the kind {kind!r} for {where}; it is "person" or "room"')
    zone = data.get("timezone")
    return Person(
        name=text_of(file, data, "name", where),
        email=plain_address(text_of(file, data, "email", where)),
        kind=kind,
        timezone=None if zone is None else text_of(file, data, "timezone", where),
    )
