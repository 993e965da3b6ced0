"""A bound on the work that an agent's calls can make for a grader."""

from __future__ import annotations

from .criteria import Failed
from .mentions import Target, guesses
from .shell import Command, parsed

#: How much is looked at before the calls count as impossible to judge, in letters of plain text;
#: other work is counted as so many letters as it takes the time of. By count and not by the clock:
#: the same calls get the same answer everywhere.
_EFFORT = 4_000_000
_SHELL_LETTER = 20
_COMMAND = 5
_GUESS = 1_000


class Effort:
    """What an agent can make a grader do is bounded: who asks for more fails the criterion."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._left = _EFFORT
        self._known: dict[str, bool] = {}

    def spend(self, letters: int) -> None:
        self._left -= letters
        if self._left < 0:
            raise Failed("the calls say so much that nobody can tell what they did with the file")

    def pipe(self, commands: int) -> None:
        """Counts the commands of one pipe."""
        self.spend(_COMMAND * commands)

    def commands(self, script: str) -> list[Command]:
        found, letters = parsed(script)
        self.spend(_SHELL_LETTER * letters)
        return found

    def is_named(self, word: str) -> bool:
        if word not in self._known:
            self.spend(len(word) + _GUESS * guesses(word))
            self._known[word] = self._target.in_word(word)
        return self._known[word]
