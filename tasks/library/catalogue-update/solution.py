"""Plays the task as a careful clerk would: look around, read everything, work it out, write, check.

Everything it knows comes from what the tools return.
"""

import json
import re
from collections import Counter, defaultdict

PAGE = 90

# Prints the tables and paragraphs of a Word file, one JSON row each.
SHOW_DOCX = """
import json, docx
note = docx.Document({path!r})
for table in note.tables:
    for row in table.rows:
        print("row", json.dumps([cell.text for cell in row.cells], ensure_ascii=False))
for paragraph in note.paragraphs:
    print("text", paragraph.text)
"""

# Prints the names and sizes of a workbook's sheets.
SHOW_SHEETS = """
import json, openpyxl
for sheet in openpyxl.load_workbook({path!r}):
    print("row", json.dumps([sheet.title, sheet.max_row, sheet.max_column], ensure_ascii=False))
"""

# Prints some rows of a sheet, one JSON row each.
SHOW_ROWS = """
import json, openpyxl
sheet = openpyxl.load_workbook({path!r}, read_only=True)[{sheet!r}]
for row in sheet.iter_rows(min_row={first}, max_row={last}, values_only=True):
    print("row", json.dumps(row, ensure_ascii=False, default=str))
"""

# Prints every row, of any sheet, that has one of these ISBNs, however it is written.
LOOK_UP = """
import json, openpyxl
bodies = [isbn[3:12] for isbn in {isbns!r}]
for sheet in openpyxl.load_workbook("/workspace/catalogue.xlsx", read_only=True):
    for row in sheet.iter_rows(values_only=True):
        isbn = str(row[1] if len(row) > 1 else "").replace("-", "")
        if any(body in isbn for body in bodies):
            print("row", json.dumps([sheet.title, *row], ensure_ascii=False, default=str))
"""

CHECK = r'''
import re, sys
lines = open("/workspace/updates.txt", encoding="utf-8").read().splitlines()
for line in lines:
    found = re.fullmatch(r"(?:ADD (\d{13}) [1-9]\d*)|(?:DELETE (\d{13}))", line)
    isbn = found and (found[1] or found[2])
    if not found or sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(isbn)) % 10:
        sys.exit(f"bad line: {line!r}")
keys = [line.split()[:2] for line in lines]
if keys != sorted(keys) or len({isbn for _, isbn in keys}) != len(lines):
    sys.exit("not sorted, or a title twice")
print(f"checked {len(lines)} lines")
'''


def solve(agent):
    desk = Desk(agent)
    before = desk.look_around()
    delivery = desk.read_delivery()
    damage = desk.read_damage()
    donations = desk.read_donations()
    purge = desk.read_purge()
    sheet, copies, branches = desk.read_catalogue()
    lines = work_out(copies, branches, delivery, damage, donations, purge)
    desk.look_up(lines, sheet)
    desk.write(lines)
    desk.verify(lines, before)
    return f"Wrote {len(lines)} lines to /workspace/updates.txt and checked them."


