"""Web sites' rows as graders see them."""

from __future__ import annotations

import json
import unittest
from datetime import UTC, date, datetime, time
from typing import Any

from cloche import Failed
from cloche.run import Run
from cloche.state.web import Web
from support import FolderCase, write_tree

ADDRESS = {
    "name": "Ana",
    "line1": "Calle 1",
    "postcode": "28013",
    "city": "Madrid",
    "country": "Spain",
}
ORDER = {
    "id": "SO-1001",
    "placed_at": "2026-03-02T09:00:00Z",
    "status": "placed",
    "account": None,
    "email": "ana@example.test",
    "address": ADDRESS,
    "lines": [
        {"sku": "PEN", "name": "Pen", "quantity": 2, "unit_cents": 189, "total_cents": 378},
        {"sku": "PEN", "name": "Pen", "quantity": 1, "unit_cents": 189, "total_cents": 189},
    ],
    "subtotal_cents": 567,
    "delivery": "standard",
    "delivery_date": "2026-03-05",
    "delivery_cents": 495,
    "total_cents": 1062,
    "payment": "invoice",
}
SHOP = {
    "products": [
        {"sku": "PEN", "name": "Pen", "category": "writing", "price_cents": 189, "stock": 7}
    ],
    "orders": [ORDER],
}
LIBRARY = {
    "items": [{"barcode": "B1", "title": "T1", "branch": "Central"}],
    "loans": [
        {
            "id": "L-1",
            "item": "B1",
            "member": "M1",
            "lent_on": "2026-01-02",
            "due_on": "2026-01-23",
            "returned_on": "2026-02-01",
        }
    ],
    "holds": [
        {
            "id": "H-1",
            "title": "T1",
            "member": "M1",
            "branch": "Central",
            "placed_at": "2026-03-01T10:00:00Z",
        }
    ],
    "bookings": [
        {
            "id": "B-1",
            "room": "oak",
            "member": "M1",
            "date": "2026-03-04",
            "start": "10:30",
            "end": "24:00",
            "people": 3,
        }
    ],
}


class Sites(FolderCase):
    def web(self, files: dict[str, Any]) -> Web:
        root = self.run_folder()
        write_tree(root, "state-before", {})
        texts = {f"web/{path}": json.dumps(value) for path, value in files.items()}
        write_tree(root, "state-after", texts)
        return Run(root).state.web

    def both(self) -> Web:
        return self.web(
            {
                "shop/site.json": {"kind": "shop", "title": "Paper", "host": "Paper.test"},
                "shop/data.json": SHOP,
                "library/site.json": {"kind": "library", "title": "Riverside"},
                "library/data.json": LIBRARY,
            }
        )

    def test_broken_rows_fail_the_criterion(self) -> None:
        broken: tuple[dict[str, Any], ...] = (
            {"orders": [{**ORDER, "total_cents": "1062"}]},
            {"orders": [{**ORDER, "placed_at": "yesterday"}]},
            {"orders": [{**ORDER, "lines": [{"sku": "PEN"}]}]},
            {"orders": ["SO-1"]},
            {"orders": {}},
        )
        for data in broken:
            web = self.web({"shop/site.json": {"kind": "shop"}, "shop/data.json": data})
            with self.assertRaisesRegex(Failed, r"shop/data\.json has "):
                web.orders()

    def test_a_site_that_there_is_not_is_the_graders_mistake(self) -> None:
        with self.assertRaisesRegex(KeyError, "library, shop"):
            self.both().site("casino")

    def test_no_sites_hold_nothing(self) -> None:
        web = self.web({})
        self.assertEqual(([], [], []), (web.sites(), web.orders(), web.bookings()))

    def test_a_site_nobody_changed_has_the_rows_that_the_fixture_brought(self) -> None:
        web = self.web({"shop/site.json": {"kind": "shop", "title": "Paper"}})
        self.assertEqual([], web.site("shop").orders())
        self.assertEqual("shop.test", web.site("shop").host)

    def test_sites_are_found_by_name_and_host(self) -> None:
        web = self.both()
        self.assertEqual(["library", "shop"], [site.name for site in web.sites()])
        site = web.site("paper.test")
        self.assertEqual(("shop", "shop", "Paper"), (site.name, site.kind, site.title))
        self.assertEqual(["products", "orders"], site.tables)

    def test_orders_and_products(self) -> None:
        (order,) = self.both().orders()
        self.assertEqual({"PEN": 3}, order.quantities)
        self.assertEqual(date(2026, 3, 5), order.delivery_date)
        self.assertEqual(datetime(2026, 3, 2, 9, tzinfo=UTC), order.placed_at)
        self.assertEqual({**ADDRESS, "line2": ""}, order.address)
        self.assertEqual((1062, 0), (order.total_cents, order.discount_cents))
        self.assertEqual((None, ""), (order.account, order.note))
        (product,) = self.both().site("shop").products()
        self.assertEqual(7, product.stock)

    def test_loans_holds_items_and_bookings(self) -> None:
        library = self.both().site("library")
        self.assertEqual("available", library.items()[0].status)
        self.assertEqual(date(2026, 2, 1), library.loans()[0].returned_on)
        self.assertEqual(("waiting", None), (library.holds()[0].status, library.holds()[0].item))
        (booking,) = self.both().bookings()
        self.assertEqual((time(10, 30), time(0, 0)), (booking.start, booking.end))
        self.assertEqual((date(2026, 3, 4), "booked"), (booking.date, booking.status))

    def test_rows_of_any_table(self) -> None:
        site = self.both().site("shop")
        self.assertEqual([], site.rows("sessions"))
        self.assertEqual("Pen", (site.row("products", sku="PEN") or {})["name"])
        self.assertIsNone(site.row("products", sku="PEN", stock=8))
        site.rows("products")[0]["stock"] = 0
        self.assertEqual(7, site.products()[0].stock)


if __name__ == "__main__":
    unittest.main()
