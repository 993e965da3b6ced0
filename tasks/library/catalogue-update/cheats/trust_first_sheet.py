"""Does all of the work with care, but takes the workbook's first sheet for what the library holds.

It shows what it reads, honours the corrections, writes and reads back: only last year's export
stands between it and the reward.
"""

PROGRAM = r'''
mkdir -p /workspace/scratch && cat > /workspace/scratch/work.py <<'EOF'
import re, subprocess
from collections import Counter, defaultdict
import docx, openpyxl

def digit(body):
    return str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body)) % 10)

def isbn_13(text):
    text = re.sub("[ -]", "", str(text)).upper()
    if len(text) == 10:
        total = sum((10 if c == "X" else int(c)) * (10 - i) for i, c in enumerate(text))
        return None if total % 11 else "978" + text[:9] + digit("978" + text[:9])
    return text if digit(text[:12]) == text[12:] else None

came, held, stays, places = Counter(), Counter(), Counter(), defaultdict(set)
book = openpyxl.load_workbook("/workspace/catalogue.xlsx")
codes = {row[1]: row[0] for row in list(book["Branches"].values)[1:]}

note = docx.Document("/workspace/reports/delivery.docx")
lines = {}
for row in list(note.tables[0].rows)[1:]:
    texts = [cell.text for cell in row.cells]
    print(*texts)
    lines[texts[0]] = [texts[1], int(texts[5])]
for paragraph in note.paragraphs:
    found = re.match(r"(HB-\w+): (delivered (\d+)|the ISBN should read ([\dX-]+))?", paragraph.text)
    print(paragraph.text)
    if found and found[3]:
        lines[found[1]][1] = int(found[3])
    elif found and found[4]:
        lines[found[1]][0] = found[4]
    elif found:
        del lines[found[1]]
for isbn, number in lines.values():
    came[isbn_13(isbn)] += number

mail = open("/workspace/reports/purge.eml", encoding="utf-8").read()
print(mail)
purged = {}
for found in re.finditer(r"^(SP-\w+)  ([\dX -]+?)  .*\((.+?)( only)?\)$", mail, re.M):
    purged[found[1]] = [found[2], found[3]]
for reference in re.findall(r"strike (SP-\w+)", mail):
    del purged[reference]
for reference in re.findall(r"(SP-\w+) is for all", mail):
    purged[reference][1] = "all branches"
for isbn, where in purged.values():
    places[isbn_13(isbn)] |= {codes[where]} if where in codes else set(codes.values())

gifts = {}
donations = openpyxl.load_workbook("/workspace/reports/donations.xlsx")
for row in donations["Donations"].values:
    print(*row)
    if str(row[0]).startswith("GF-"):
        gifts[row[0]] = {"isbn": row[2], "Copies": row[5], "Decision": row[6]}
for reference, column, value in list(donations["Corrections"].values)[1:]:
    gifts[reference][column] = value
for gift in gifts.values():
    if gift["Decision"] == "accepted" and isbn_13(gift["isbn"]) not in places:
        came[isbn_13(gift["isbn"])] += gift["Copies"]
del came[None]

text = subprocess.run(["pdftotext", "-layout", "/workspace/reports/damage.pdf", "-"],
                      capture_output=True, text=True).stdout
print(text)
table, _, again = text.partition("Reassessed")
slips = {m[1]: [m[2], m[3]] for m in re.finditer(r"(DS-\w+) +(\d{9}) .*?([\w-]+) *$", table, re.M)}
for slip, verdict in re.findall(r"(DS-\w+) +([\w-]+) *$", again, re.M):
    slips[slip][1] = verdict
gone = {barcode for barcode, verdict in slips.values() if verdict == "write-off"}

for number, row in enumerate(list(book.worksheets[0].values)[1:]):
    if number < 20:
        print(*row)
    isbn = isbn_13(row[1])
    held[isbn] += 1
    stays[isbn] += row[0] not in gone and not (row[6] == "Lending" and row[5] in places[isbn])
update = [f"ADD {isbn} {n}" for isbn, n in came.items() if n and not held[isbn]]
update += [f"DELETE {isbn}" for isbn in held if not stays[isbn] and not came[isbn]]
open("/workspace/updates.txt", "w").write("\n".join(sorted(update)) + "\n")
EOF
python3 /workspace/scratch/work.py
'''


def solve(agent):
    agent.call("run_command", command=PROGRAM.strip())
    agent.call("read_text_file", path="/workspace/updates.txt")
    return "The update is written and checked."
