"""Which calls could have shown or changed a file, told from what they were asked to do.

A call's arguments can't prove what its program did. These rules are generous to honest work and
refuse what could not have shown the file: a failed call, another path, a mere listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from .effort import Effort
from .mentions import Target, texts_in
from .shell import Command

if TYPE_CHECKING:
    from .steps import Step

Use = Literal["read", "write"]
#: Arguments that hold a command for a shell.
_SHELL = ("command", "cmd", "script", "commands")
#: Arguments that hold a program's text.
_CODE = ("code",)
_READING = frozenset(
    "read view open cat show extract load parse head tail grep filter render".split()
)
_LOOKING = frozenset("list info stat tree search exists find".split())
_WRITING = frozenset(
    "write edit create append insert replace update delete remove move rename copy save put sort "
    "format merge fill set add close settle recalculate define".split()
)
#: Tools that make one file of another, which they don't show: what names the one that is made.
_MAKING = {"export": "csv", "convert": "to", "import": "path", "fill": "to"}
#: Programs that name a file without showing what is in it.
_NAMING = frozenset(
    "ls echo printf stat test [ [[ touch rm mkdir rmdir cd pushd popd true false : chmod chown "
    "file du which type basename dirname realpath readlink find tree ln wc sha256sum md5sum "
    "sha1sum cksum truncate export unset alias sleep kill wait exit pwd read for declare "
    "local readonly mktemp".split()
)
#: Programs that write what they are told to last, and those that write all that they name.
_TO_LAST = frozenset("tee cp install mv ln rsync sed dd".split())
_TO_NAMED = frozenset("tee touch rm truncate unlink shred patch ed ex split".split())
#: What a shell puts a value in the place of.
_VARIABLE = re.compile(r"\$\([^()]*\)|`[^`]*`|\$\{(\w+)[^{}]*\}|\$(\w+)")
#: No value is longer.
_SPELT = 4_096
_INTERPRETERS = re.compile(r"(python|node|perl|ruby|php|lua|deno|bun)[\d.]*")
_SHELLS = frozenset("sh bash dash zsh ksh source .".split())
_FOLDER_READERS = frozenset("grep rg ag tar zip cp find xargs cat".split())
_LISTING_CODE = re.compile(r"glob|listdir|iterdir|scandir|walk|readdir|opendir")
_WRITING_CODE = re.compile(
    r"""(?:,|mode\s*=)\s*['"][wax]b?\+?t?['"]\s*[,)]|write_(?:text|bytes)|writelines|\.save\("""
    r"""|(?<!stdout)(?<!stderr)\.write\(|to_(?:csv|excel)|writeFile|appendFile|createWriteStream"""
    r"""|\.unlink\(|os\.(?:remove|rename|replace)|shutil\.|(?<!\S)-i\b"""
)
#: What an exit code of a command that did its work may be: grep and diff say 1 for "none".
_DONE = (None, 0, 1)


def reading_steps(steps: Iterable[Step], target: Target) -> list[Step]:
    """The steps that could have shown the file. ``steps`` are successes, in order."""
    return [step for step, uses in _followed(steps, target) if "read" in uses and step.whole]


def writing_steps(steps: Iterable[Step], target: Target) -> list[Step]:
    """The steps that could have written, moved or removed the file."""
    return [step for step, uses in _followed(steps, target) if "write" in uses]


def ends_reading(steps: Iterable[Step], target: Target) -> list[Step]:
    """The steps that could have shown the file as they left it: their last use of it is a read."""
    followed = _followed(steps, target)
    return [step for step, uses in followed if uses[-1:] == ["read"] and step.whole]


def naming_steps(steps: Iterable[Step], target: Target) -> list[Step]:
    """The steps whose arguments name the file in some form."""
    effort = Effort(target)
    return [step for step in steps if _names(step, target, effort)]


def _names(step: Step, target: Target, effort: Effort) -> bool:
    for text in texts_in(step.arguments):
        effort.spend(len(text))
        if target.is_path(text) or target.in_text(text):
            return True
    words = (
        word
        for text in _scripts(step, _SHELL)
        for each in effort.commands(text)
        for word in each.words
    )
    return any(effort.is_named(word) for word in words)


