"""Grades the update. What must not happen counts only for a list that has something right in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cloche import Run, Step, check, criterion, fail, grade
from cloche.identifiers import isbn13

UPDATES = "updates.txt"
LINE = re.compile(
    r"ADD (?P<added>\d{13}) (?P<copies>[1-9]\d{0,5})|DELETE (?P<deleted>\d{13})", re.ASCII
)
REPORTS = {
    "delivery": "delivery.docx",
    "damage": "damage.pdf",
    "donations": "donations.xlsx",
    "purge": "purge.eml",
}
# Tools of the server "filesystem" that show a file.
READERS = ("read_text_file", "read_file", "read_multiple_files")
SURE_WRITE = re.compile(r"""updates\.txt['"]\s*,\s*['"][wax]|\b(?:sed\s+-i|sort\s+-o)\b""")
ROWS_TO_SHOW = 10
BYTES_READ = 200_000
SHOWN = 6


@dataclass
class Update:
    """updates.txt as it was read: lines of the asked form, in their order, and all others."""

    lines: list[str]
    strange: list[str]

    @classmethod
    def of(cls, run: Run) -> Update:
        file = run.workspace.file(UPDATES)
        check(file.exists(), f"expected a file /workspace/{UPDATES}, found none")
        check(file.size <= BYTES_READ, f"{UPDATES} has {file.size} bytes; {BYTES_READ} are read")
        lines = [line.rstrip() for line in file.lines()]
        lines = [line for line in lines if line]
        check(lines, f"expected lines in {UPDATES}, found it empty")
        update = cls([], [])
        for line in lines:
            (update.lines if is_line(line) else update.strange).append(line)
        return update

    def of_kind(self, kind: str) -> list[str]:
        return [line for line in self.lines if line.startswith(kind + " ")]

    def require_something_right(self, run: Run, kind: str = "") -> None:
        """What an empty or invented list gets for free is not worth anything."""
        wanted = [line for line in run.expected["lines"] if line.startswith(kind)]
        found = set(self.lines) & set(wanted)
        what = f"{kind} line" if kind else "line"
        check(found, f"counts only once the list has a right {what}; found none of {len(wanted)}")


def is_line(line: str) -> bool:
    found = LINE.fullmatch(line)
    isbn = found and (found["added"] or found["deleted"])
    return bool(isbn) and isbn13(isbn) == isbn


@criterion(
    "updates.txt is there and every line has the form asked",
    weight=1,
    asks="`/workspace/updates.txt` is plain text, one line per title, nothing else in it "
    "(no heading, no comment):",
)
def well_formed(run: Run) -> tuple[bool, str]:
    update = Update.of(run)
    check(
        not update.strange,
        "expected only lines `ADD <isbn13> <copies>` and `DELETE <isbn13>` "
        f"with valid ISBNs, found {some(update.strange, repr)}",
    )
    return True, f"{len(update.lines)} lines, all of the form asked"


@criterion(
    "lines are sorted and no title stands twice",
    weight=1,
    asks="First all `ADD` lines, then all `DELETE` lines, each group by ascending ISBN, no "
    "title twice.",
)
def sorted_once(run: Run) -> tuple[bool, str]:
    update = Update.of(run)
    update.require_something_right(run)
    keys = [tuple(line.split()[:2]) for line in update.lines]
    for earlier, later in pairwise(keys):
        check(earlier <= later, f"expected {' '.join(later)} before {' '.join(earlier)}")
    times = Counter(isbn for _, isbn in keys)
    twice = sorted(isbn for isbn in times if times[isbn] > 1)
    check(not twice, f"expected each title once, found twice: {some(twice)}")
    return True, f"{len(keys)} lines in order, no title twice"


@criterion(
    "additions from the delivery are right",
    weight=2,
    asks="The number *delivered* counts, not the number ordered.",
)
def delivery(run: Run) -> tuple[float, str]:
    return lines_of_report(run, "delivery")


@criterion(
    "additions from the donations are right",
    weight=2,
    asks="Only lines with the decision `accepted` count.",
)
def donations(run: Run) -> tuple[float, str]:
    return lines_of_report(run, "donations")


