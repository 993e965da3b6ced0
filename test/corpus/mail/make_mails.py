"""Writes mails with Python's own email package, and with Cloche's builder, into a Maildir.

Run: python3 make_mails.py FOLDER. Every file is named after what is in it, and so is its
Message-ID."""

import sys
from datetime import UTC, datetime
from email.charset import BASE64, QP
from email.header import Header
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import formataddr
from pathlib import Path
from typing import Any

from cloche.build.letters import email_text

SAMPLES = {
    **dict.fromkeys(["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15"], "Größe, à côté"),
    **dict.fromkeys(["iso-8859-2", "windows-1250"], "Žluťoučký kůň"),
    **dict.fromkeys(
        ["iso-8859-5", "windows-1251", "koi8-r", "ibm866", "x-mac-cyrillic"], "Счёт за март"
    ),
    **dict.fromkeys(["iso-8859-7", "windows-1253"], "Τιμολόγιο Μαρτίου"),
    **dict.fromkeys(["iso-8859-9", "windows-1254"], "Şubat ücreti"),
    **dict.fromkeys(["iso-8859-4", "iso-8859-13", "windows-1257"], "Šešķi"),
    **dict.fromkeys(["iso-8859-8", "windows-1255"], "חשבונית"),
    **dict.fromkeys(["iso-8859-6", "windows-1256"], "فاتورة"),
    **dict.fromkeys(["shift_jis", "euc-jp", "iso-2022-jp"], "請求書 三月"),
    **dict.fromkeys(["gb2312", "gbk", "gb18030"], "三月发票"),
    **dict.fromkeys(["big5"], "三月發票"),
    **dict.fromkeys(["euc-kr", "ks_c_5601-1987"], "삼월 청구서"),
    **dict.fromkeys(["tis-620", "windows-874"], "ใบแจ้งหนี้"),
    "koi8-u": "Рахунок їжа",
    "macintosh": "Größe",
    "windows-1258": "hóa don",
    "us-ascii": "plain words",
}
PYTHON = {"x-mac-cyrillic": "mac_cyrillic", "macintosh": "mac_roman", "windows-874": "cp874"}
DATE = "Mon, 02 Mar 2026 08:00:00 +0100"
ME, BEN = "Ana Ruiz <ana.ruiz@example.test>", "Ben Ode <ben.ode@example.test>"


def main(folder: Path) -> None:
    made = {}
    for charset, text in SAMPLES.items():
        for kind, how in (("q", QP), ("b", BASE64)):
            made[f"{kind}-{charset}"] = with_charset(charset, text, how)
    made |= modern() | built() | odd()
    for place, (name, data) in enumerate(made.items()):
        head = f"Message-ID: <{name}@x.test>\n".encode()
        file = folder / f"17000{place:05}.M1P1Q{place}.host:2,S"
        file.write_bytes(head + data.replace(b"\r\n", b"\n"))


def with_charset(name: str, text: str, how: int) -> bytes:
    """A word of a header, and a text, in an old way and a code of its own."""
    codec = PYTHON.get(name, name)
    data = text.encode(codec)
    if how == QP:
        word = "".join(f"={byte:02X}" for byte in data)
        body, transfer = word, "quoted-printable"
    else:
        import base64

        word = base64.b64encode(data).decode()
        body, transfer = base64.encodebytes(data).decode(), "base64"
    kind = "q" if how == QP else "b"
    head = f"From: =?{name}?{kind}?{word}?= <ben.ode@example.test>\nTo: {ME}\n"
    head += (
        f"Subject: Re: =?{name.upper()}?{kind.upper()}?{word}?=\nDate: {DATE}\nMIME-Version: 1.0\n"
    )
    head += f"Content-Type: text/plain; charset={name}\nContent-Transfer-Encoding: {transfer}\n\n"
    return (head + body).encode()