def _followed(steps: Iterable[Step], target: Target) -> Iterable[tuple[Step, list[Use]]]:
    """Each step with its uses of the file, in order. Remembers the scripts that were written."""
    scripts: dict[str, str] = {}
    effort = Effort(target)
    for step in steps:
        shells, codes = _scripts(step, _SHELL), _scripts(step, _CODE)
        effort.spend(sum(len(text) for text in texts_in(step.arguments)))
        if shells or codes:
            uses = [use for text in shells for use in _Script(text, target, scripts, effort).uses()]
            uses.extend(use for text in codes for use in _code_uses(text, target))
            yield (
                step,
                uses if _exit_code(step) in _DONE else [use for use in uses if use == "write"],
            )
        else:
            _remember(step, scripts, effort)
            yield step, _tool_uses(step, target)


def _tool_uses(step: Step, target: Target) -> list[Use]:
    """Uses by a tool that is given paths: told from the tool's name and the whole path."""
    if not any(target.is_path(text) for text in texts_in(step.arguments)):
        return []
    said = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", step.tool).lower()))
    made = next((step.argument(name) for verb, name in _MAKING.items() if verb in said), None)
    if isinstance(made, str):
        return ["write"] if target.is_path(made) else []
    if said & _WRITING:
        return ["write"]
    return ["read"] if said & _READING and not said & _LOOKING else []


def _remember(step: Step, scripts: dict[str, str], effort: Effort) -> None:
    """Keeps what a tool wrote into a file, in case the file is a script that is run later."""
    path = step.argument("path") or step.argument("file_path")
    texts = [text for text in texts_in(step.arguments) if text != path]
    if isinstance(path, str) and texts:
        name = path.rpartition("/")[2]
        before = [] if step.tool == "write_file" else [scripts.get(name, "")]
        effort.spend(sum(map(len, before)))
        scripts[name] = "\n".join(before + texts)


