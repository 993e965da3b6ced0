from cloche import Run, check, criterion, grade
from cloche.sheets import open_workbook


@criterion(
    "totals.xlsx has the right rows",
    weight=3,
    asks="one row for each item with its pieces on all shelves together",
)
def totals(run: Run) -> tuple[bool, str]:
    book = open_workbook(run.workspace.file("totals.xlsx"), now=run.context.now)
    found = book.sheet("Totals").rows()
    totals = sorted(run.expected["totals"].items())
    wanted = [["item", "pieces"], *([item, pieces] for item, pieces in totals)]
    check(found == wanted, f"expected {wanted}, found {found}")
    return True, f"{len(wanted)} rows"


@criterion(
    "nothing else was changed", must_not=True, asks="Change nothing else and create no other file"
)
def untouched(run: Run) -> tuple[bool, str]:
    strange = run.workspace.changed().outside("totals.xlsx")
    check(not strange, f"expected no other change, found {strange}")
    return True, "counts.csv is as it was"


grade()
