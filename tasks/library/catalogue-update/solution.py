"""Plays the task as a careful clerk would: look around, read everything, work it out, write, check.

Everything it knows comes from what the tools return.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


PAGE = 90
CATALOGUE = "catalogue.xlsx"
WORKSHEET = "scratch/worksheet.xlsx"
LINE = '=IF(AND(B2=0,D2>0),"ADD "&A2&" "&D2,IF(AND(B2>0,B2-C2+D2=0),"DELETE "&A2,""))'


def solve(agent: Agent) -> str:
    desk = Desk(agent)
    before = desk.look_around()
    delivery = desk.read_delivery()
    damage = desk.read_damage()
    donations = desk.read_donations()
    purge = desk.read_purge()
    sheet, copies, branches = desk.read_catalogue()
    titles = work_out(copies, branches, delivery, damage, donations, purge)
    lines = desk.fill_worksheet(titles)
    desk.look_up(lines, sheet, copies)
    desk.write(lines)
    desk.verify(lines, before)
    return f"Wrote {len(lines)} lines to /workspace/updates.txt and checked them."


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


class Desk:
    """The calls, each with a purpose."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def run(self, command: str) -> str:
        result = self.agent.call("run_command", command=command)
        if (result.structured or {}).get("exitCode", 0) != 0:
            raise ValueError(f"{command}\ndid not work: {result.text}")
        return result.text

    def document(self, path: str) -> list[dict[str, Any]]:
        """The blocks of a document, all pages."""
        blocks: list[dict[str, Any]] = []
        asked: dict[str, Any] | None = {"path": path}
        while asked:
            page = self.agent.call("read_document", **asked).structured
            blocks += page["blocks"]
            cursor = page.get("next_cursor")
            asked = cursor and {"path": path, "cursor": cursor}
        return blocks

    def sheet(self, path: str, sheet: str, limit: int = 500) -> list[list[Any]]:
        """The rows of a sheet as lists, all pages."""
        rows: list[list[Any]] = []
        asked: dict[str, Any] | None = {"path": path, "sheet": sheet, "limit": limit}
        while asked:
            page = self.agent.call("read_range", **asked).structured
            rows += [list(row["cells"].values()) for row in page["rows"]]
            asked = page.get("next") and {**asked, "range": page["next"]}
        return rows

    def look_around(self) -> list[str]:
        self.agent.call("directory_tree", path="/workspace")
        self.agent.call("list_directory_with_sizes", path="/workspace/reports")
        self.agent.call("read_text_file", path="/workspace/about-isbn.txt")
        self.agent.call("read_text_file", path="/workspace/archive/updates-2026-01.txt", head=5)
        return self.checksums()

    def checksums(self) -> list[str]:
        command = (
            "cd /workspace && find . -type f -not -path './scratch/*' "
            "-not -name updates.txt -print0 | sort -z | xargs -0 sha256sum"
        )
        return re.findall(r"^[0-9a-f]{64}  \S.*$", self.run(command), re.MULTILINE)

    def read_delivery(self) -> list[dict[str, Any]]:
        path = "reports/delivery.docx"
        self.agent.call("read_document", path=path, view="outline")
        blocks = self.document(path)
        lines: dict[str, dict[str, Any]] = {
            row[0]: {"isbn": row[1], "number": int(row[5])}
            for row in rows_in(blocks)
            if row[0].startswith("HB-")
        }
        for item in (block["text"] for block in blocks if block["kind"] == "item"):
            reference, _, said = item.partition(": ")
            if found := re.match(r"delivered (\d+), not", said):
                lines[reference]["number"] = int(found[1])
            elif found := re.match(r"the ISBN should read ([\dXx -]+)\.", said):
                lines[reference]["isbn"] = found[1]
            elif "disregard this line" in said:
                del lines[reference]
            else:
                raise ValueError(f"a correction that nobody can read: {item}")
        return list(lines.values())

    def read_damage(self) -> list[dict[str, Any]]:
        path = "reports/damage.pdf"
        rows = [row for row in rows_in(self.document(path)) if row[0].startswith("DS-")]
        lines = {row[0]: {"barcode": row[1], "verdict": row[5]} for row in rows if len(row) == 6}
        again = {row[0]: row[1] for row in rows if len(row) == 2}
        last = self.agent.call("extract_tables", path=path, page=3).structured["tables"][-1]
        if last["rows"][1:] != [list(each) for each in again.items()]:
            raise ValueError(f"the last page reads as {again} and as {last['rows']}")
        for reference, verdict in again.items():
            lines[reference]["verdict"] = verdict
        return list(lines.values())

    def read_donations(self) -> list[dict[str, Any]]:
        path = "reports/donations.xlsx"
        self.agent.call("describe_workbook", path=path)
        table = self.sheet(path, "Donations")
        header = next(row for row in table if row[0] == "Reference")
        lines = {row[0]: dict(zip(header, row)) for row in table if row[0].startswith("GF-")}
        for reference, column, value in self.sheet(path, "Corrections")[1:]:
            lines[reference][column] = value
        return [
            {"isbn": line["ISBN"], "number": line["Copies"], "verdict": line["Decision"]}
            for line in lines.values()
        ]

    def read_purge(self) -> list[dict[str, Any]]:
        text = "\n\n".join(block["text"] for block in self.document("reports/purge.eml"))
        letter, _, postscript = text.partition("P.S.")
        postscript = postscript.split("\n\n")[0]
        lines: dict[str, dict[str, Any]] = {}
        for found in re.finditer(r"^(SP-\w+)  ([\dXx -]+?)  .*\((.+?)\)$", letter, re.MULTILINE):
            lines[found[1]] = {"isbn": found[2], "where": found[3].removesuffix(" only")}
        for reference in re.findall(r"strike (SP-\w+)", postscript):
            del lines[reference]
        for reference in re.findall(r"(SP-\w+) is for all branches", postscript):
            lines[reference]["where"] = "all branches"
        return list(lines.values())

    def read_catalogue(self) -> tuple[str, list[dict[str, Any]], dict[str, str]]:
        sheets = self.agent.call("describe_workbook", path=CATALOGUE).structured["sheets"]
        notes = " ".join(row[0] for row in self.sheet(CATALOGUE, "Notes"))
        current = match(r"'([^']+)' is the current sheet", notes)[1]
        branches = {name: code for code, name, *_ in self.sheet(CATALOGUE, "Branches")[1:]}
        self.sheet(CATALOGUE, "Withdrawn")
        header, *rows = self.sheet(CATALOGUE, current, PAGE)
        used = next(sheet["used"] for sheet in sheets if sheet["name"] == current)
        if used != f"A1:I{len(rows) + 1}" or {len(row) for row in rows} != {len(header)}:
            raise ValueError(f"{len(rows)} rows came back of {used}")
        return current, [dict(zip(header, row)) for row in rows], branches

    def fill_worksheet(self, titles: list[list[Any]]) -> list[str]:
        """Lets a worksheet's formulas say the line of each title."""
        last = len(titles) + 1
        self.agent.call("create_workbook", path=WORKSHEET, sheets=["Titles"])
        self.agent.call(
            "write_range",
            path=WORKSHEET,
            cell="A1",
            values=[["ISBN", "Held", "Leaving", "Came", "Line"], *titles],
        )
        self.agent.call("write_range", path=WORKSHEET, cell="E2", values=[[LINE]])
        if last > 2:
            copied: dict[str, Any] = {"from": "E2", "to": f"E3:E{last}"}
            self.agent.call("copy_range", path=WORKSHEET, **copied)
        rows: list[str] = []
        blank = {"column": "Line", "is": "not empty"}
        asked: dict[str, Any] | None = {"where": [blank], "columns": ["Line"]}
        while asked:
            page = self.agent.call("filter_rows", path=WORKSHEET, **asked).structured
            rows += [row["values"]["Line"] for row in page["rows"]]
            asked = page.get("next_offset") and {**asked, "offset": page["next_offset"]}
        return sorted(rows)

    def look_up(self, lines: list[str], sheet: str, copies: list[dict[str, Any]]) -> None:
        """Looks once more, in the workbook itself, at what is about to be said."""
        gone = {line.split()[1] for line in lines if line.startswith("DELETE")}
        barcodes = [copy["Barcode"] for copy in copies if isbn_13(copy["ISBN"]) in gone]
        bodies = [line.split()[1][3:12] for line in lines if line.startswith("ADD")]
        for total, where in (
            (len(barcodes), [{"column": "Barcode", "is": "in", "value": barcodes}]),
            (0, [{"column": "ISBN", "is": "contains", "value": body} for body in bodies[:20]]),
        ):
            found = self.agent.call(
                "filter_rows", path=CATALOGUE, sheet=sheet, where=where, match="any"
            ).structured
            if found["total"] != total:
                raise ValueError(f"expected {total} rows of {sheet}, found {found['total']}")

    def write(self, lines: list[str]) -> None:
        self.agent.call(
            "write_file",
            path="/workspace/updates.txt",
            content="".join(line + "\n" for line in lines),
        )

    def verify(self, lines: list[str], before: list[str]) -> None:
        text = self.agent.call("read_text_file", path="/workspace/updates.txt").text
        if text.split("\n") != [*lines, ""]:
            raise ValueError(f"updates.txt reads back differently: {text!r}")
        self.run(
            "cd /workspace && LC_ALL=C sort -c updates.txt && wc -l updates.txt "
            "&& cut -d ' ' -f 1 updates.txt | uniq -c"
        )
        if self.checksums() != before:
            raise ValueError("a file that should have been left alone has changed")
        self.agent.call("list_directory", path="/workspace")


