from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.run_generator import Variant

ITEMS = ("bolt", "clamp", "hinge", "latch", "screw", "washer")


def generate(variant: Variant) -> dict[str, Any]:
    shelves = [(item, variant.rng.randint(20, 90)) for item in ITEMS * 4]
    variant.rng.shuffle(shelves)
    lines = [f"{at},{item},{pieces}" for at, (item, pieces) in enumerate(shelves, 1)]
    text = "\n".join(["shelf,item,pieces", *lines, ""])
    (variant.workspace / "counts.csv").write_text(text, encoding="utf-8", newline="\n")
    totals = {item: sum(n for each, n in shelves if each == item) for item in ITEMS}
    known = [f"{item},{pieces}\n" for item, pieces in sorted(totals.items())]
    (variant.workspace / "last-time.txt").write_text("".join(known), encoding="utf-8")
    return {"totals": totals}
