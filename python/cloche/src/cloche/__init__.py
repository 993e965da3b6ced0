"""Cloche's library for graders, generators and policies.

A grader is a plain Python file::

    from cloche import check, criterion, grade

    @criterion("updates.txt exists", weight=1)
    def exists(run):
        return run.workspace.file("updates.txt").exists()

    grade()

The helpers live in modules of their own: ``cloche.sheets``, ``cloche.tables``, ``cloche.text``,
``cloche.documents``, ``cloche.dates``, ``cloche.identifiers``; ``cloche.build`` is for generators.
"""

from .changes import Changes
from .criteria import Failed, check, criterion, fail, grade
from .execution import Executed
from .files import File, Tree
from .run import Context, Ending, Run
from .steps import Step, Steps

__all__ = [
    "Changes",
    "Context",
    "Ending",
    "Executed",
    "Failed",
    "File",
    "Run",
    "Step",
    "Steps",
    "Tree",
    "check",
    "criterion",
    "fail",
    "grade",
]