class Desk:
    """The calls, each with a purpose."""

    def __init__(self, agent):
        self.agent = agent

    def run(self, command):
        result = self.agent.call("run_command", command=command)
        if (result.structured or {}).get("exitCode", 0) != 0:
            raise ValueError(f"{command}\ndid not work: {result.text}")
        return result.text

    def python(self, program):
        return self.run(f"python3 - <<'EOF'\n{program.strip()}\nEOF")

    def rows(self, program):
        lines = self.python(program).splitlines()
        return [json.loads(line[4:]) for line in lines if line.startswith("row ")]

    def sheet(self, path, sheet, first=1, last=500):
        return self.rows(SHOW_ROWS.format(path=path, sheet=sheet, first=first, last=last))

    def look_around(self):
        self.agent.call("list_allowed_directories")
        self.agent.call("directory_tree", path="/workspace")
        self.agent.call("list_directory_with_sizes", path="/workspace/reports")
        self.agent.call("get_file_info", path="/workspace/catalogue.xlsx")
        self.agent.call("read_text_file", path="/workspace/about-isbn.txt")
        self.agent.call("read_text_file", path="/workspace/archive/updates-2026-01.txt", head=5)
        self.run("python3 --version; pdftotext -v 2>&1 | head -n 1")
        return self.checksums()

    def checksums(self):
        command = ("cd /workspace && find . -type f -not -path './scratch/*' "
                   "-not -name updates.txt -print0 | sort -z | xargs -0 sha256sum")
        return re.findall(r"^[0-9a-f]{64}  \S.*$", self.run(command), re.M)

    def read_delivery(self):
        text = self.python(SHOW_DOCX.format(path="/workspace/reports/delivery.docx"))
        table = [json.loads(line[4:]) for line in text.splitlines() if line.startswith("row ")]
        lines = {row[0]: {"isbn": row[1], "number": int(row[5])}
                 for row in table if row[0].startswith("HB-")}
        for reference, said in re.findall(r"^text (HB-\w+): (.*)$", text, re.M):
            if found := re.match(r"delivered (\d+), not", said):
                lines[reference]["number"] = int(found[1])
            elif found := re.match(r"the ISBN should read ([\dXx -]+)\.", said):
                lines[reference]["isbn"] = found[1]
            elif "disregard this line" in said:
                del lines[reference]
            else:
                raise ValueError(f"a correction that nobody can read: {said}")
        return list(lines.values())

    def read_damage(self):
        self.run("pdfinfo /workspace/reports/damage.pdf")
        text = self.run("pdftotext -layout /workspace/reports/damage.pdf -")
        table, _, reassessed = text.partition("Reassessed")
        lines = {}
        for found in re.finditer(r"(DS-\w+)\s+(\d{9})\s.*?([\w-]+)[ \t]*$", table, re.M):
            lines[found[1]] = {"barcode": found[2], "verdict": found[3]}
        for reference, verdict in re.findall(r"(DS-\w+)\s+([\w-]+)[ \t]*$", reassessed, re.M):
            lines[reference]["verdict"] = verdict
        return list(lines.values())

    def read_donations(self):
        path = "/workspace/reports/donations.xlsx"
        self.rows(SHOW_SHEETS.format(path=path))
        table = self.sheet(path, "Donations")
        header = next(row for row in table if row[0] == "Reference")
        lines = {row[0]: dict(zip(header, row)) for row in table
                 if str(row[0]).startswith("GF-")}
        for reference, column, value in self.sheet(path, "Corrections")[1:]:
            lines[reference][column] = value
        return [{"isbn": line["ISBN"], "number": line["Copies"], "verdict": line["Decision"]}
                for line in lines.values()]

    def read_purge(self):
        text = self.agent.call("read_text_file", path="/workspace/reports/purge.eml").text
        letter, _, postscript = text.replace("\r\n", "\n").partition("P.S.")
        postscript = postscript.split("\n\n")[0]
        lines = {}
        for found in re.finditer(r"^(SP-\w+)  ([\dXx -]+?)  .*\((.+?)\)$", letter, re.M):
            lines[found[1]] = {"isbn": found[2], "where": found[3].removesuffix(" only")}
        for reference in re.findall(r"strike (SP-\w+)", postscript):
            del lines[reference]
        for reference in re.findall(r"(SP-\w+) is for all branches", postscript):
            lines[reference]["where"] = "all branches"
        return list(lines.values())

    def read_catalogue(self):
        path = "/workspace/catalogue.xlsx"
        sizes = {name: rows for name, rows, _ in self.rows(SHOW_SHEETS.format(path=path))}
        notes = " ".join(str(row[0]) for row in self.sheet(path, "Notes"))
        current = re.search(r"'([^']+)' is the current sheet", notes)[1]
        branches = {name: code for code, name, *_ in self.sheet(path, "Branches")[1:]}
        self.sheet(path, "Withdrawn")
        table = []
        for first in range(1, sizes[current] + 1, PAGE):
            table += self.sheet(path, current, first, first + PAGE - 1)
        header, *rows = table
        if len(rows) != sizes[current] - 1:
            raise ValueError(f"{len(rows)} rows came back of {sizes[current] - 1}")
        return current, [dict(zip(header, row)) for row in rows], branches

    def look_up(self, lines, sheet):
        """Looks once more, in the workbook itself, at what is about to be said."""
        for kind, some in (("ADD", lines[:4]), ("DELETE", lines[-4:])):
            isbns = [line.split()[1] for line in some if line.startswith(kind)]
            rows = self.rows(LOOK_UP.format(isbns=isbns))
            if any(row[0] == sheet for row in rows) != (kind == "DELETE"):
                raise ValueError(f"{kind} {isbns} does not fit the sheet {sheet}")

    def write(self, lines):
        self.agent.call("create_directory", path="/workspace/scratch")
        self.agent.call("write_file", path="/workspace/scratch/check.py", content=CHECK)
        self.agent.call("write_file", path="/workspace/updates.txt",
                        content="".join(line + "\n" for line in lines))

    def verify(self, lines, before):
        text = self.agent.call("read_text_file", path="/workspace/updates.txt").text
        if text.split("\n") != [*lines, ""]:
            raise ValueError(f"updates.txt reads back differently: {text!r}")
        if "checked" not in self.run("python3 /workspace/scratch/check.py"):
            raise ValueError("the written list does not pass the check")
        self.run("cd /workspace && LC_ALL=C sort -c updates.txt && wc -l updates.txt "
                 "&& cut -d ' ' -f 1 updates.txt | uniq -c")
        if self.checksums() != before:
            raise ValueError("a file that should have been left alone has changed")
        self.agent.call("list_directory", path="/workspace")


def work_out(copies, branches, delivery, damage, donations, purge):
    """The rules of the instruction, on what was read."""
    came = Counter()
    for line in delivery:
        came[isbn_13(line["isbn"])] += line["number"]
    places = defaultdict(set)
    for line in purge:
        where = line["where"]
        places[isbn_13(line["isbn"])] |= (
            set(branches.values()) if where == "all branches" else {branches[where]})
    for line in donations:
        isbn = isbn_13(line["isbn"])
        if line["verdict"] == "accepted" and isbn not in places:
            came[isbn] += line["number"]
    del came[None]
    written_off = {line["barcode"] for line in damage if line["verdict"] == "write-off"}
    held, stays = Counter(), Counter()
    for copy in copies:
        isbn = isbn_13(copy["ISBN"])
        weeded = copy["Collection"] == "Lending" and copy["Branch"] in places[isbn]
        held[isbn] += 1
        stays[isbn] += str(copy["Barcode"]) not in written_off and not weeded
    lines = [f"ADD {isbn} {number}" for isbn, number in came.items() if number and not held[isbn]]
    lines += [f"DELETE {isbn}" for isbn in held if not stays[isbn] and not came[isbn]]
    return sorted(lines)


def isbn_13(written):
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


def check_digit(body):
    return str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body)) % 10)
