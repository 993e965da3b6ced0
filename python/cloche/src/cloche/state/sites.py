"""The rows that web sites keep, as typed values; ``row`` has all that was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from ..dates import parse_datetime


@dataclass(frozen=True)
class Product:
    """What a shop sells."""

    sku: str
    name: str
    category: str
    price_cents: int
    #: Pieces that are left.
    stock: int
    row: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Product:
        """Raises KeyError or TypeError for a row that is none."""
        return cls(
            row["sku"],
            row["name"],
            row["category"],
            _whole(row["price_cents"]),
            _whole(row["stock"]),
            row,
        )


@dataclass(frozen=True)
class OrderLine:
    """One product of an order."""

    sku: str
    name: str
    quantity: int
    unit_cents: int
    total_cents: int


@dataclass(frozen=True)
class Order:
    """What somebody ordered in a shop."""

    id: str
    placed_at: datetime
    #: "placed", "cancelled", or what the fixture says, such as "shipped".
    status: str
    #: The email of the account; None for a guest.
    account: str | None
    email: str
    #: name, line1, line2, postcode, city, country.
    address: dict[str, str]
    lines: tuple[OrderLine, ...]
    subtotal_cents: int
    coupon: str | None
    discount_cents: int
    delivery: str
    delivery_date: date
    delivery_cents: int
    total_cents: int
    payment: str
    reference: str
    note: str
    row: dict[str, Any] = field(repr=False, compare=False)

    @property
    def quantities(self) -> dict[str, int]:
        """How many of each SKU."""
        counts: dict[str, int] = {}
        for line in self.lines:
            counts[line.sku] = counts.get(line.sku, 0) + line.quantity
        return counts

    @classmethod
    def of(cls, row: dict[str, Any]) -> Order:
        """Raises KeyError, TypeError or ValueError for a row that is none."""
        return cls(
            id=row["id"],
            placed_at=parse_datetime(row["placed_at"]),
            status=row["status"],
            account=row.get("account"),
            email=row["email"],
            address={"line2": "", **row["address"]},
            lines=tuple(_line(line) for line in row["lines"]),
            subtotal_cents=_whole(row["subtotal_cents"]),
            coupon=row.get("coupon"),
            discount_cents=_whole(row.get("discount_cents", 0)),
            delivery=row["delivery"],
            delivery_date=date.fromisoformat(row["delivery_date"]),
            delivery_cents=_whole(row["delivery_cents"]),
            total_cents=_whole(row["total_cents"]),
            payment=row["payment"],
            reference=row.get("reference", ""),
            note=row.get("note", ""),
            row=row,
        )


@dataclass(frozen=True)
class Item:
    """One copy in a library."""

    barcode: str
    #: The id of its title.
    title: str
    branch: str
    shelf: str
    #: "available", "on loan", "on hold shelf", "reference only", "in repair", "missing" or
    #: "withdrawn".
    status: str
    note: str
    row: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Item:
        """Raises KeyError for a row that is none."""
        return cls(
            barcode=row["barcode"],
            title=row["title"],
            branch=row["branch"],
            shelf=row.get("shelf", ""),
            status=row.get("status", "available"),
            note=row.get("note", ""),
            row=row,
        )


@dataclass(frozen=True)
class Loan:
    """Who has, or had, a copy."""

    id: str
    #: The barcode.
    item: str
    #: The card number.
    member: str
    lent_on: date
    due_on: date
    #: None while it is out.
    returned_on: date | None
    renewals: int
    row: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Loan:
        """Raises KeyError, TypeError or ValueError for a row that is none."""
        returned = row.get("returned_on")
        return cls(
            id=row["id"],
            item=row["item"],
            member=row["member"],
            lent_on=date.fromisoformat(row["lent_on"]),
            due_on=date.fromisoformat(row["due_on"]),
            returned_on=None if returned is None else date.fromisoformat(returned),
            renewals=_whole(row.get("renewals", 0)),
            row=row,
        )


@dataclass(frozen=True)
class Hold:
    """Who waits for a title."""

    id: str
    #: The id of the title.
    title: str
    #: The card number.
    member: str
    #: Where it is to be collected.
    branch: str
    placed_at: datetime
    #: "waiting", "ready", "collected" or "cancelled".
    status: str
    #: The barcode of the copy that is kept, or was collected.
    item: str | None
    row: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Hold:
        """Raises KeyError, TypeError or ValueError for a row that is none."""
        return cls(
            id=row["id"],
            title=row["title"],
            member=row["member"],
            branch=row["branch"],
            placed_at=parse_datetime(row["placed_at"]),
            status=row.get("status", "waiting"),
            item=row.get("item"),
            row=row,
        )


@dataclass(frozen=True)
class Booking:
    """Who has a room, and when."""

    id: str
    #: The id of the room.
    room: str
    #: The card number.
    member: str
    date: date
    start: time
    #: Midnight at the end of the day is 00:00.
    end: time
    people: int
    purpose: str
    #: "booked" or "cancelled".
    status: str
    row: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Booking:
        """Raises KeyError, TypeError or ValueError for a row that is none."""
        return cls(
            id=row["id"],
            room=row["room"],
            member=row["member"],
            date=date.fromisoformat(row["date"]),
            start=_time(row["start"]),
            end=_time(row["end"]),
            people=_whole(row["people"]),
            purpose=row.get("purpose", ""),
            status=row.get("status", "booked"),
            row=row,
        )


def _line(row: dict[str, Any]) -> OrderLine:
    return OrderLine(
        sku=row["sku"],
        name=row["name"],
        quantity=_whole(row["quantity"]),
        unit_cents=_whole(row["unit_cents"]),
        total_cents=_whole(row["total_cents"]),
    )


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _time(text: str) -> time:
    return time.fromisoformat("00:00" if text == "24:00" else text)
