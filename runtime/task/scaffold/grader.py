"""Judges what the agent left. Each criterion names the instruction's words that it rests on."""

import csv
import io
from fractions import Fraction
from typing import Any

from cloche import Run, check, criterion, grade
from cloche.text import squeeze

TOTALS = "totals.csv"
HEADER = ["customer", "amount"]


@criterion(
    "totals.csv has a line for each customer, sorted",
    weight=1,
    asks="first the line `customer,amount`, then one line for each customer with at least one "
    "order of status `shipped`, sorted by name,",
)
def customers(run: Run) -> tuple[bool, str]:
    header, *rows = rows_of(run)
    check(header == HEADER, f"expected the line {','.join(HEADER)}, found {','.join(header)}")
    found, wanted = [row[0] for row in rows], [*sorted(run.expected["totals"]), "Total"]
    check(found == wanted, f"expected lines of {', '.join(wanted)}, found {', '.join(found)}")
    return True, f"{len(rows) - 1} customers, by name"


@criterion(
    "the amounts are right",
    weight=3,
    asks="with the amount of these orders in euros with two decimals (pieces times price, all of "
    "them added up),",
)
def amounts(run: Run) -> tuple[Fraction, str]:
    wanted = {who: euros(cents) for who, cents in run.expected["totals"].items()}
    found = [row for row in rows_of(run)[1:] if row[0] != "Total"]
    right = {who for who, amount in found if wanted.get(who) == amount}
    wrong = [
        f"{who}: expected {wanted.get(who, 'no line')}, found {amount}"
        for who, amount in found
        if wanted.get(who) != amount
    ]
    missing = [f"{who}: no line" for who in sorted(set(wanted) - {who for who, _ in found})]
    # Lines too many count as wrong ones, so that inventing some earns nothing.
    surplus = len(found) - len({who for who, _ in found} & set(wanted))
    reason = "; ".join([*wrong, *missing]) or f"all {len(right)} are right"
    return Fraction(len(right), len(wanted) + surplus), reason


@criterion(
    "the total is right", weight=1, asks="and at the end the line `Total,` with the amount of all."
)
def total(run: Run) -> tuple[bool, str]:
    wanted = ["Total", euros(sum(run.expected["totals"].values()))]
    last = rows_of(run)[-1]
    check(last == wanted, f"expected the last line {','.join(wanted)}, found {','.join(last)}")
    return True, ",".join(wanted)


# What must not happen holds on an untouched workspace too: it counts once something was done.
@criterion(
    "nothing else was changed",
    weight=1,
    must_not=True,
    asks="Change nothing else and create no other file.",
)
def untouched(run: Run) -> tuple[bool, str]:
    stray = run.workspace.changed().outside(TOTALS)
    check(not stray, f"other files were changed: {', '.join(sorted(stray))}")
    return True, "no other file"


def rows_of(run: Run) -> list[list[str]]:
    """The lines of the file, blank ones left out. Whatever is wrong with it fails the criterion."""
    text = run.workspace.file(TOTALS).text()
    rows = [[squeeze(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
    rows = [row for row in rows if any(row)]
    check(len(rows) > 1, f"expected a header and lines in {TOTALS}, found {len(rows)} lines")
    odd = next((row for row in rows if len(row) != len(HEADER)), None)
    check(odd is None, f"expected two columns in each line, found {odd}")
    return rows


def euros(cents: Any) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


grade()
