"""Prepares the workshop as the mails and the instruction ask: looks first, does, then checks."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from cloche.agent import Agent, Result


TODAY = "2026-03-02"
BUDGET = "budget.xlsx"
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}


def solve(agent: Agent) -> str:
    desk = Desk(agent)
    ask = desk.read_mails()
    wanted = desk.read_list(ask)
    people = desk.addresses([*ask["people"], ask["copy"]])
    rooms = desk.rooms()

    calendar = Calendar(agent)
    taking_part = [people[name] for name in ask["people"]]
    seats = 1 + len(taking_part) + ask["guests"]
    slot = calendar.first_slot(taking_part, seats, ask)
    room = min((each for each in slot["free_rooms"]), key=lambda each: rooms[each]["seats"])
    event = calendar.invite(ask["title"], slot, ask["minutes"], [*taking_part, room], room)
    day = datetime.fromisoformat(slot["start"]).date()

    line = budget_lines(agent)[ask["line"]]
    shop = Shop(agent)
    shop.sign_in(*desk.account())
    choice = [shop.best(each) for each in wanted]
    delivery = shop.delivery_before(day)
    lines = list(choice)
    if sum(each["cost"] for each in lines) + delivery["cents"] > line["remaining"]:
        lines = [each for each in lines if not each["optional"]]
    order = shop.order(lines, delivery, line["po"])

    desk.enter(lines, delivery, order["id"], ask["line"])
    start = datetime.fromisoformat(slot["start"])
    end = start + timedelta(minutes=ask["minutes"])
    name = rooms[room]["name"]
    facts = {
        "Date": f"{day}",
        "Time": f"{start:%H:%M}-{end:%H:%M}",
        "Room": name,
        "Order": order["id"],
        "PO": line["po"],
        "Total": f"{euros(order['total'])} EUR",
    }
    desk.note(facts)
    desk.answer(ask, people[ask["copy"]], facts)
    desk.verify(event, order, facts)
    return f"The workshop is on {day} in {name}; order {order['id']}, {facts['Total']}."


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def cents_of(text: str) -> int:
    """The amount in a text such as "€1,234.50"."""
    number = match(r"\d[\d,]*\.\d\d", text)[0]
    return round(float(number.replace(",", "")) * 100)


def rows_of(result: Result) -> dict[int, dict[str, Any]]:
    """What read_range shows, by row number and column letter."""
    return {row["row"]: row["cells"] for row in result.structured["rows"]}


def budget_lines(agent: Agent) -> dict[str, dict[str, Any]]:
    # What another program wrote may have no values yet.
    agent.call("describe_workbook", path=BUDGET)
    agent.call("recalculate_workbook", path=BUDGET)
    rows = rows_of(agent.call("read_range", path=BUDGET, sheet="Overview"))
    return {
        cells["A"]: {"po": cells["C"], "remaining": round(cells["F"] * 100)}
        for cells in rows.values()
        if re.fullmatch(r"[A-Z]{2}-\d\d", str(cells.get("A", "")))
    }


class Desk:
    """Mail, files and the workbook."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def read_mails(self) -> dict[str, Any]:
        agent = self.agent
        boss = match(r"times\. (.+?) has written", " ".join(agent.instruction.split()))[1]
        title = match(r"title `(Workshop: .+?)`", agent.instruction)[1]
        agent.call("list_mail_folders")
        listed = agent.call("list_messages", folder="INBOX").structured["messages"]
        ids = [each["id"] for each in reversed(listed) if "workshop" in each["subject"].lower()]
        mails = [agent.call("read_message", id=each).structured for each in ids]
        first, second = [mail for mail in mails if boss in mail["from"]]
        one, two = (" ".join(mail["text"].split()) for mail in (first, second))
        people = match(r"Taking part: (.+?), and me\.", one)[1].split(", ")
        changed = match(r'Of "(.+?)" we need (\d+) pieces', two)
        return {
            "title": title,
            "boss": boss,
            "first": first["id"],
            "last": second["id"],
            "people": [*people, boss, match(r"- (\w+ \w+) takes part too", two)[1]],
            "minutes": int(match(r"takes (\d+) minutes", one)[1]),
            "guests": NUMBERS[match(r"(\w+) guests will come", one)[1]],
            "changed": {changed[1]: int(changed[2])},
            "line": match(r"It goes to .+? \((\S+?)\)", two)[1],
            "copy": match(r"Copy (\w+ \w+) instead", two)[1],
        }

    def read_list(self, ask: dict[str, Any]) -> list[dict[str, Any]]:
        path = self.agent.call(
            "save_attachment", id=ask["first"], attachment=1, path="inbox/"
        ).structured["path"]
        rows = rows_of(self.agent.call("read_range", path=path))
        lines = [[cells[letter] for letter in "ABCD"] for cells in rows.values()][1:]
        return [
            {
                "item": item,
                "pieces": ask["changed"].get(item, pieces),
                "must": must.split(", "),
                "optional": priority == "optional",
            }
            for item, pieces, must, priority in lines
        ]

    def addresses(self, names: list[str]) -> dict[str, str]:
        return {
            name: self.agent.call("find_contacts", query=name).structured["contacts"][0]["email"]
            for name in names
        }

    def rooms(self) -> dict[str, dict[str, Any]]:
        found = self.agent.call("list_people_and_rooms", kind="room").structured["people"]
        return {each["email"]: each for each in found}

    def account(self) -> tuple[str, str]:
        text = self.agent.call("read_text_file", path="/workspace/notes/shop-account.md").text
        return match(r"Email: (\S+)", text)[1], match(r"Password: (\S+)", text)[1]

    def enter(
        self, lines: list[dict[str, Any]], delivery: dict[str, Any], order: str, code: str
    ) -> None:
        agent = self.agent
        rows = rows_of(agent.call("read_range", path=BUDGET, sheet="2026"))
        total = next(at for at, cells in rows.items() if cells.get("A") == "Total")
        entries = [[line["sku"], line["name"], line["packs"], line["cents"]] for line in lines]
        entries.append(["DELIVERY", "DELIVERY", 1, delivery["cents"]])
        last = total + len(entries) - 1
        agent.call(
            "insert_rows_or_columns", path=BUDGET, sheet="2026", at=str(total), count=len(entries)
        )
        copied: dict[str, Any] = {"from": f"A{total - 1}:H{total - 1}", "to": f"A{total}:H{last}"}
        agent.call(
            "copy_range",
            path=BUDGET,
            sheet="2026",
            what="formats",
            **copied,
        )
        values = [
            [TODAY, code, order, sku, name, packs, cents / 100, f"=F{at}*G{at}"]
            for at, (sku, name, packs, cents) in enumerate(entries, total)
        ]
        agent.call("write_range", path=BUDGET, sheet="2026", cell=f"A{total}", values=values)
        agent.call(
            "write_range",
            path=BUDGET,
            sheet="2026",
            cell=f"H{last + 1}",
            values=[[f"=SUM(H2:H{last})"]],
        )

    def note(self, facts: dict[str, str]) -> None:
        self.agent.call(
            "write_file",
            path="/workspace/notes/workshop.md",
            content="".join(f"{name}: {value}\n" for name, value in facts.items()),
        )

    def answer(self, ask: dict[str, Any], copy: str, facts: dict[str, str]) -> None:
        body = (
            f"The workshop is prepared: {facts['Date']}, {facts['Time']}, in {facts['Room']}.\n"
            f"The order is {facts['Order']}, {facts['Total']} with delivery. "
            "The workbook is attached."
        )
        self.agent.call(
            "reply_to_message", id=ask["last"], body=body, cc=[copy], attachments=[BUDGET]
        )

    def verify(self, event: str, order: dict[str, Any], facts: dict[str, str]) -> None:
        agent = self.agent
        rows = rows_of(agent.call("read_range", path=BUDGET, sheet="2026"))
        spent = sum(cells["H"] for cells in rows.values() if cells.get("C") == order["id"])
        if round(spent * 100) != order["total"]:
            raise ValueError(f"the sheet says {spent}, the order {order['total']}")
        budget_lines(agent)
        agent.call("read_text_file", path="/workspace/notes/workshop.md")
        seen = agent.call("get_event", event_id=event).structured["event"]
        if facts["Date"] not in seen["start"]:
            raise ValueError(f"the event is at {seen['start']}")
        sent = agent.call("list_messages", folder="Sent").structured["messages"]
        agent.call("read_message", id=sent[0]["id"])
        agent.call("list_directory", path="/workspace")


