"""Makes form.pdf, two-columns.pdf and scan.pdf with reportlab, and locked.pdf of form.pdf with qpdf.
Run: python3 make_pdfs.py (Debian: python3-reportlab, qpdf)"""

import subprocess

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas


def form() -> None:
    pdf = canvas.Canvas("form.pdf", pagesize=A4, invariant=1)
    pdf.drawString(60, 780, "Application for a reader's card")
    f = pdf.acroForm
    for n, (label, name) in enumerate(
        [("Surname", "surname"), ("First name", "first_name"), ("Postcode", "postcode")]
    ):
        pdf.drawString(60, 740 - 30 * n, label)
        f.textfield(
            name=name,
            x=180,
            y=732 - 30 * n,
            width=200,
            height=20,
            maxlen=5 if name == "postcode" else 100,
        )
    pdf.drawString(60, 640, "Newsletter")
    f.checkbox(name="newsletter", x=180, y=636, size=16)
    pdf.drawString(60, 610, "Branch")
    f.choice(
        name="branch",
        x=180,
        y=604,
        width=120,
        height=20,
        value="East",
        options=["East", "Harbour Road", "Millbrook"],
    )
    pdf.drawString(60, 580, "Card")
    for n, kind in enumerate(["adult", "child"]):
        f.radio(name="card", value=kind, x=180 + 60 * n, y=576, size=16, selected=kind == "adult")
        pdf.drawString(200 + 60 * n, 580, kind)
    f.textfield(
        name="office_use",
        x=180,
        y=530,
        width=200,
        height=20,
        value="2026-17",
        fieldFlags="readOnly",
    )
    pdf.save()
    subprocess.run(
        [
            "qpdf",
            "--encrypt",
            "secret",
            "owner",
            "128",
            "--use-aes=y",
            "--",
            "form.pdf",
            "locked.pdf",
        ],
        check=False,
    )


LEFT = (
    "The harbour was quiet in the early hours of that day, and nobody who lived along the quay could "
    "remember when they had last seen so few boats between the two lights of the northern mole."
).split()
RIGHT = (
    "Prices in the market hall rose for the third week, which the traders put down to the weather "
    "and the buyers put down to the traders, as both had done in every winter before this one."
).split()


def column(words: list[str], width: int = 34) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += word + " "
    return lines


def columns() -> None:
    pdf = canvas.Canvas("two-columns.pdf", pagesize=A4, invariant=1)
    pdf.setFont("Helvetica-Bold", 18)
    pdf.drawString(60, 780, "The Quay Gazette")
    pdf.setFont("Helvetica", 10)
    for x, words in ((60, LEFT), (310, RIGHT)):
        for n, line in enumerate(column(words)):
            pdf.drawString(x, 740 - 13 * n, line)
    pdf.showPage()
    pdf.setFont("Helvetica", 10)
    pdf.drawString(60, 780, "Prices of the week")
    for n, row in enumerate(
        [
            ("Fish", "Unit", "Price"),
            ("Cod", "kg", "14.50"),
            ("Sole", "kg", "28.00"),
            ("Mussels", "bag", "9.20"),
        ]
    ):
        pdf.drawString(60, 750 - 14 * n, row[0])
        pdf.drawString(200, 750 - 14 * n, row[1])
        pdf.drawRightString(330, 750 - 14 * n, row[2])
    pdf.save()


def scan() -> None:
    pdf = canvas.Canvas("scan.pdf", pagesize=A4, invariant=1)
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    pdf.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 50, 300, 300, 400)
    pdf.save()


if __name__ == "__main__":
    form()
    columns()
    scan()
