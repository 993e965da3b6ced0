"""What ``generate(variant)`` fills its folders with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .blocks import Block
    from .calendars import CalendarFile, When
    from .corpora import Corpus
    from .letters import Mail
    from .persons import People, Person
    from .workbooks import Sheets


class Builders:
    """Writers that know a variant's folders and clock. What is written twice is the last one."""

    workspace: Path
    state: Path
    now: datetime

    def text(self, path: str, text: str) -> Path:
        """A text file of the workspace."""
        from .files import save_text

        save_text(self._place(path), text)
        return self._place(path)

    def workbook(self, path: str, sheets: Sheets) -> Path:
        """A workbook of the workspace; see ``Sheet``."""
        from .workbooks import make_workbook

        make_workbook(self._place(path), sheets, self.now)
        return self._place(path)

    def document(self, path: str, blocks: Sequence[Block]) -> Path:
        """A Word document of the workspace; see ``Block``."""
        from .blocks import make_document

        make_document(self._place(path), blocks, self.now)
        return self._place(path)

    def pdf(self, path: str, blocks: Sequence[Block], *, title: str = "", author: str = "") -> Path:
        """A PDF of the workspace; see ``Block``."""
        from .blocks import make_pdf

        make_pdf(self._place(path), blocks, title=title, author=author)
        return self._place(path)

    def people(self, me: Person | None = None, others: Iterable[Person] = ()) -> People:
        """Says who there is. Without anybody: those whom the fixture set brought."""
        from .persons import People

        path = self._service("people") / "people.json"
        if me is None:
            return People.load(path)
        people = People(me, others)
        people.save(path)
        return people

    @cached_property
    def mail(self) -> Mail:
        """All mailboxes."""
        from .letters import Mail

        return Mail(self._service("mail"))

    def calendar(self, owner: Person, name: str = "main") -> CalendarFile:
        """A calendar of a person or room, with what is in it already."""
        from .calendars import CalendarFile

        path = self._service("calendar") / owner.email / f"{name}.ics"
        return CalendarFile(path, owner, self.now)

    def meeting(
        self,
        organizer: Person,
        guests: Sequence[Person | tuple[Person, str]],
        title: str,
        start: When,
        end: When,
        **said: Any,
    ) -> str:
        """An event in the calendars of all who are asked and have not declined; returns its uid."""
        asked = [each if isinstance(each, tuple) else (each, "accepted") for each in guests]
        said |= {"organizer": organizer, "attendees": [(organizer, "accepted"), *asked]}
        uid = self.calendar(organizer).event(title, start, end, **said)
        for who, answer in asked:
            if answer != "declined":
                self.calendar(who).event(title, start, end, **{**said, "uid": uid})
        return uid

    def corpus(self, name: str, **said: Any) -> Corpus:
        """A new collection of documents; see ``Corpus``."""
        from .corpora import Corpus

        return Corpus(self._service("search") / name, **said)

    def _place(self, path: str) -> Path:
        place = (self.workspace / path.removeprefix("/workspace/")).resolve()
        if not place.is_relative_to(self.workspace.resolve()):
            raise ValueError(f"{path!r} is not in the workspace")
        return place

    def _service(self, name: str) -> Path:
        folder = self.state / name
        if not folder.is_dir():
            raise ValueError(
                f"this task has no service that keeps {name}: name its server in task.toml"
            )
        return folder
