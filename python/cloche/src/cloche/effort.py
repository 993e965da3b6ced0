"""A bound on the work that an agent's calls can make for a grader."""

from __future__ import annotations

from .criteria import Unreadable
from .mentions import Target, guesses
from .shell import Command, parsed

#: How much is looked at before the calls count as impossible to judge, in letters of plain text;
#: other work is counted as so many letters as it takes the time of. By count and not by the clock:
#: the same calls get the same answer everywhere.
_EFFORT = 4_000_000
_SHELL_LETTER = 20
_COMMAND = 5
#: A word that is made of one with braces and stars, and each letter of it.
_GUESS, _GUESS_LETTER = 4_000, 4


class Effort:
    """What an agent can make a grader do is bounded: who asks for more fails the criterion."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._left = _EFFORT
        self._known: dict[str, bool] = {}
        #: What the variables of the shells hold, as far as the commands say it.
        self.values: dict[str, str] = {}

    def spend(self, letters: int) -> None:
        self._left -= letters
        if self._left < 0:
            raise Unreadable(
                "the calls say so much that nobody can tell what they did with the file"
            )

    def pipe(self, commands: int) -> None:
        """Counts the commands of one pipe."""
        self.spend(_COMMAND * commands)

    def commands(self, script: str) -> list[Command]:
        found, letters = parsed(script)
        self.spend(_SHELL_LETTER * letters)
        return found

    def is_named(self, word: str) -> bool:
        if word not in self._known:
            self.spend(len(word) + guesses(word) * (_GUESS + _GUESS_LETTER * len(word)))
            self._known[word] = self._target.in_word(word)
        return self._known[word]
