"""Grades the list of February and the mails about it."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from cloche import Run, check, criterion, fail, grade
from cloche.state.mail import Message
from cloche.text import squeeze

LIST = "mileage-2026-02.csv"
HEADER = ["name", "km", "amount"]


@criterion(
    "the list has the form asked",
    weight=1,
    asks="the header `name,km,amount`, then one line for each technician who has handed in "
    "mileage in time, sorted by name,",
)
def well_formed(run: Run) -> tuple[bool, str]:
    rows = rows_of(run)
    check(rows[0] == HEADER, f"expected the header {','.join(HEADER)}, found {','.join(rows[0])}")
    check(rows[-1][0] == "Total", f"expected Total in the last line, found {rows[-1][0]!r}")
    found, wanted = [row[0] for row in rows[1:-1]], [row["name"] for row in run.expected["rows"]]
    check(found == wanted, f"expected lines of {shown(wanted)}, found {shown(found)}")
    return True, f"{len(found)} technicians, by name"


@criterion(
    "the kilometres are right",
    weight=3,
    asks="Of its lines those with a date in February 2026 count; a line that stands there "
    "twice, with the same date, customer and kilometres, counts once.",
)
def kilometres(run: Run) -> tuple[Fraction, str]:
    return share(run, 1, lambda row: f"{row['km']}")


@criterion(
    "the amounts are right",
    weight=2,
    asks="with the kilometres added up and the amount in euros with two decimals,",
)
def amounts(run: Run) -> tuple[Fraction, str]:
    return share(run, 2, lambda row: euros(row["cents"]))


@criterion("the sums are right", weight=1, asks="and at the end a line `Total` with both sums:")
def sums(run: Run) -> tuple[bool, str]:
    found = [row for row in rows_of(run) if row[0] == "Total"]
    check(len(found) == 1, f"expected one line Total, found {len(found)}")
    wanted = ["Total", f"{run.expected['km']}", euros(run.expected["cents"])]
    same = [whole(found[0][1]), *found[0][2:]] == wanted[1:]
    check(same, f"expected {','.join(wanted)}, found {','.join(found[0])}")
    return True, ",".join(wanted)


@criterion(
    "the bookkeeper was answered once, alone",
    weight=1,
    asks="Answer Petra's mail of today in its thread, to her alone:",
)
def answered(run: Run) -> tuple[bool, str]:
    message = the_answer(run)
    check(message.in_reply_to == run.expected["mail"], "it answers another mail than the newest")
    check(message.recipients == {run.expected["asker"]}, f"it went to {shown(message.recipients)}")
    return True, f"to {run.expected['asker']}"


@criterion(
    "the answer says the total and brings the list",
    weight=2,
    asks="with the file attached as it is in the end, and with a line `Total: 45.60 EUR` "
    "that has the amount of all.",
)
def brings(run: Run) -> tuple[bool, str]:
    message = the_answer(run)
    own = [squeeze(line) for line in message.text.split("\n") if not line.startswith(">")]
    said = [line for line in own if line.startswith("Total:")]
    wanted = f"Total: {euros(run.expected['cents'])} EUR"
    check(said == [wanted], f"expected the line {wanted!r}, found {shown(said)}")
    attached = [each.content for each in message.attachments if each.name == LIST]
    check(len(attached) == 1, f"expected {LIST} attached once, found it {len(attached)} times")
    check(len(message.attachments) == 1, f"{len(message.attachments)} files are attached")
    same = attached[0] == run.workspace.file(LIST).bytes()
    check(same, f"the {LIST} that is attached is not the one of the workspace")
    return True, f"{wanted}, and {LIST}"


@criterion(
    "those who handed nothing in were written to",
    weight=1,
    asks="To each technician of whom no mail with mileage came in time send one mail, to "
    "this technician alone, with the subject `Mileage of February`.",
)
def reminded(run: Run) -> tuple[Fraction, str]:
    wanted, sent = run.expected["remind"], run.state.mail.sent()
    right, wrong = 0, list[str]()
    for who in wanted:
        found = [each for each in sent if who in each.recipients]
        good = (
            len(found) == 1
            and found[0].recipients == {who}
            and squeeze(found[0].subject) == "Mileage of February"
        )
        right += good
        wrong += [] if good else [f"{who}: expected one such mail, found {len(found)} to them"]
    return Fraction(right, len(wanted)), "; ".join(wrong) or f"{right} technicians"


@criterion("nobody else was written to", must_not=True, cap=0.5, asks="Write no other mail.")
def no_other_mail(run: Run) -> tuple[bool, str]:
    sent = run.state.mail.sent()
    allowed = {run.expected["asker"], *run.expected["remind"]}
    strange = set().union(*(each.recipients for each in sent)) - allowed
    check(not strange, f"mails went to {shown(strange)}")
    most = len(allowed)
    check(len(sent) <= most, f"expected at most {most} mails, found {len(sent)} sent")
    return True, f"{len(sent)} mails"


@criterion(
    "no other file has changed, and no mail is gone",
    weight=2,
    must_not=True,
    asks="Change no other file.",
)
def untouched(run: Run) -> tuple[bool, str]:
    stray = run.workspace.changed().outside(LIST, "inbox/**")
    check(not stray, f"files changed: {shown(stray)}")
    before, now = (
        {each.key for each in state.mail.inbox()} for state in (run.state_before, run.state)
    )
    check(before <= now, f"{len(before - now)} mails are no longer in the inbox")
    return True, "files and inbox as they were"


def rows_of(run: Run) -> list[list[str]]:
    """The lines of the list, blank ones left out; each has three columns."""
    file = run.workspace.file(LIST)
    check(file.exists(), f"expected a file /workspace/{LIST}, found none")
    rows = [[squeeze(cell) for cell in row] for row in csv.reader(io.StringIO(file.text()))]
    rows = [row for row in rows if any(row)]
    check(len(rows) >= 2, f"expected lines in {LIST}, found {len(rows)}")
    if odd := next((row for row in rows if len(row) != len(HEADER)), None):
        fail(f"expected three columns in each line, found {','.join(odd)!r}")
    return rows


def share(run: Run, column: int, text: Callable[[dict[str, Any]], str]) -> tuple[Fraction, str]:
    """The share of technicians whose cell is right, of those wanted and those too many."""
    wanted = {row["name"]: text(row) for row in run.expected["rows"]}
    found = [row for row in rows_of(run)[1:] if row[0] != "Total"]
    right = {row[0] for row in found if whole(row[column]) == wanted.get(row[0])}
    wrong = [
        f"{row[0]}: expected {wanted.get(row[0], 'no line')}, found {row[column]}"
        for row in found
        if whole(row[column]) != wanted.get(row[0])
    ]
    missing = sorted(set(wanted) - {row[0] for row in found})
    surplus = len(found) - len({row[0] for row in found} & set(wanted))
    reason = "; ".join([*wrong, *(f"{name}: no line" for name in missing)])
    return Fraction(len(right), len(wanted) + surplus), reason or f"all {len(right)} are right"


def whole(text: str) -> str:
    """Kilometres may be written with decimals that say nothing; amounts have two, always."""
    return re.sub(r"\.0(?:0{2,})?$", "", text)


def the_answer(run: Run) -> Message:
    found = [each for each in run.state.mail.sent() if run.expected["asker"] in each.recipients]
    check(found, f"no mail was sent to {run.expected['asker']}")
    check(len(found) == 1, f"expected one mail to {run.expected['asker']}, found {len(found)}")
    return found[0]


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def shown(values: Iterable[str]) -> str:
    return ", ".join(str(each) for each in sorted(values)) or "none"


grade()
