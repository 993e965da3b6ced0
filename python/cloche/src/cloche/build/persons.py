"""Who there is: ``people.json``, which calendar and mail know people and rooms by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import save_json


@dataclass(frozen=True)
class Person:
    """A person; with seats a room that can be booked."""

    name: str
    email: str
    seats: int = 0
    timezone: str = "Europe/Madrid"

    @property
    def first(self) -> str:
        """The first name."""
        return self.name.split()[0]

    @property
    def is_room(self) -> bool:
        """Whether it can be booked, and has no mailbox."""
        return self.seats > 0

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def row(self) -> dict[str, Any]:
        """As it stands in people.json."""
        kind = {"kind": "room", "capacity": self.seats} if self.is_room else {"kind": "person"}
        return {"name": self.name, "email": self.email, "timezone": self.timezone, **kind}


class People:
    """Everybody of a world, by address, and the one whom the agent acts for."""

    def __init__(self, me: Person, others: Iterable[Person]) -> None:
        self.me = me
        self._by_email = {each.email: each for each in [me, *others]}

    @classmethod
    def load(cls, path: Path) -> People:
        """Those of a people.json, such as a fixture set brings it."""
        data = json.loads(path.read_text(encoding="utf-8"))
        everybody = {
            row["email"]: Person(
                row["name"], row["email"], row.get("capacity", 0), row.get("timezone", "UTC")
            )
            for row in data["people"]
        }
        return cls(everybody[data["me"]], everybody.values())

    def save(self, path: Path) -> None:
        """Writes people.json, in the order of the addresses."""
        rows = [self._by_email[email].row() for email in sorted(self._by_email)]
        save_json(path, {"me": self.me.email, "people": rows})

    @property
    def persons(self) -> list[Person]:
        """Everybody but the rooms."""
        return [each for each in self if not each.is_room]

    @property
    def rooms(self) -> list[Person]:
        """What can be booked."""
        return [each for each in self if each.is_room]

    def __getitem__(self, email: str) -> Person:
        return self._by_email[email]

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_email.values())

    def __len__(self) -> int:
        return len(self._by_email)
