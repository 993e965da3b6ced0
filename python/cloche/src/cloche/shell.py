"""Takes a shell script apart, far enough to see what its commands name.

No shell: nothing is run or expanded. What it can't follow it leaves as words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

LENGTH_LIMIT = 200_000
_DEPTH = 8
#: Scripts up to so many letters are kept: each criterion asks for the same.
_REMEMBERED = 20_000
#: Letters that are passed over at once, for the time that one takes that is looked at.
_PASSED = 16
_RESERVED = frozenset("if then else elif fi do done while until { } ! time".split())
_PREFIXES = frozenset(
    "sudo env command exec nohup nice time timeout stdbuf builtin eval xargs".split()
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)\s*(['\"\\]?)([\w.-]+)\2")


@dataclass
class Command:
    """One simple command, in the order of the script."""

    words: list[str] = field(default_factory=list)
    #: Files that its input and output are redirected to.
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    #: What its here-documents hold.
    body: str = ""
    #: Commands joined by "|" have one number.
    pipeline: int = 0

    @property
    def assignments(self) -> list[tuple[str, str]]:
        """``NAME=value`` words in front of the command or as the command."""
        found = []
        for word in self.words:
            match = _ASSIGNMENT.fullmatch(word)
            if match is None and word not in ("export", "local", "declare", "readonly"):
                break
            if match is not None:
                found.append((match[1], match[2]))
        return found

    @property
    def argv(self) -> list[str]:
        """The program and its arguments, without assignments, ``sudo``, ``timeout 5`` and such."""
        words, at = self.words, 0
        while at < len(words):
            if _ASSIGNMENT.fullmatch(words[at]) or words[at] in _RESERVED:
                at += 1
            elif words[at] in _PREFIXES:
                at += 1
                while at < len(words) and (
                    words[at].startswith("-") or re.fullmatch(r"[\d.]+[smhd]?", words[at])
                ):
                    at += 1
            else:
                break
        return words[at:]

    @property
    def program(self) -> str:
        """The name of the program, without its folder; "" if there is none."""
        argv = self.argv
        return argv[0].rpartition("/")[2] if argv else ""


def commands(script: str, depth: int = 0) -> list[Command]:
    """The simple commands of a script, those in ``$(…)``, backticks and brackets among them."""
    return parsed(script, depth)[0]


def parsed(script: str, depth: int = 0) -> tuple[list[Command], int]:
    """The commands, which nobody may change, and how many letters had to be looked at for them."""
    if depth > _DEPTH:
        return [], 0
    return _remembered(script, depth) if len(script) <= _REMEMBERED else _read(script, depth)


@lru_cache(maxsize=256)
def _remembered(script: str, depth: int) -> tuple[list[Command], int]:
    return _read(script, depth)


def _read(script: str, depth: int) -> tuple[list[Command], int]:
    reader = _Reader(script[:LENGTH_LIMIT], depth)
    return reader.read(), reader.looked_at


class _Reader:
    """Goes through a script letter by letter."""

    def __init__(self, script: str, depth: int) -> None:
        self._bodies: list[tuple[Command, str, bool]] = []
        self._script = script.replace("\\\n", " ")
        self._depth = depth
        self._at = 0
        self._found: list[Command] = []
        self._command = Command()
        self._word: list[str] | None = None
        self._redirect: str | None = None
        self._pipeline = 0
        #: Letters outside quotes and here-documents, those of what is nested among them.
        self.looked_at = 0

    def read(self) -> list[Command]:
        while self._at < len(self._script):
            self.looked_at += 1
            self._step(self._script[self._at])
        self._end_command()
        return self._found

    def _step(self, letter: str) -> None:
        rest = self._script[self._at : self._at + 2]
        if letter in "'\"":
            self._quoted(letter)
        elif letter == "\\":
            self._add(self._script[self._at + 1 : self._at + 2], 2)
        elif rest == "$(" or letter == "`":
            self._substituted(letter)
        elif letter == "#" and self._word is None:
            end = self._script.find("\n", self._at)
            self._at = len(self._script) if end < 0 else end
        elif letter in "<>":
            self._redirected()
        elif letter in ";&|()\n":
            self._separated(letter)
        elif letter in " \t\r":
            self._end_word()
            self._at += 1
        else:
            self._add(letter, 1)

    def _add(self, text: str, length: int) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)
        self._at += length

    def _quoted(self, quote: str) -> None:
        end = self._at + 1
        while end < len(self._script) and self._script[end] != quote:
            end += 2 if quote == '"' and self._script[end] == "\\" else 1
        inside = self._script[self._at + 1 : end]
        if quote == '"':
            self.looked_at += len(inside) // _PASSED
            for nested in re.findall(r"\$\(([^()]*)\)|`([^`]*)`", inside):
                self._nest(nested[0] or nested[1])
            inside = re.sub(r'\\(["\\$`])', r"\1", inside)
        self._add(inside, end + 1 - self._at)

    def _substituted(self, letter: str) -> None:
        start = self._at + (1 if letter == "`" else 2)
        end = self._script.find("`", start) if letter == "`" else self._closing(start)
        end = len(self._script) if end < 0 else end
        inside = self._script[start:end]
        self.looked_at += len(inside) // _PASSED
        self._nest(inside)
        self._add(f"$({inside})", end + 1 - self._at)

    def _nest(self, script: str) -> None:
        found, looked_at = parsed(script, self._depth + 1)
        self._found.extend(found)
        self.looked_at += looked_at

    def _closing(self, start: int) -> int:
        open_brackets = 1
        for index in range(start, len(self._script)):
            open_brackets += {"(": 1, ")": -1}.get(self._script[index], 0)
            if open_brackets == 0:
                return index
        return -1

    def _redirected(self) -> None:
        heredoc = _HEREDOC.match(self._script, self._at)
        if heredoc:
            self._end_word()
            self._bodies.append((self._command, heredoc[3], heredoc[1] == "-"))
            self._at = heredoc.end()
            return
        if self._word is not None and "".join(self._word).isdigit():
            self._word = None
        self._end_word()
        sign = re.match(r"<<<|<>|>>|>\||[<>]", self._script[self._at : self._at + 3])
        text = sign[0] if sign else "<"
        self._at += len(text)
        if self._script[self._at : self._at + 1] == "&":
            self._at += 1
            text = "&"
        self._redirect = text

    def _separated(self, letter: str) -> None:
        if letter == "&" and self._script[self._at + 1 : self._at + 2] == ">":
            self._end_word()
            self._at += 1
            return
        sign = re.match(r"&&|\|\||\|&|.", self._script[self._at : self._at + 2], re.DOTALL)
        text = sign[0] if sign else letter
        piped = text in ("|", "|&")
        self._at += len(text)
        self._end_command()
        if not piped and letter not in "()":
            self._pipeline += 1
        if letter == "\n":
            self._read_bodies()

    def _read_bodies(self) -> None:
        for command, end_mark, tabs in self._bodies:
            lines: list[str] = []
            while self._at < len(self._script):
                stop = self._script.find("\n", self._at)
                stop = len(self._script) if stop < 0 else stop
                line = self._script[self._at : stop]
                self._at = stop + 1
                if (line.lstrip("\t") if tabs else line) == end_mark:
                    break
                lines.append(line)
            command.body += "\n".join(lines) + "\n"
        self._bodies = []

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        if self._redirect is None or self._redirect == "<<<":
            self._command.words.append(word)
        elif self._redirect != "&":
            (self._command.inputs if self._redirect == "<" else self._command.outputs).append(word)
        self._redirect = None

    def _end_command(self) -> None:
        self._end_word()
        command, self._command, self._redirect = self._command, Command(), None
        if command.words or command.inputs or command.outputs:
            command.pipeline = self._pipeline
            self._found.append(command)