def modern() -> dict[str, bytes]:
    """As Python writes them today."""
    made = {}
    texts = {
        "long": "Übergröße " * 30,
        "commas": "a, b; c",
        "emoji": "☕ at five",
        "plain": "Numbers",
    }
    for name, text in texts.items():
        for policy in ("default", "smtp"):
            mail = EmailMessage(policy=SMTP) if policy == "smtp" else EmailMessage()
            mail["From"], mail["To"] = (
                '"Wü, Cy" <cy.wu@example.test>',
                f"{ME}, Chi Lê <chi.le@example.test>",
            )
            mail["Cc"] = BEN
            mail["Subject"], mail["Date"] = text.strip(), DATE
            mail.set_content(f"{text}\nsecond line\n")
            if name == "emoji":
                mail.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")
            if name == "commas":
                mail.add_attachment(
                    b"1;2\r\n", maintype="text", subtype="csv", filename="märz, final.csv"
                )
            made[f"{policy}-{name}"] = mail.as_bytes()
    page = (
        "<html><head><title>Unseen</title><style>p { color: red }</style></head><body><!-- no -->"
        "<script>alert('x')</script><h1>Fee &amp; terms</h1><p>The fee is <b>250&nbsp;EUR</b>.</p>"
        '<ul><li>one</li><li>two <a href="https://x.test/a">here</a></li></ul><style>b{}</style>'
        "<table><tr><td>a</td><td>b</td></tr></table>Last<br>line</body></html>"
    )
    for charset in ("utf-8", "iso-8859-1", "us-ascii"):
        both = MIMEMultipart("alternative")
        both["From"], both["To"], both["Subject"], both["Date"] = BEN, ME, "HTML", DATE
        both.attach(MIMEText(page, "html", charset))
        made[f"html-{charset}"] = both.as_bytes()
    for n, name in enumerate(["Wü, Cy", 'O\'Hara; "Pat"', "李 明", "A (B) C", "Dr. No", "x@y"]):
        text_mail = MIMEText("Hello\n", "plain", "utf-8")
        text_mail["From"] = BEN
        text_mail["To"] = ", ".join([formataddr((name, "cy.wu@example.test")), ME])
        subject: Any = Header(f"{name} wrote", "utf-8")  # Its type names texts alone.
        text_mail["Subject"], text_mail["Date"] = subject, DATE
        made[f"name-{n}"] = text_mail.as_bytes()
    return made


def built() -> dict[str, bytes]:
    """As fixtures have them."""
    made = {}
    words = ["Übergröße", "plain", "Wü, Cy", "“Quoted”, and ‘so’", "Ærø " * 40, "東京 meeting"]  # noqa: RUF001  As people write.
    for n, word in enumerate(words):
        text = email_text(
            sender=f"{word.strip()} <cy.wu@example.test>",
            to=[ME, f"{word.strip()} <ben.ode@example.test>"],
            subject=word.strip(),
            date=datetime(2026, 3, 2, 7, tzinfo=UTC),
            body=f"{word}\n",
            attached={"größe.txt": b"x"} if n % 2 else None,
        )
        made[f"built-{n}"] = text.encode()
    return made


def odd() -> dict[str, bytes]:
    """What no program should write and some did."""
    head = f"From: {BEN}\nTo: {ME}\nDate: {DATE}\n"
    utf8 = "Übergröße".encode()
    return {
        "raw-utf8": f"{head}Subject: ".encode() + utf8 + b"\n\nText\n",
        "raw-latin1": f"{head}Subject: ".encode() + "Größe".encode("latin-1") + b"\n\nText\n",
        "split-word": f"{head}Subject: =?utf-8?q?Gr=C3?=\n =?utf-8?q?=B6=C3=9Fe?= now\n\nText\n".encode(),
        "no-padding": f"{head}Subject: =?utf-8?b?R3LDtsOfZQ?=\n\nText\n".encode(),
        "language": f"{head}Subject: =?utf-8*de?q?Gr=C3=B6=C3=9Fe?=\n\nText\n".encode(),
        "no-charset": f"{head}Subject: =?x-nobody?q?Gr=F6=DFe?=\nContent-Type: text/plain; charset=x-nobody\nContent-Transfer-Encoding: quoted-printable\n\nGr=F6=DFe\n".encode(),
        "comma-inside": f"From: {BEN}\nTo: =?utf-8?Q?W=C3=BC=2C_Cy?= <cy.wu@example.test>\nDate: {DATE}\nSubject: x\n\nText\n".encode(),
        "group": f"From: {BEN}\nTo: Team: cy.wu@example.test, {ME};\nDate: {DATE}\nSubject: x\n\nText\n".encode(),
        "no-boundary": f"{head}Subject: x\nContent-Type: multipart/mixed\n\nText\n".encode(),
        "lost-boundary": f'{head}Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nText\n'.encode(),
    }


main(Path(sys.argv[1]))
