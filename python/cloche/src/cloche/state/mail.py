"""Mailboxes as graders see them: ``run.state.mail``."""

from __future__ import annotations

import builtins
import email
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message as Raw
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache, wraps
from typing import Any, cast

from ..charsets import text_in
from ..criteria import Failed
from ..files import File, FixtureError, Tree
from ..html_text import text_of_html
from .headers import addresses_in, decoded, values_of, with_readable_head
from .people import People, plain_address

INBOX = "INBOX"


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message."""

    #: As the message names it; empty if it does not.
    name: str
    #: Such as "application/pdf".
    type: str
    content: builtins.bytes

    def text(self, encoding: str = "utf-8") -> str:
        """The content as text; what can't be decoded is replaced."""
        return text_in(self.content, encoding)


def _readable(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A message can hold anything: what the parsers can't make sense of fails the criterion."""

    @wraps(read)
    def reading(message: Message) -> Any:
        try:
            return read(message)
        except (Failed, FixtureError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  Whatever the parsers meet in a crafted message.
            message._file.unreadable(f"is no message that can be read: {error}")

    return reading


class Message:
    """One message of a mailbox."""

    def __init__(self, owner: str, folder: str, file: File) -> None:
        #: Address of whose mailbox it lies in.
        self.owner = owner
        #: "INBOX", "Sent", "Projects/2026", …
        self.folder = folder
        self._file = file
        self.key, _, flags = file.name.partition(":2,")
        #: Letters: S seen, R replied, P passed on, F flagged, D draft, T trashed.
        self.flags = flags if "/new/" not in f"/{file.path}" else ""

    @property
    def id(self) -> str:
        """What the agent sees as its id."""
        return "m" + hashlib.sha256(self.key.encode()).hexdigest()[:10]

    @property
    def seen(self) -> bool:
        """Whether it is marked as read."""
        return "S" in self.flags

    @property
    def replied(self) -> bool:
        """Whether it was answered."""
        return "R" in self.flags

    @property
    def flagged(self) -> bool:
        """Whether it is flagged (starred)."""
        return "F" in self.flags

    @property
    def sender(self) -> str:
        """The address in From, in lower case; empty if there is none."""
        return next(iter(self._addresses["from"]), "")

    @property
    def to(self) -> list[str]:
        """The addresses in To, in lower case."""
        return list(self._addresses["to"])

    @property
    def cc(self) -> list[str]:
        """The addresses in Cc, in lower case."""
        return list(self._addresses["cc"])

    @property
    def bcc(self) -> list[str]:
        """The addresses in Bcc, which only the sender's own copy has."""
        return list(self._addresses["bcc"])

    @property
    def recipients(self) -> set[str]:
        """Everyone in To, Cc and Bcc."""
        return {*self.to, *self.cc, *self.bcc}

    @property
    def subject(self) -> str:
        """Decoded, in one line."""
        return self.header("Subject")

    @cached_property
    def date(self) -> datetime | None:
        """When it was written, with its time zone; when it came where Date can't be read; None if
        neither can."""
        received = [each.rpartition(";")[2] for each in values_of(self._raw, "Received")]
        for text in [*values_of(self._raw, "Date")[:1], *received[:1]]:
            try:
                moment = parsedate_to_datetime(text)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                moment.astimezone(UTC)
            except (ValueError, TypeError, IndexError, OverflowError):
                continue
            return moment
        return None

    @property
    def message_id(self) -> str:
        """With its angle brackets; empty if there is none."""
        return self.header("Message-ID")

    @property
    def in_reply_to(self) -> str:
        """The Message-ID of what it answers; empty if it answers nothing."""
        return self.header("In-Reply-To")

    @property
    def references(self) -> list[str]:
        """The Message-IDs of its thread, oldest first."""
        return re.findall(r"<[^<>\s]+>", self.header("References"))

    def header(self, name: str) -> str:
        """A header's decoded value in one line; empty if it is missing."""
        return decoded(next(iter(values_of(self._raw, name)), ""))

    @cached_property
    @_readable
    def text(self) -> str:
        """The plain text; where there is none, what a reader of the HTML sees."""
        plain = [_text(part) for part in self._bodies if part.get_content_type() == "text/plain"]
        if any(each.strip() for each in plain):
            return "\n".join(plain).replace("\r\n", "\n")
        return text_of_html(self.html)

    @cached_property
    @_readable
    def html(self) -> str:
        """The HTML text; empty if there is none."""
        parts = [part for part in self._bodies if part.get_content_type() == "text/html"]
        return "\n".join(_text(part) for part in parts)

    @cached_property
    @_readable
    def attachments(self) -> list[Attachment]:
        """Everything that is no text of the message itself, in its order."""
        bodies = {id(part) for part in self._bodies}
        return [
            Attachment(decoded(part.get_filename() or ""), part.get_content_type(), _bytes(part))
            for part in self._parts
            # What calls itself many parts and has none holds nothing that a reader sees.
            if id(part) not in bodies and part.get_content_maintype() != "multipart"
        ]

    def attachment(self, name: str) -> Attachment | None:
        """The attachment of this name; None if there is none."""
        return next((each for each in self.attachments if each.name == name), None)

    @property
    def invitation(self) -> str | None:
        """The iCalendar text of an invitation, an answer or a cancellation; None if it is none."""
        kinds = ("text/calendar", "application/ics")
        found = (each for each in self.attachments if each.type in kinds)
        part = next(found, None)
        return None if part is None else part.text()

    @cached_property
    @_readable
    def _addresses(self) -> dict[str, list[str]]:
        return {
            name: [plain_address(each) for _, each in addresses_in(values_of(self._raw, name))]
            for name in ("from", "to", "cc", "bcc")
        }

    @cached_property
    @_readable
    def _raw(self) -> Raw:
        return _parsed(self._file.bytes())

    @cached_property
    @_readable
    def _parts(self) -> list[Raw]:
        found: list[Raw] = []
        waiting = [self._raw]
        while waiting:
            part = waiting.pop()
            whole = part.get_content_type() == "message/rfc822"
            if part.is_multipart() and not (whole and part is not self._raw):
                waiting += reversed(part.get_payload())
            else:
                found.append(part)
        return found

    @cached_property
    @_readable
    def _bodies(self) -> list[Raw]:
        return [
            part
            for part in self._parts
            if part.get_content_type() in ("text/plain", "text/html")
            and part.get_content_disposition() != "attachment"
            and not part.get_filename()
        ]

    def __repr__(self) -> str:
        return f"Message({self.folder}: {self.sender} {self.subject!r})"


class Mailbox:
    """``mail/<address>/``, a Maildir with folders. Nobody's mailbox is an empty one."""

    def __init__(self, tree: Tree, directory: str, owner: str) -> None:
        self._tree = tree
        self._directory = directory
        self._owner = owner

    def folders(self) -> list[str]:
        """The names of all folders that hold a message, sorted."""
        return sorted({each.folder for each in self._messages})

    def messages(self) -> list[Message]:
        """All messages of all folders, oldest first."""
        return list(self._messages)

    def folder(self, name: str) -> list[Message]:
        """The messages of a folder, oldest first; letter case aside, "a.b" is "a/b"."""
        wanted = name.replace(".", "/").lower()
        return [each for each in self._messages if each.folder.lower() == wanted]

    def inbox(self) -> list[Message]:
        """What came and was not put away."""
        return self.folder(INBOX)

    def sent(self) -> list[Message]:
        """What was sent."""
        return self.folder("Sent")

    def drafts(self) -> list[Message]:
        """What was written and not sent."""
        return self.folder("Drafts")

    def trash(self) -> list[Message]:
        """What was thrown away."""
        return self.folder("Trash")

    def find(self, message_id: str) -> Message | None:
        """The message with this Message-ID, wherever it lies; None if there is none."""
        return next((each for each in self._messages if each.message_id == message_id), None)

    @cached_property
    def _messages(self) -> list[Message]:
        found: list[Message] = []
        if not self._directory:
            return found
        for file in self._tree.files(f"{self._directory}/**"):
            parts = file.path[len(self._directory) + 1 :].split("/")
            if parts[-1].startswith(".") or parts[-2:-1] not in (["cur"], ["new"]):
                continue
            if len(parts) == 2:
                found.append(Message(self._owner, INBOX, file))
            elif len(parts) == 3 and parts[0].startswith("."):
                name = _folder_name(parts[0])
                found.append(Message(self._owner, name, file))
        first = datetime.min.replace(tzinfo=UTC)
        return sorted(found, key=lambda each: (each.date or first, each.key))


class Mail:
    """``mail/<address>/``: the mailboxes of everyone; by default of whom the agent acts for."""

    def __init__(self, tree: Tree, people: People | None = None) -> None:
        self._tree = tree
        self._people = people

    def owners(self) -> list[str]:
        """The addresses of all who have a mailbox, sorted."""
        return sorted(self._directories)

    def mailbox(self, address: str | None = None) -> Mailbox:
        """The mailbox of an address; by default of whom the agent acts for."""
        me = self._people.me if self._people else None
        owner = plain_address(address) if address else me.email if me else ""
        return self._mailboxes.setdefault(
            owner, Mailbox(self._tree, self._directories.get(owner, ""), owner)
        )

    def folder(self, name: str) -> list[Message]:
        """The messages of a folder of the agent's, oldest first."""
        return self.mailbox().folder(name)

    def inbox(self) -> list[Message]:
        """What came to the agent and was not put away, oldest first."""
        return self.mailbox().inbox()

    def sent(self) -> list[Message]:
        """What the agent sent, oldest first. Invitations by calendar are not among it."""
        return self.mailbox().sent()

    def drafts(self) -> list[Message]:
        """What the agent wrote and did not send."""
        return self.mailbox().drafts()

    def trash(self) -> list[Message]:
        """What the agent threw away."""
        return self.mailbox().trash()

    @cached_property
    def _mailboxes(self) -> dict[str, Mailbox]:
        return {}

    @cached_property
    def _directories(self) -> dict[str, str]:
        roots = {path.split("/")[0] for path in self._tree.directories("**")}
        roots |= {file.path.split("/")[0] for file in self._tree.files("*/**")}
        return {plain_address(root): root for root in sorted(roots)}


@lru_cache(maxsize=512)
def _parsed(data: builtins.bytes) -> Raw:
    """A message, which nobody changes: each criterion reads the same files anew."""
    return email.message_from_bytes(with_readable_head(data))


def _text(part: Raw) -> str:
    return text_in(_bytes(part), part.get_content_charset())


def _bytes(part: Raw) -> builtins.bytes:
    if part.is_multipart():  # A message that is attached whole.
        return b"".join(each.as_bytes() for each in cast("list[Raw]", part.get_payload()))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _folder_name(directory: str) -> str:
    """ ".Projects.2026" is Projects/2026."""
    return directory[1:].replace(".", "/")
