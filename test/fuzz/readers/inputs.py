"""Sound inputs of each reader of the graders' library."""

from __future__ import annotations

# ruff: noqa: E501  Parts of files are as long as their formats have them.
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "test" / "servers" / "spreadsheet" / "files"
ME = "ana@example.test"


PEOPLE = {
    "me": ME,
    "people": [
        {"name": "Ana Sol", "email": ME, "timezone": "Europe/Madrid"},
        {"name": "Bo", "email": "bo@example.test", "title": "Buyer"},
        {"name": "Attic", "email": "attic@example.test", "kind": "room", "capacity": 8},
    ],
}


STEP: Mapping[str, Any] = {
    "callId": "r0-1",
    "server": "terminal",
    "tool": "run_command",
    "exposedName": "run_command",
    "outcome": "ok",
    "error": None,
    "truncated": None,
    "at": "2026-03-02T09:00:00.000Z",
    "queueMs": 0,
    "upstreamMs": 1,
    "proxyMs": 0,
    "overlaps": [],
}


def steps() -> Sequence[bytes]:
    """Commands of a shell, and calls of other tools."""
    commands = [
        "cat notes.txt | sort > out.txt && mv out.txt notes.txt",
        "python3 - <<'EOF'\nopen('notes.txt', 'w').write('x')\nEOF",
        'for f in a/*.csv; do sed -i "s/x/y/" "$f"; done; echo {a,b}{1..9} $(ls) `pwd`',
        "tee -a notes.txt < a/b.csv; cp a/b.csv /workspace/notes.txt",
    ]
    told = {"content": [{"type": "text", "text": "done"}], "structuredContent": {"exitCode": 0}}
    shell = [{"arguments": {"command": each}, "result": told} for each in commands]
    edit = {
        "tool": "edit_file",
        "arguments": {"path": "notes.txt", "edits": [{"oldText": "a", "newText": "b"}]},
    }
    return [json.dumps(each).encode() for each in (*shell, {**edit, "result": told})]


def mails() -> Sequence[bytes]:
    """A plain message, and one of several parts."""
    plain, rich = EmailMessage(), EmailMessage()
    for made in (plain, rich):
        made["From"], made["To"] = (
            "Bo Lind <bo@example.test>",
            "Ana <ana@example.test>, =?utf-8?Q?W=C3=BC?= <w@x.test>",
        )
        made["Subject"], made["Date"] = "Übergröße", "Mon, 02 Mar 2026 09:00:00 +0100"
        made["Message-ID"], made["References"] = "<1@x.test>", "<0@x.test>"
        made.set_content("Hello\nWorld äöü\n")
    rich.add_alternative("<p>Hello <b>World</b></p>", subtype="html")
    rich.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="list.csv")
    return [plain.as_bytes(), rich.as_bytes()]


CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1@x.test
DTSTART;TZID=Europe/Madrid:20260302T140000
DTEND;TZID=Europe/Madrid:20260302T150000
RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO,WE
EXDATE;TZID=Europe/Madrid:20260304T140000
SUMMARY:Review\\, weekly
ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:mailto:bo@example.test
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:1@x.test
RECURRENCE-ID;TZID=Europe/Madrid:20260309T140000
DTSTART;TZID=Europe/Madrid:20260309T160000
DURATION:PT1H
SUMMARY:Moved
END:VEVENT
BEGIN:VEVENT
UID:2@x.test
DTSTART;VALUE=DATE:20260305
SUMMARY:Day off
END:VEVENT
END:VCALENDAR
"""
DOCUMENT = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    b'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p><w:p><w:ins><w:r>'
    b"<w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p><w:tbl><w:tr><w:tc>"
    b'<w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'
    b"</w:body></w:document>"
)
TYPES = (
    b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    b'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    b'wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    b'Target="word/document.xml"/></Relationships>'
)


def documents() -> Sequence[bytes]:
    """A Word file of three parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": RELATIONS,
            "word/document.xml": DOCUMENT,
        }.items():
            archive.writestr(name, content)
    return [buffer.getvalue()]


def workbooks() -> Sequence[bytes]:
    """Workbooks of other programs."""
    return [(FILES / f"{name}.xlsx").read_bytes() for name in ("budget-openpyxl", "shared")]


def papers() -> Sequence[bytes]:
    """A PDF of one page."""
    page = b"BT /F1 24 Tf 100 700 Td (Hello) Tj ET"
    return [
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF"
        % (len(page), page)
    ]


MEMORY = b"""{"type":"entity","name":"Ana","entityType":"person","observations":["likes tea","is 30"]}
{"type":"entity","name":"Bo","entityType":"person","observations":[]}
{"type":"relation","from":"Ana","to":"Bo","relationType":"knows"}"""
HTML = b"<html><style>p{}</style><body><p>A &amp; B &#8364;<br><a href='https://x.test'>x</a><script>1<2</script></p>"
CSV = b'id,name,amount\r\n1,"Sol, Ana",12.50\r\n2,"He said ""no""",-3\n3,\xc3\x9cber,1e3\n'
TEXT = b"Total: 1,234.50 EUR\n\n- one\n- two\r\nCaf\xc3\xa9 12.5% (3) 1/2\n"
SHOP = json.dumps(
    {
        "products": [
            {"sku": "t1", "name": "Tea", "category": "drinks", "price_cents": 250, "stock": 3}
        ],
        "orders": [
            {
                "id": "o1",
                "placed_at": "2026-03-02T09:00:00Z",
                "status": "placed",
                "email": ME,
                "address": {"name": "Ana", "city": "Soria"},
                "subtotal_cents": 500,
                "delivery": "post",
                "delivery_date": "2026-03-05",
                "delivery_cents": 300,
                "total_cents": 800,
                "payment": "card",
                "lines": [
                    {
                        "sku": "t1",
                        "name": "Tea",
                        "quantity": 2,
                        "unit_cents": 250,
                        "total_cents": 500,
                    }
                ],
            }
        ],
        "items": [{"barcode": "b1", "title": "Reef", "branch": "north"}],
        "loans": [
            {
                "id": "l1",
                "item": "b1",
                "member": "m1",
                "lent_on": "2026-03-01",
                "due_on": "2026-03-22",
            }
        ],
        "holds": [
            {
                "id": "h1",
                "title": "Reef",
                "member": "m1",
                "branch": "north",
                "placed_at": "2026-03-02T09:00:00Z",
            }
        ],
        "bookings": [
            {
                "id": "k1",
                "room": "attic",
                "member": "m1",
                "date": "2026-03-04",
                "start": "10:00",
                "end": "11:00",
                "people": 4,
            }
        ],
    }
).encode()
