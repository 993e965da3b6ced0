"""What each reader of the graders' library is fuzzed with, and how everything in it is read."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cloche.csv_file import csv_rows
from cloche.documents import open_document, pdf_text
from cloche.files import File, Tree
from cloche.html_text import text_of_html
from cloche.sheets import open_workbook
from cloche.snapshots import Entry
from cloche.state.calendar import Calendar
from cloche.state.mail import Mail, Message
from cloche.state.memory import Memory
from cloche.state.people import People
from cloche.state.search import Search
from cloche.state.web import Web
from cloche.steps import Step, Steps
from cloche.tables import Table
from cloche.text import compare_lists, normalise, numbers_in, word_in
from fuzz.readers.inputs import (
    CALENDAR,
    CSV,
    HTML,
    ME,
    MEMORY,
    PEOPLE,
    SHOP,
    STEP,
    TEXT,
    documents,
    mails,
    papers,
    steps,
    workbooks,
)
from fuzz.readers.mutations import mutated, mutated_json, mutated_zip

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Reader:
    """Sound inputs, what is done to them, and a reading of all that is in one."""

    seeds: Callable[[], Sequence[bytes]]
    mutate: Callable[[random.Random, bytes], bytes]
    read: Callable[[bytes], object]


def held(path: str, data: bytes) -> File:
    """A file of the agent's with this content, which lies nowhere."""
    entry = Entry(path, "file", 0o644, len(data), hashlib.sha256(data).hexdigest())
    file = File(path, entry, Path("/nowhere"), True)
    file.__dict__["_content"] = data
    return file


class HeldTree(Tree):
    """A tree of such files."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._held = {path: held(path, data) for path, data in contents.items()}
        entries = {
            path: Entry(path, "file", 0o644, file.size, file.sha256)
            for path, file in self._held.items()
        }
        super().__init__(entries, Path("/nowhere"), agents_work=True)

    def file(self, path: str) -> File:
        """The file that is held, or one that does not exist."""
        return self._held.get(path) or super().file(path)


def people() -> People:
    """The people of all services here."""
    return People(HeldTree({"people.json": json.dumps(PEOPLE).encode()}))


def read_text(data: bytes) -> object:
    """Text helpers, on a plain file."""
    file = held("notes.txt", data)
    text = file.text()
    compare_lists(file.lines(strip=True, blank=False), ["one", "two"])
    return normalise(text), numbers_in(text), word_in("total", text)


def read_csv(data: bytes) -> object:
    """A table of a CSV file."""
    file = held("list.csv", data)
    rows = csv_rows(file)
    if not rows:
        return rows
    table = Table.of(rows[0], rows[1:], 2, file.reject)
    return table.by(table.columns[0]) if table.columns else None


def read_word(data: bytes) -> object:
    """A Word file as it ends, as it began, and with its marks."""
    file = held("letter.docx", data)
    final = open_document(file)
    open_document(file, accept="original")
    open_document(file, accept="marked")
    return final.text, final.tables, final.notes


def read_workbook(data: bytes) -> object:
    """A workbook's sheets, and a cell of each computed."""
    book = open_workbook(held("book.xlsx", data), now=NOW)
    return [sheet.rows() for sheet in book.sheets]


def read_pdf(data: bytes) -> object:
    """The text of a PDF."""
    return pdf_text(held("paper.pdf", data))


def read_html(data: bytes) -> object:
    """The text of a page."""
    return text_of_html(data.decode("utf-8", "replace"))


def read_mail(data: bytes) -> object:
    """A message, whatever may be asked of it."""
    mail = Mail(HeldTree({f"{ME}/cur/1:2,S": data}), people())
    names = [name for name in vars(Message) if not name.startswith("_")]
    kinds = (property, cached_property)
    properties = [name for name in names if isinstance(vars(Message)[name], kinds)]
    return [[getattr(message, name) for name in properties] for message in mail.inbox()]


def read_calendar(data: bytes) -> object:
    """A calendar's events, and those of a month."""
    calendar = Calendar(HeldTree({f"{ME}/work.ics": data}), people())
    month = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    return calendar.events(cancelled=True), calendar.events(expand=month)


def read_memory(data: bytes) -> object:
    """A knowledge graph."""
    memory = Memory(HeldTree({"memory.jsonl": data}))
    return memory.entities(), memory.relations(), memory.entity("Ana")


def read_people(data: bytes) -> object:
    """Who there is."""
    found = People(HeldTree({"people.json": data}))
    return found.me, found.persons, found.rooms, found.find("bo@example.test")


def read_search(data: bytes) -> object:
    """A document of a corpus."""
    search = Search(HeldTree({"wiki/one.json": data, "wiki/two.md": data}), people())
    return [(each.text, each.json) for each in search.documents()]


def read_web(data: bytes) -> object:
    """What was done on a shop's site."""
    site_file = b'{"kind": "shop", "host": "shop.test", "title": "Shop"}'
    web = Web(HeldTree({"shop/site.json": site_file, "shop/data.json": data}), people())
    (site,) = web.sites()
    found = (
        site.products(),
        site.orders(),
        site.items(),
        site.loans(),
        site.holds(),
        site.bookings(),
    )
    return (
        site.kind,
        site.host,
        site.title,
        site.tables,
        [order.quantities for order in found[1]],
        found,
    )


def read_steps(data: bytes) -> object:
    """The calls of a rollout, asked about a file; what an agent says in them is data."""
    step = json.loads(data)
    steps = Steps(
        [Step.from_json({**STEP, **step, "step": number}) for number in (1, 2)],
        ["notes.txt", "a/b.csv"],
    )
    asked = steps.touching("notes.txt"), steps.reads_of("a/b.csv"), steps.writes_to("notes.txt")
    return (
        asked,
        steps.reads_after_last_write("notes.txt"),
        steps.showing("done"),
        [each.whole for each in steps],
    )


def mutated_step(rng: random.Random, data: bytes) -> bytes:
    """Another call: its arguments and its answer; the rest is the host's."""
    step = json.loads(data)
    part = rng.choice(("arguments", "result"))
    found = mutated_json(rng, json.dumps(step[part]).encode())
    try:
        step[part] = json.loads(found.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        step[part] = {"command": found.decode("utf-8", "replace")}
    return json.dumps(step).encode()


READERS: Mapping[str, Reader] = {
    "text": Reader(lambda: [TEXT], mutated, read_text),
    "csv": Reader(lambda: [CSV], mutated, read_csv),
    "html": Reader(lambda: [HTML], mutated, read_html),
    "word": Reader(documents, mutated_zip, read_word),
    "workbook": Reader(workbooks, mutated_zip, read_workbook),
    "pdf": Reader(papers, mutated, read_pdf),
    "mail": Reader(mails, mutated, read_mail),
    "calendar": Reader(lambda: [CALENDAR], mutated, read_calendar),
    "memory": Reader(lambda: [MEMORY], mutated_json, read_memory),
    "people": Reader(lambda: [json.dumps(PEOPLE).encode()], mutated_json, read_people),
    "search": Reader(
        lambda: [b'{"title": "One", "body": [1, {"a": null}]}'], mutated_json, read_search
    ),
    "web": Reader(lambda: [SHOP], mutated_json, read_web),
    "steps": Reader(steps, mutated_step, read_steps),
}