class _Script:
    """One shell command line and the names that stand for the file in it."""

    def __init__(
        self,
        text: str,
        target: Target,
        scripts: dict[str, str],
        effort: Effort,
        depth: int = 0,
    ) -> None:
        self._commands = effort.commands(text)
        self._target = target
        self._scripts = scripts
        self._effort = effort
        self._depth = depth
        self._carriers: set[str] = set()
        self._pipes: dict[int, list[Command]] = {}
        for command in self._commands:
            self._pipes.setdefault(command.pipeline, []).append(command)

    def uses(self) -> list[Use]:
        found: list[Use] = []
        for command in self._commands:
            self._note_carriers(command)
            self._note_script(command)
            found.extend(self._uses_of(command))
        return found

    def _uses_of(self, command: Command) -> list[Use]:
        program, argv = command.program, command.argv
        uses: list[Use] = []
        if any(self._named(path) for path in command.inputs) and program not in _NAMING:
            uses.append("read")
        if program in _SHELLS:
            uses.extend(self._inner_uses(command))
        elif _INTERPRETERS.fullmatch(program):
            uses.extend(self._interpreted(command))
        else:
            written = self._written(program, argv)
            others = [word for word in argv[1:] if self._named(word)]
            for word in written:
                if word in others:
                    others.remove(word)
            if program not in _NAMING or self._handed_on(command):
                inside = any(self._target.folder_in_word(word) for word in argv[1:])
                uses.extend(["read"] if others or (inside and self._searches(command)) else [])
            uses.extend(["write"] if written else [])
        made = (path for path in command.outputs if self._named(path) or self._could_be(path))
        uses.extend("write" for _ in made)
        return uses

    def _written(self, program: str, argv: list[str]) -> list[str]:
        """The words by which a program is told to write, move or remove the file."""
        named = [word for word in argv[1:] if self._named(word)]
        if program in _TO_LAST and argv[1:] and self._could_be(argv[-1]):
            return [argv[-1]]
        if program in _TO_NAMED:
            return named
        if program in ("cp", "install", "ln", "rsync"):
            return named if named and self._named(argv[-1]) else []
        if program == "mv":
            return named
        if program in ("sed", "perl", "ruby") and any(
            re.match(r"-\w*i|--in-place", word) for word in argv
        ):
            return named
        if program == "awk" and any(">" in word and self._named(word) for word in argv):
            return [word for word in named if ">" in word]
        return [
            word
            for before, word in pairwise(argv)
            if self._named(word)
            and (before in ("-o", "--output") or re.match(r"--output=|of=|-o\S", word))
        ]

    def _interpreted(self, command: Command) -> list[Use]:
        """Uses by code: inline, in a here-document, or in a script that was written before."""
        texts = [*command.argv[1:], command.body]
        code = "\n".join([*texts, *self._known(command)])
        named = any(self._named(text) for text in texts) or self._named(code)
        return _code_uses(code, self._target, named)

    def _inner_uses(self, command: Command) -> list[Use]:
        if self._depth > 2:
            return []
        texts = [*command.argv[1:], command.body, *self._known(command)]
        inner = (
            _Script(text, self._target, self._scripts, self._effort, self._depth + 1)
            for text in texts
            if " " in text
        )
        return [use for script in inner for use in script.uses()]

    def _known(self, command: Command) -> list[str]:
        """What lies in the scripts that the command names."""
        named = dict.fromkeys(word.rpartition("/")[2] for word in command.argv[1:])
        known = [self._scripts[name] for name in named if name in self._scripts]
        self._effort.spend(sum(map(len, known)))
        return known

    def _note_carriers(self, command: Command) -> None:
        """Variables that stand for the file: ``F=…``, ``for f in …``, ``| while read f``."""
        values = self._effort.values
        for name, value in command.assignments:
            values[name] = self._spelt(value)
            if self._named(value):
                self._carriers.add(name)
        words = command.words
        words = words[1:] if words[:1] == ["do"] else words
        if words[:1] == ["for"] and len(words) > 3:
            values[words[1]] = self._spelt("{" + ",".join(words[3:]) + "}")
        if words[:1] == ["for"] and len(words) > 2 and any(self._named(word) for word in words[3:]):
            self._carriers.add(words[1])
        if "read" in words and self._pipe_names(command):
            self._carriers.update(
                word for word in words[words.index("read") + 1 :] if word.isidentifier()
            )

    def _note_script(self, command: Command) -> None:
        """``cat > make.py <<EOF``: the body is what a later ``python3 make.py`` runs."""
        targets = [*command.outputs, *(command.argv[1:] if command.program == "tee" else [])]
        for path in targets:
            if command.body:
                self._scripts[path.rpartition("/")[2]] = command.body

    def _named(self, text: str) -> bool:
        if self._effort.is_named(text):
            return True
        used = re.findall(r"\$\{?(\w+)", text)
        return any(name in self._carriers for name in used)

    def _could_be(self, word: str) -> bool:
        """Whether a word with variables could be the file, as far as their values are known."""
        if "$" not in word and "`" not in word:
            return False
        return self._effort.is_named(self._spelt(word))

    def _spelt(self, word: str) -> str:
        """A word with the values of its variables, ``*`` for those that nobody knows."""
        self._effort.spend(len(word))
        known = self._effort.values

        def value(found: re.Match[str]) -> str:
            text = known.get(found[1] or found[2] or "", "*")
            self._effort.spend(len(text))
            return text

        return _VARIABLE.sub(value, word)[:_SPELT]

    def _pipe_names(self, command: Command) -> bool:
        words = [word for each in self._pipe(command) for word in each.words]
        return any(self._named(word) or self._target.folder_in_word(word) for word in words)

    def _handed_on(self, command: Command) -> bool:
        """Whether what this command names is opened by another: ``find … | xargs cat``."""
        if command.program == "find" and any(word.startswith("-exec") for word in command.words):
            return True
        return any(
            "xargs" in each.words and each.program not in _NAMING for each in self._pipe(command)
        )

    def _pipe(self, command: Command) -> list[Command]:
        """All commands of a command's pipeline, which are gone through for each of them."""
        pipe = self._pipes[command.pipeline]
        self._effort.pipe(len(pipe))
        return pipe

    def _searches(self, command: Command) -> bool:
        """Whether the command goes through all files of a folder."""
        flags = "".join(word for word in command.words if re.match(r"-\w", word))
        if command.program in ("grep", "cp"):
            return "r" in flags.lower() or ("a" in flags and command.program == "cp")
        return command.program in _FOLDER_READERS or self._handed_on(command)


def _code_uses(code: str, target: Target, named: bool | None = None) -> list[Use]:
    """Uses by a program's text. One that writes is not believed to look at what it wrote."""
    named = target.in_text(code) if named is None else named
    listed = _LISTING_CODE.search(code) is not None and target.folder_in_text(code)
    if not named:
        return ["read"] if listed else []
    return ["read", "write"] if _WRITING_CODE.search(code) else ["read"]


def _scripts(step: Step, arguments: tuple[str, ...]) -> list[str]:
    values = (step.argument(name) for name in arguments)
    return [text for value in values for text in texts_in(value)]


def _exit_code(step: Step) -> object:
    structured = step.structured if isinstance(step.structured, dict) else {}
    return structured.get("exitCode", structured.get("exit_code"))
