"""Makes one variant: a workbook of orders, and what the grader expects of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.build import Sheet

if TYPE_CHECKING:
    from cloche.run_generator import Variant


CUSTOMERS = [
    "Alder Books",
    "Birch Dairy",
    "Cedar Clinic",
    "Dune Hotel",
    "Elm Garage",
    "Fern School",
]
MONTHS = ["January", "February", "March", "April"]
STATUSES = ["shipped", "shipped", "open", "cancelled"]


def generate(variant: Variant) -> dict[str, Any]:
    # variant.rng is the only source of chance: the same number makes the same bytes, always.
    rng = variant.rng
    variant.variables["month"] = MONTHS[(variant.number - 1) % len(MONTHS)]
    orders = [
        (
            number,
            rng.choice(CUSTOMERS),
            rng.randint(1, 40),
            rng.randint(199, 4999),
            rng.choice(STATUSES),
        )
        for number in range(1001, 1031)
    ]
    variant.workbook(
        "orders.xlsx",
        {
            "Orders": Sheet(
                ["Number", "Customer", "Pieces", "Price", "Status"],
                [
                    [number, who, pieces, cents / 100, status]
                    for number, who, pieces, cents, status in orders
                ],
                formats={"Price": "0.00"},
            ),
        },
    )
    totals: dict[str, int] = {}
    for _, who, pieces, cents, status in orders:
        if status == "shipped":
            totals[who] = totals.get(who, 0) + pieces * cents
    # What is returned becomes run.expected of the grader, and nobody else sees it.
    return {"totals": totals}