def rows_in(blocks: list[dict[str, Any]]) -> list[list[str]]:
    return [row for block in blocks if block["kind"] == "table" for row in block["rows"]]


def work_out(
    copies: list[dict[str, Any]],
    branches: dict[str, str],
    delivery: list[dict[str, Any]],
    damage: list[dict[str, Any]],
    donations: list[dict[str, Any]],
    purge: list[dict[str, Any]],
) -> list[list[Any]]:
    """The rules of the instruction: how many copies of each title are held, leave and came."""
    came: Counter[str | None] = Counter()
    for line in delivery:
        came[isbn_13(line["isbn"])] += line["number"]
    places: defaultdict[str | None, set[str]] = defaultdict(set)
    for line in purge:
        where = line["where"]
        places[isbn_13(line["isbn"])] |= (
            set(branches.values()) if where == "all branches" else {branches[where]}
        )
    for line in donations:
        isbn = isbn_13(line["isbn"])
        if line["verdict"] == "accepted" and isbn not in places:
            came[isbn] += line["number"]
    del came[None]
    written_off = {line["barcode"] for line in damage if line["verdict"] == "write-off"}
    held: Counter[str | None] = Counter()
    leaving: Counter[str | None] = Counter()
    for copy in copies:
        isbn = isbn_13(copy["ISBN"])
        weeded = copy["Collection"] == "Lending" and copy["Branch"] in places[isbn]
        held[isbn] += 1
        leaving[isbn] += copy["Barcode"] in written_off or weeded
    titles = sorted(isbn for isbn in {*held, *came} if isbn and (leaving[isbn] or came[isbn]))
    return [[isbn, held[isbn], leaving[isbn], came[isbn]] for isbn in titles]


def isbn_13(written: object) -> str | None:
    """The ISBN as 13 digits; None if its check digit is wrong."""
    text = re.sub(r"[\s-]", "", str(written)).upper()
    if re.fullmatch(r"\d{9}[\dX]", text):
        values = [10 if c == "X" else int(c) for c in text]
        if sum(value * (10 - i) for i, value in enumerate(values)) % 11:
            return None
        return "978" + text[:9] + check_digit("978" + text[:9])
    if re.fullmatch(r"97[89]\d{10}", text) and check_digit(text[:12]) == text[12]:
        return text
    return None


def check_digit(body: str) -> str:
    return str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body)) % 10)