@criterion(
    "deletions from the damage report are right",
    weight=2,
    asks="A copy assessed `write-off` leaves us, also if it is a reference copy.",
)
def damage(run: Run) -> tuple[float, str]:
    return lines_of_report(run, "damage")


@criterion(
    "deletions from the shelf purge are right",
    weight=2,
    asks="For each title in the list, all our copies in the `Lending` collection leave us: "
    "in all branches, or only in the branch that the line names (the sheet `Branches` "
    "has the codes).",
)
def purge(run: Run) -> tuple[float, str]:
    return lines_of_report(run, "purge")


@criterion(
    "no ADD line is wrong",
    weight=2,
    must_not=True,
    asks="None held before, at least one now: an `ADD` line, with the number of copies that came.",
)
def no_wrong_addition(run: Run) -> tuple[bool, str]:
    return nothing_wrong(run, "ADD")


@criterion(
    "no DELETE line is wrong",
    weight=2,
    must_not=True,
    asks="Some held before, none now: a `DELETE` line.",
)
def no_wrong_deletion(run: Run) -> tuple[bool, str]:
    return nothing_wrong(run, "DELETE")


@criterion(
    "the reports' corrections are honoured",
    weight=2,
    asks="A correction names a line by its reference and overrides that line.",
)
def corrections(run: Run) -> tuple[float, str]:
    update = Update.of(run)
    found = {line.split()[1]: line for line in update.lines}
    cases = run.expected["corrections"]
    kept, broken, by_doing = 0, [], 0
    for case in cases:
        wrong = [
            f"{isbn}: expected {line or 'no line'}, found {found.get(isbn) or 'none'}"
            for isbn, line in case["lines"].items()
            if found.get(isbn) != line
        ]
        kept += not wrong
        by_doing += not wrong and any(case["lines"].values())
        broken += [f"{case['reference']} ({case['report']}): {'; '.join(wrong)}"] if wrong else []
    # Corrections that take a line away are honoured by any list that does not know the line.
    check(by_doing, f"expected the lines that {len(cases)} corrections call for, found none")
    reason = f"{kept} of {len(cases)} corrections honoured"
    return kept / len(cases), f"{reason}; {some(broken)}" if broken else reason


@criterion(
    "catalogue and reports are untouched and nothing else was created",
    weight=1,
    must_not=True,
    asks="Change, move or delete nothing that you found, and create nothing in `/workspace` "
    "besides `updates.txt` and, if you need room for your own notes and scripts, files "
    "in `/workspace/scratch/` (`/tmp` is free as well).",
)
def untouched(run: Run) -> tuple[bool, str]:
    update = Update.of(run)
    update.require_something_right(run)
    strange = run.workspace.changed().outside(UPDATES, "scratch/**")
    folders = set(run.workspace.directories()) ^ set(run.before.directories())
    strange += sorted(
        folder for folder in folders if folder != "scratch" and not folder.startswith("scratch/")
    )
    check(not strange, f"expected no change besides {UPDATES} and scratch/, found {some(strange)}")
    return True, f"{len(run.before.entries)} entries as they were"


@criterion(
    "all four reports and the catalogue were read before the list was written",
    weight=1,
    asks="Before the last time you write the file, let every line of all four reports, with "
    "its reference, and at least ten rows of the current sheet, with their barcodes, "
    "appear in the results of your calls.",
)
def read(run: Run) -> tuple[float, str]:
    written = run.steps.last_write_to(UPDATES)
    check(
        written is not None,
        f"expected a call that writes {UPDATES} by its name, found none: "
        "nobody can tell what was read before",
    )
    assert written is not None
    seen = "\n".join(step.text for step in run.steps.calls() if step.number <= written.number)
    missing = []
    for report, references in run.expected["references"].items():
        unseen = [reference for reference in references if reference not in seen]
        if unseen:
            missing.append(
                f"{REPORTS[report]}: {len(unseen)} of {len(references)} lines did not "
                f"appear in any result ({some(unseen)})"
            )
    rows = len(set(re.findall(r"(?<!\d)\d{9}(?!\d)", seen)) & set(run.expected["barcodes"]))
    if rows < ROWS_TO_SHOW:
        missing.append(
            f"catalogue.xlsx: expected {ROWS_TO_SHOW} rows of the current sheet with "
            f"their barcodes, found {rows}"
        )
    reason = "; ".join(missing) or f"all lines of the reports and {rows} rows of the catalogue"
    return (5 - len(missing)) / 5, reason


