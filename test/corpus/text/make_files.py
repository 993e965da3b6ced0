"""Writes CSV files as Python's csv module has them, and PDFs as ReportLab does.

Run: python3 make_files.py FOLDER"""

import csv
import io
import sys
from pathlib import Path
from typing import Literal

from reportlab.pdfgen import canvas

ROWS = [
    ["code", "name", "note"],
    ["007", "Größe, à côté", 'said "so"'],
    ["1.50", "two\nlines", ""],
    ["", "semi;colon", "tab\tbar|"],
]
CODINGS = {"utf8": "utf-8", "bom": "utf-8-sig", "utf16": "utf-16", "latin": "cp1252"}
QUOTING: dict[str, Literal[0, 1]] = {"min": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL}
folder = Path(sys.argv[1])
for coding, codec in CODINGS.items():
    for sign, delimiter in {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}.items():
        for ending, end in {"lf": "\n", "crlf": "\r\n", "cr": "\r"}.items():
            for style, quoting in QUOTING.items():
                out = io.StringIO()
                csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(
                    ROWS
                )
                name = f"{coding}-{sign}-{ending}-{style}.csv"
                (folder / name).write_bytes(out.getvalue().encode(codec))
(folder / "long.csv").write_text("a," + "x" * 200_000 + ",b\n")
odd = {
    "stray": 'a"b,c\r1,2\r',
    "blank": "\n\na,b\n\n,\n",
    "ragged": "a,b\n1\n1,2,3\n",
    "no-end": "a,b\n1,2",
    "mixed": "a,b\r\n1,2\n3,4\r5,6",
    "one": "only\nthese\n",
}
for name, text in odd.items():
    (folder / f"odd-{name}.csv").write_bytes(text.encode())
for name, lines in {
    "ligatures": ["The \ufb01nal o\ufb03ce \ufb02oor"],
    "hyphens": ["This is about inter-", "national agreements and a caf\u00e9."],
}.items():
    page = canvas.Canvas(str(folder / f"{name}.pdf"), invariant=1)
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont("D", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"))
    page.setFont("D", 12)
    for n, line in enumerate(lines):
        page.drawString(72, 700 - 14 * n, line)
    page.save()
