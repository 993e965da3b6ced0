"""The shop, the list of what is wanted, and what is best bought."""

import random
from dataclasses import dataclass
from typing import Any

from cloche.build import Person
from world import euros


@dataclass(frozen=True)
class Kind:
    """A kind of article: what it may be asked to be, and what else there is of it."""

    id: str
    name: str
    category: str
    #: Attribute, value asked for, another value that will not do.
    wish: tuple[str, str, str]
    also: tuple[str, str]
    piece_cents: int


KINDS = [
    Kind(
        "STN",
        "Sticky notes",
        "paper",
        ("Size", "76 x 76 mm", "51 x 38 mm"),
        ("Colour", "yellow"),
        85,
    ),
    Kind("FLP", "Flipchart pad", "paper", ("Ruling", "squared", "plain"), ("Sheets", "20"), 690),
    Kind("CRD", "Index cards", "paper", ("Size", "A6", "A7"), ("Colour", "white"), 12),
    Kind(
        "MRK",
        "Whiteboard markers",
        "writing",
        ("Tip", "bullet", "chisel"),
        ("Colour", "black"),
        130,
    ),
    Kind("PEN", "Gel pens", "writing", ("Colour", "blue", "red"), ("Line", "0.7 mm"), 110),
    Kind("BDG", "Name badges", "events", ("Fastening", "clip", "pin"), ("Size", "60 x 90 mm"), 48),
    Kind("FLD", "Folders A4", "events", ("Material", "card", "plastic"), ("Colour", "grey"), 62),
]
BRANDS = ["Pine", "Inka", "Norda", "Quill", "Tessel", "Velum", "Bramble"]
CATEGORIES = [("paper", "Paper & cards"), ("writing", "Writing"), ("events", "Events & badges")]


@dataclass(frozen=True)
class Wanted:
    """A line of the list."""

    kind: Kind
    pieces: int
    optional: bool

    def row(self) -> list[str | int]:
        values = (self.kind.wish[1], self.kind.also[1])
        return [
            self.kind.name,
            self.pieces,
            ", ".join(values),
            "optional" if self.optional else "needed",
        ]


def make_products(rng: random.Random, wanted: Wanted) -> list[dict[str, Any]]:
    """Seven products of a kind, six of which look good and are not the best for this line."""
    kind, pieces = wanted.kind, wanted.pieces
    right, wrong, also = kind.wish[1], kind.wish[2], kind.also[1]
    pack = rng.choice([size for size in (4, 5, 6, 8, 10) if pieces % size] or [7])
    packs = -(-pieces // pack)
    best = round(kind.piece_cents * pack * rng.uniform(0.95, 1.05))
    cost = best * packs
    per = cost / pieces
    # Pieces in a pack, price, what it is in the first attribute, in the second, stock.
    made = [
        (pack, best, right, also, packs + rng.randint(5, 60)),
        # Cheaper, and sold out; cheaper, and not enough of it; cheaper, and not what is asked for.
        (pack, round(best * 0.8), right, also, 0),
        (pack, round(best * 0.88), right, also, packs - 1),
        (pack, round(best * 0.7), wrong, also, packs + 90),
        # The lowest price of a pack, and too small a pack.
        (2, round(per * 2 * 1.15), right, also, 4 * pieces),
        # The lowest price of a piece, and far too large a pack.
        (pieces * 3, round(per * 0.75 * pieces * 3), right, also, 40),
        (pack + 3, round(best * 1.4), right, also, packs + 30),
    ]
    brands = rng.sample(BRANDS, len(made))
    order = rng.sample(range(len(made)), len(made))
    products = []
    for place, index in enumerate(order):
        size, cents, first, second, stock = made[index]
        products.append(
            {
                "sku": f"{kind.id}-{rng.randrange(10, 99)}{place}",
                "name": f"{kind.name} {brands[index]}, {size} pieces",
                "category": kind.category,
                "brand": brands[index],
                "unit": f"pack of {size}",
                "price_cents": cents,
                "stock": stock,
                "description": f"{kind.name} by {brands[index]}, in packs of {size}.",
                "attributes": {"Pieces": size, kind.wish[0]: first, kind.also[0]: second},
            }
        )
    return products


def best_product(products: list[dict[str, Any]], wanted: Wanted) -> dict[str, Any] | None:
    """The one product whose packs cost least, by the instruction's rules; None if two do."""
    kind = wanted.kind
    costs = []
    for product in products:
        attributes = product["attributes"]
        packs = -(-wanted.pieces // attributes["Pieces"])
        fits = (
            product["sku"].startswith(kind.id)
            and attributes[kind.wish[0]] == kind.wish[1]
            and attributes[kind.also[0]] == kind.also[1]
        )
        if fits and product["stock"] >= packs:
            costs.append((packs * product["price_cents"], product["sku"], packs, product))
    costs.sort(key=lambda each: each[:2])
    if len(costs) < 2 or costs[0][0] == costs[1][0]:
        return None
    cost, sku, packs, product = costs[0]
    return {
        "sku": sku,
        "name": product["name"],
        "quantity": packs,
        "unit_cents": product["price_cents"],
        "total_cents": cost,
    }


def site(deliveries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "shop",
        "title": "Paper & Pine",
        "tagline": "Office supplies",
        "host": "shop.test",
        "description": "A shop for office supplies; sign in to order.",
        "per_page": 12,
        "delivery": deliveries,
        "payment": [
            {"id": "on-delivery", "name": "Pay on delivery"},
            {"id": "invoice", "name": "Invoice, 30 days", "reference": "Purchase order number"},
        ],
    }


def old_order(
    number: int, me: Person, address: dict[str, str], product: dict[str, Any]
) -> dict[str, Any]:
    packs = 2
    cost = packs * product["price_cents"]
    line = {
        "sku": product["sku"],
        "name": product["name"],
        "quantity": packs,
        "unit_cents": product["price_cents"],
        "total_cents": cost,
    }
    return {
        "id": f"SO-{number}",
        "placed_at": "2025-11-03T10:00:00Z",
        "status": "shipped",
        "account": me.email,
        "email": me.email,
        "address": address,
        "lines": [line],
        "subtotal_cents": cost,
        "delivery": "standard",
        "delivery_date": "2025-11-10",
        "delivery_cents": 590,
        "total_cents": cost + 590,
        "payment": "invoice",
        "reference": "PO-2025-001",
        "note": f"paid {euros(cost + 590)}",
    }
