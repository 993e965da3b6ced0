"""The fixture's web sites and what was done there: ``run.state.web``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from ..files import File, Tree
from .people import People
from .records import parse_json, text_of
from .sites import Booking, Hold, Item, Loan, Order, Product

SITE_FILE = "site.json"
DATA_FILE = "data.json"

T = TypeVar("T")


class Web:
    """``web/<site>/``: every site with its rows, as its last visitor left them."""

    def __init__(self, tree: Tree, people: People | None = None) -> None:
        self._tree = tree
        self._people = people

    def sites(self) -> list[Site]:
        """All sites, by name."""
        return list(self._sites)

    def site(self, name: str) -> Site:
        """The site of this name (its folder) or host; KeyError for one that there is not."""
        for site in self._sites:
            if name in (site.name, site.host):
                return site
        known = ", ".join(site.name for site in self._sites) or "none"
        raise KeyError(f"there is no site {name!r}; there are: {known}")

    def orders(self) -> list[Order]:
        """The orders of all shops, site by site in the order of their placing."""
        return [order for site in self._sites for order in site.orders()]

    def bookings(self) -> list[Booking]:
        """The room bookings of all libraries, cancelled ones too."""
        return [booking for site in self._sites for booking in site.bookings()]

    def holds(self) -> list[Hold]:
        """The holds of all libraries, closed ones too."""
        return [hold for site in self._sites for hold in site.holds()]

    @cached_property
    def _sites(self) -> list[Site]:
        files = self._tree.files("*/" + SITE_FILE)
        return [Site(file, self._tree.file(_beside(file))) for file in files]


class Site:
    """One site: what it is, and its rows. A table that it does not have is empty."""

    def __init__(self, site_file: File, data_file: File) -> None:
        #: The name of its folder.
        self.name = site_file.path.split("/")[0]
        self._site_file = site_file
        self._data_file = data_file

    @property
    def kind(self) -> str:
        """What it is: "shop" or "library"."""
        return text_of(self._site_file, self._config, "kind", "the site")

    @property
    def host(self) -> str:
        """Its host name, such as "shop.test"."""
        host = self._config.get("host", f"{self.name}.test")
        return str(host).lower()

    @property
    def title(self) -> str:
        """What it calls itself."""
        return text_of(self._site_file, self._config, "title", "the site")

    @property
    def tables(self) -> list[str]:
        """The names of its tables."""
        return [name for name, rows in self._data.items() if isinstance(rows, list)]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of any table as they lie in its file, in their order."""
        rows = self._data.get(table, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._data_file.reject(f"has no list of rows {table!r}")
        return [dict(row) for row in rows]

    def row(self, table: str, **fields: Any) -> dict[str, Any] | None:
        """The first row whose fields have these values; None if there is none."""
        wanted = fields.items()
        found = (r for r in self.rows(table) if all(r.get(k) == value for k, value in wanted))
        return next(found, None)

    def products(self) -> list[Product]:
        """A shop's products, with the stock that is left."""
        return self._typed("products", Product.of)

    def orders(self) -> list[Order]:
        """A shop's orders, in the order of their placing, cancelled ones too."""
        return self._typed("orders", Order.of)

    def items(self) -> list[Item]:
        """A library's copies."""
        return self._typed("items", Item.of)

    def loans(self) -> list[Loan]:
        """A library's loans, returned ones too."""
        return self._typed("loans", Loan.of)

    def holds(self) -> list[Hold]:
        """A library's holds, in the order of their placing, closed ones too."""
        return self._typed("holds", Hold.of)

    def bookings(self) -> list[Booking]:
        """A library's room bookings, in the order of their making, cancelled ones too."""
        return self._typed("bookings", Booking.of)

    def _typed(self, table: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
        made = []
        for number, row in enumerate(self.rows(table), 1):
            try:
                made.append(make(row))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                self._data_file.reject(f"has no sound row {number} in {table!r}: {error!r}")
        return made

    @cached_property
    def _config(self) -> dict[str, Any]:
        return _object(self._site_file)

    @cached_property
    def _data(self) -> dict[str, Any]:
        return _object(self._data_file) if self._data_file.exists() else {}

    def __repr__(self) -> str:
        return f"Site({self.name!r})"


def _beside(file: File) -> str:
    return file.path[: -len(SITE_FILE)] + DATA_FILE


def _object(file: File) -> dict[str, Any]:
    data = parse_json(file, file.text())
    if not isinstance(data, dict):
        file.reject("is not an object")
    return data
