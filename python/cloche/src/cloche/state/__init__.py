"""What the services of a sandbox hold: ``run.state``, a plain reading of ``/state/<service>``.

Each service's reader gets the tree below its own folder (``tree.file("work.ics")`` is
``/state/calendar/work.ics``) and is loaded when it is first asked for. Only the services write
there, but what they write is what the agent told them: a file that can't be read fails the
criterion, it is no error of the grader.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..files import Tree
    from .calendar import Calendar
    from .mail import Mail
    from .memory import Memory
    from .people import People
    from .search import Search
    from .web import Web

#: Where the services see their folders.
STATE = "/state"


class State:
    """All services' state at one moment. A service that holds nothing reads as an empty one."""

    def __init__(self, tree: Tree) -> None:
        #: Every file, by a path such as ``mail/ana@example.test/cur/1``.
        self.tree = tree

    @cached_property
    def people(self) -> People:
        """Who there is, and who the agent acts for: ``people/people.json``."""
        from .people import People

        return People(self.tree.within("people"))

    @cached_property
    def calendar(self) -> Calendar:
        """Calendars and their events: ``calendar/<owner>/<calendar>.ics``."""
        from .calendar import Calendar

        return Calendar(self.tree.within("calendar"), self.people)

    @cached_property
    def mail(self) -> Mail:
        """Mailboxes, folders and messages: ``mail/<address>/``, as Maildir."""
        from .mail import Mail

        return Mail(self.tree.within("mail"), self.people)

    @cached_property
    def search(self) -> Search:
        """The corpora that can be searched: ``search/<corpus>/``."""
        from .search import Search

        return Search(self.tree.within("search"), self.people)

    @cached_property
    def web(self) -> Web:
        """The sites and what was done there: ``web/<site>/``."""
        from .web import Web

        return Web(self.tree.within("web"), self.people)

    @cached_property
    def memory(self) -> Memory:
        """The knowledge graph: ``memory/memory.jsonl``."""
        from .memory import Memory

        return Memory(self.tree.within("memory"))
