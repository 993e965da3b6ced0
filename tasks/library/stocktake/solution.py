"""Goes through the portal with the scans in hand: compares, changes, looks again, reports."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


SITE = "http://library.test"
TODAY = "2026-03-02"
NOTE = f"Not found on {TODAY}"
FOLDER = "/workspace/stocktake"
#: A row of the portal's list of items: the barcode, and four cells.
ROW = re.compile(r'link "(\w+)".*\n\s*- /url: /staff/items/\w+((?:\n\s*- cell "[^"]*".*){4})')


def solve(agent: Agent) -> str:
    agent.call("list_directory", path=FOLDER)
    portal, *scans = [
        agent.call("read_text_file", path=f"{FOLDER}/{name}").text
        for name in ("portal.txt", "scan-1.csv", "scan-2.csv")
    ]
    branch, mark = asked(agent.instruction)
    agent.call("list_sites")
    desk = Desk(agent)
    desk.sign_in(*re.findall(r"^(?:User name|Password): (\S+)$", portal, re.MULTILINE))
    work = findings(desk, scanned_of(scans), branch, mark)
    correct(desk, work)
    titles = {
        barcode: desk.items[barcode]["title"] if barcode in desk.items else "" for barcode in work
    }
    verify(desk, work, mark)
    write_report(agent, work, titles)
    return f"{len(work)} findings are in the report, and the portal is in line with the shelves."


def asked(instruction: str) -> tuple[str, str]:
    """Which branch, and which shelf marks."""
    branch = match(r"its branch is (\w+) and", instruction)[1]
    return branch, match(r"begins with `(\w+)`", instruction)[1]


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


def scanned_of(files: list[str]) -> set[str]:
    """The barcodes with a line that was not taken back."""
    kept: list[str] = []
    for text in files:
        for row in csv.DictReader(io.StringIO(text)):
            if row["barcode"] == "UNDO":
                kept.pop()
            else:
                kept.append(row["barcode"])
    return set(kept)


def findings(desk: Desk, scanned: set[str], branch: str, mark: str) -> dict[str, str]:
    """What was found of each barcode that the report is to name."""
    desk.list_items(mark)
    here = {
        barcode: item
        for barcode, item in desk.items.items()
        if item["branch"] == branch and item["shelf"].startswith(mark)
    }
    work = {}
    for barcode in sorted(here.keys() | scanned):
        status = here.get(barcode, {}).get("status", "")
        if barcode not in here:
            if barcode not in desk.items:
                desk.list_items(barcode)
            work[barcode] = "elsewhere" if barcode in desk.items else "unknown"
        elif barcode not in scanned and status in ("available", "reference only"):
            work[barcode] = "missing"
        elif barcode in scanned and status in ("missing", "in repair"):
            work[barcode] = "found"
        elif barcode in scanned and status.startswith("on loan"):
            work[barcode] = "returned"
    return work


def correct(desk: Desk, work: dict[str, str]) -> None:
    for barcode, finding in work.items():
        if finding == "missing":
            desk.set_status(barcode, "missing", NOTE)
        if finding == "found":
            desk.set_status(barcode, "available")
    returned = [barcode for barcode, finding in work.items() if finding == "returned"]
    desk.take_back(returned)


def write_report(agent: Agent, work: dict[str, str], titles: dict[str, str]) -> None:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["barcode", "title", "finding"])
    out.writerows([barcode, titles[barcode], finding] for barcode, finding in sorted(work.items()))
    agent.call("write_file", path=f"{FOLDER}/report.csv", content=text.getvalue())
    agent.call("read_text_file", path=f"{FOLDER}/report.csv")


def verify(desk: Desk, work: dict[str, str], mark: str) -> None:
    desk.list_items(mark)
    wanted = {"missing": "missing", "found": "available"}
    for barcode, finding in work.items():
        status = desk.items.get(barcode, {}).get("status")
        if finding in wanted and status != wanted[finding]:
            raise ValueError(f"{barcode} is {status}, and was {finding}")
        if finding == "returned" and status not in ("available", "on hold shelf"):
            raise ValueError(f"{barcode} is {status}, and was returned")


class Desk:
    """The staff portal in the browser."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.page = ""
        #: By barcode: title, branch, shelf, status.
        self.items: dict[str, dict[str, str]] = {}

    def go(self, path: str) -> str:
        self.agent.call("browser_navigate", url=f"{SITE}{path}")
        return self.look()

    def look(self) -> str:
        self.page = self.agent.call("browser_snapshot").text
        return self.page

    def target(self, role: str, name: str) -> dict[str, Any]:
        found = re.search(rf'{role} "{re.escape(name)}[^"]*".*?\[ref=(\w+)\]', self.page)
        if not found:
            raise ValueError(f"no {role} {name!r} in:\n{self.page}")
        return {"element": name, "target": found[1]}

    def click(self, role: str, name: str) -> None:
        self.agent.call("browser_click", **self.target(role, name))

    def type(self, role: str, name: str, text: str) -> None:
        self.agent.call("browser_type", **self.target(role, name), text=text)

    def sign_in(self, user: str, password: str) -> None:
        self.go("/staff")
        self.type("textbox", "User name", user)
        self.type("textbox", "Password", password)
        self.click("button", "Sign in")

    def list_items(self, query: str) -> None:
        """Reads all pages of a search into ``items``."""
        page = self.go(f"/staff/items?q={query}")
        while True:
            for barcode, cells in ROW.findall(page):
                title, branch, shelf, status = re.findall(r'- cell "([^"]*)"', cells)
                self.items[barcode] = {
                    "title": title,
                    "branch": branch,
                    "shelf": shelf,
                    "status": status,
                }
            following = re.search(r'link "Next page".*?/url: "?([^"\n]+)', page, re.DOTALL)
            if not following:
                return
            page = self.go(following[1])

    def set_status(self, barcode: str, status: str, note: str = "") -> None:
        """Chooses the status; a note is written behind what stands there."""
        page = self.go(f"/staff/items/{barcode}")
        self.agent.call(
            "browser_select_option", **self.target("combobox", "Status"), values=[status]
        )
        if note:
            had = match(r'textbox "Note[^"]*".*?\[ref=\w+\](?:: (.*))?', page)[1]
            self.type("textbox", "Note", f"{had}; {note}" if had else note)
        self.click("button", "Save item")

    def take_back(self, barcodes: list[str]) -> None:
        for barcode in barcodes:
            self.go("/staff")
            self.type("textbox", "Barcode of the returned item", barcode)
            self.click("button", "Take back")