class Calendar:
    """Slots and events."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def first_slot(self, people: list[str], seats: int, ask: dict[str, Any]) -> Any:
        span: dict[str, Any] = {"start": "2026-03-09", "end": "2026-03-13"}
        self.agent.call("list_events", **span)
        self.agent.call("check_availability", people=people, **span)
        found = self.agent.call(
            "find_free_time",
            duration_minutes=ask["minutes"],
            attendees=people,
            rooms=["any"],
            seats=seats,
            working_hours="09:00-17:00",
            **span,
        )
        return found.structured["slots"][0]

    def invite(
        self, title: str, slot: dict[str, Any], minutes: int, guests: list[str], room: str
    ) -> str:
        made = self.agent.call(
            "create_event",
            title=title,
            start=slot["start"],
            duration_minutes=minutes,
            attendees=guests,
        ).structured
        if made["rooms_accepted"] != [room] or made["conflicts"]:
            raise ValueError(f"the event does not suit: {made}")
        return str(made["event_id"])


class Shop:
    """The shop's pages: some only read, others in the browser."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.page = ""

    def go(self, path: str) -> str:
        self.agent.call("browser_navigate", url=f"http://shop.test{path}")
        return self.look()

    def look(self) -> str:
        self.page = self.agent.call("browser_snapshot").text
        return self.page

    def target(self, role: str, name: str) -> dict[str, Any]:
        found = re.search(rf'{role} "{re.escape(name)}[^"]*".*?\[ref=(\w+)\]', self.page)
        if not found:
            raise ValueError(f"no {role} {name!r} in:\n{self.page}")
        return {"element": name, "target": found[1]}

    def click(self, role: str, name: str) -> str:
        self.agent.call("browser_click", **self.target(role, name))
        return self.look()

    def type(self, role: str, name: str, text: str) -> None:
        self.agent.call("browser_type", **self.target(role, name), text=text)

    def sign_in(self, email: str, password: str) -> None:
        self.agent.call("list_sites")
        self.go("/login")
        self.type("textbox", "Email", email)
        self.type("textbox", "Password", password)
        if "Sign out" not in self.click("button", "Sign in"):
            raise ValueError(f"nobody is signed in:\n{self.page}")

    def best(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The product of which the packs that are needed cost least."""
        query = wanted["item"].replace(" ", "+")
        listed = self.agent.call("read_web_page", url=f"http://shop.test/products?q={query}")
        paths = sorted(
            {
                link["href"]
                for link in listed.structured["links"]
                if re.search(r"/products/[\w.-]+$", link["href"])
            }
        )
        pages = self.agent.call_all(
            ("read_web_page", {"url": urljoin("http://shop.test/", path)}) for path in paths
        )
        fitting = []
        for page in pages:
            product = product_of(page.structured)
            packs = -(-wanted["pieces"] // product["pieces"])
            if product["stock"] >= packs and all(each in product["is"] for each in wanted["must"]):
                cost = packs * product["cents"]
                fitting.append(
                    {**product, "packs": packs, "cost": cost, "optional": wanted["optional"]}
                )
        return min(fitting, key=lambda each: each["cost"])

    def delivery_before(self, day: date) -> dict[str, Any]:
        """The cheapest kind that arrives before a day; from what the shop says of its kinds."""
        text = self.agent.call("read_web_page", url="http://shop.test/delivery").structured["text"]
        kinds = []
        for line in text.split("\n"):
            name, _, rest = line.partition(" | ")
            if not rest or not name.endswith(" delivery"):
                continue
            found = re.search(r"(\d+) working days", rest)
            first = after_working_days(int(found[1]) if found else 1)
            kinds.append({"name": name, "cents": cents_of(rest), "first": first})
        return min((each for each in kinds if each["first"] < day), key=lambda each: each["cents"])

    def order(
        self, lines: list[dict[str, Any]], delivery: dict[str, Any], po: str
    ) -> dict[str, Any]:
        for line in lines:
            self.go(f"/products/{line['sku']}")
            self.type("spinbutton", "Quantity", str(line["packs"]))
            if "Added to your basket" not in self.click("button", "Add to basket"):
                raise ValueError(f"{line} was not added:\n{self.page}")
        self.go("/checkout")
        self.click("radio", delivery["name"])
        self.type("textbox", "Delivery date", delivery["first"].isoformat())
        self.click("radio", "Invoice")
        self.type("textbox", "Purchase order number", po)
        self.click("checkbox", "I accept the terms")
        if "Review your order" not in self.click("button", "Continue to review"):
            raise ValueError(f"the details were not taken:\n{self.page}")
        page = self.click("button", "Place order")
        found = re.search(r"Your order (SO-\d+) was placed", page)
        total = sum(line["cost"] for line in lines) + delivery["cents"]
        if not found or euros(total) not in page:
            raise ValueError(f"the order was not placed, or is not {euros(total)}:\n{page}")
        return {"id": found[1], "total": total}


def product_of(page: dict[str, Any]) -> dict[str, Any]:
    text = page["text"]
    stock = re.search(r"In stock \((\d+) available\)|Only (\d+) left in stock", text)
    return {
        "sku": page["url"].rpartition("/")[2],
        "name": page["title"].partition(" · ")[0],
        "is": re.findall(r": (.+)$", text, re.MULTILINE),
        "cents": cents_of(text),
        "pieces": int(match(r"Pieces\W*\s(\d+)", text)[1]),
        "stock": int(stock[1] or stock[2]) if stock else 0,
    }


def after_working_days(days: int) -> date:
    day = date.fromisoformat(TODAY)
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day