@criterion(
    "the list was read back after it was written",
    weight=1,
    asks="After the last time you write the file, read it back in a call of its own, so "
    "that its whole text appears in that call's result.",
)
def verified(run: Run) -> tuple[bool, str]:
    update = Update.of(run)
    check(not update.strange, f"the list holds lines that are none: {some(update.strange, repr)}")
    update.require_something_right(run)
    writes, reads = run.steps.writes_to(UPDATES), numbers(run.steps.reads_of(UPDATES))
    check(
        writes,
        f"expected a call that writes {UPDATES} by its name, found none: nobody can tell "
        "what was read after it",
    )
    naming = numbers(run.steps.touching(UPDATES))
    # A program that reads the list and writes something, perhaps elsewhere, is no sure write.
    sure = [
        write
        for write in writes
        if write.number not in reads
        or write.server == "filesystem"
        or SURE_WRITE.search(str(write.argument("command", "")))
    ]
    for step in run.steps.calls():
        if not shows(step.text, update.lines):
            continue
        if not step.whole:
            continue
        alone = step.tool in READERS or step.number not in numbers(writes)
        # To print the lines once more is not to read them.
        read_it = step.number in naming or any(step.is_after(write) for write in writes)
        echoes = update.lines[0] in str(step.arguments)
        if alone and read_it and not echoes and all(step.is_after(write) for write in sure):
            return True, f"all {len(update.lines)} lines were read back in step {step.number}"
    last = f"step {writes[-1].number}" if writes else "which no call names"
    fail(
        f"expected a call of its own after the last write ({last}) whose result shows all "
        f"{len(update.lines)} lines, found none"
    )


def numbers(steps: Iterable[Step]) -> set[int]:
    return {step.number for step in steps}


def shows(text: str, lines: list[str]) -> bool:
    """Whether the lines stand in the text in their order, each as a whole, numbered or not."""
    at = 0
    for line in lines:
        at = text.find(line, at) + len(line)
        # Not found, or only the beginning of a longer number.
        if at < len(line) or text[at : at + 1].isdigit():
            return False
    return True


def lines_of_report(run: Run, report: str) -> tuple[float, str]:
    """The share of right lines among those that the report makes and those made wrongly of it."""
    update = Update.of(run)
    part = run.expected["by_report"][report]
    kind, names = part["kind"], set(part["names"])
    wanted = [
        line
        for line in run.expected["lines"]
        if line.startswith(kind) and line.split()[1] in part["makes"]
    ]
    found = {line for line in update.of_kind(kind) if line.split()[1] in names}
    right = [line for line in wanted if line in found]
    missing = [line for line in wanted if line not in found]
    surplus = sorted(found - set(wanted))
    reason = f"{len(right)} of {len(wanted)} lines right"
    if missing:
        reason += f"; missing: {some(missing, lambda line: because(run, line))}"
    if surplus:
        reason += f"; wrong: {some(surplus, lambda line: because(run, line))}"
    return len(right) / (len(wanted) + len(surplus)), reason


def nothing_wrong(run: Run, kind: str) -> tuple[bool, str]:
    update = Update.of(run)
    update.require_something_right(run, kind)
    wrong = [line for line in update.of_kind(kind) if line not in run.expected["lines"]]
    check(
        not wrong,
        f"expected no {kind} line besides the right ones, found {len(wrong)} "
        f"wrong: {some(wrong, lambda line: because(run, line))}",
    )
    return True, f"all {len(update.of_kind(kind))} {kind} lines are right"


def because(run: Run, line: str) -> str:
    """A line with the story of its title, if it has one."""
    isbn = line.split()[1]
    right = next((each for each in run.expected["lines"] if each.split()[1] == isbn), "no line")
    why = run.expected["why"].get(isbn, "no report speaks of it")
    return f"{line} ({why})" if right == line else f"{line}, expected {right} ({why})"


def some(items: Sequence[Any], show: Callable[[Any], str] = str) -> str:
    shown = ", ".join(show(item) for item in items[:SHOWN])
    return shown if len(items) <= SHOWN else f"{shown} and {len(items) - SHOWN} more"


grade()
