"""What tests of mutants share."""

from __future__ import annotations

from typing import Any

from cloche.loading import load_grader
from cloche.proof.changes import Mutant
from cloche.proof.ground import Edits, Ground
from cloche.proof.mutants import all_mutants
from cloche.proof.trial import Trials
from support import FolderCase

GRADER = """
from cloche import check, criterion, grade

@criterion("right")
def right(run):
    found = run.workspace.file("out.txt").lines(strip=True, blank=False)
    check(found == ["bolt 12", "hinge 7", "screw 2026-03-02"], f"found {found}")
    return True

grade()
"""
ADDITIONS = ("sheet added", "column added", "cell added on the right", "cell added below")
LINES = "bolt 12\nhinge 7\nscrew 2026-03-02\n"


class MutantsCase(FolderCase):
    def ground(
        self,
        after: dict[str, Any],
        before: dict[str, Any] | None = None,
        grader: str = GRADER,
        state: tuple[dict[str, Any], dict[str, Any]] | None = None,
        steps: list[dict[str, Any]] | None = None,
    ) -> Ground:
        from support import write_tree

        run = self.folder / "run"
        run.mkdir()
        self.folder = run
        self.run_folder(grader, before or {}, after, steps)
        if state:
            write_tree(run, "state-before", state[0])
            write_tree(run, "state-after", state[1])
        return Ground(run)

    def mutants(
        self, ground: Ground, uses: tuple[str, ...] = (), free: tuple[str, ...] = ()
    ) -> list[Mutant]:
        return all_mutants(ground, "seed", uses, free, 500)

    def passes(self, ground: Ground, all_edits: list[Edits]) -> list[bool]:
        """Whether the grader of the ground lets each variation pass."""
        found: dict[int, bool] = {}
        trials = Trials(ground, load_grader(ground.root), at_once=2, seconds=30)
        trials.grade(all_edits, lambda at, v: found.update({at: all(c["score"] == 1 for c in v)}))
        return [found[at] for at in range(len(all_edits))]
