from cloche import Run, check, criterion, grade


@criterion(
    "totals.csv has the right lines",
    weight=3,
    asks="one line for each item with its pieces on all shelves together",
)
def totals(run: Run) -> bool:
    found = run.workspace.file("totals.csv").lines(strip=True, blank=False)
    totals = sorted(run.expected["totals"].items())
    wanted = ["item,pieces", *(f"{item},{pieces}" for item, pieces in totals)]
    return found == wanted


@criterion(
    "nothing else was changed", must_not=True, asks="Change nothing else and create no other file"
)
def untouched(run: Run) -> tuple[bool, str]:
    strange = run.workspace.changed().outside("totals.csv")
    check(not strange, f"expected no other change, found {strange}")
    return True, "counts.csv is as it was"


grade()
