"""The mails that have come, as they lie in a Maildir."""

import base64
from datetime import datetime

from cloche.build import email_text, save_text
from world import MADRID

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOUNDARY = "=_part_7d1f"


class Postbox:
    """The mailbox of whom the agent acts for."""

    def __init__(self, folder, me):
        self.folder = folder / me.email
        self.me = me
        self.count = 0
        for name in ("cur", "new", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def put(self, sender, subject, when, body, *, cc=(), answers="", attached=None, seen=False):
        """Puts a mail into the inbox; returns its Message-ID."""
        self.count += 1
        date = datetime.fromisoformat(when).replace(tzinfo=MADRID)
        # Dates with a name of zone would be written as -0000.
        date = date.astimezone(datetime.fromisoformat("2026-03-01T00:00:00+01:00").tzinfo)
        message_id = f"<{self.count}.{date:%Y%m%d%H%M}@{sender.email.partition('@')[2]}>"
        headers = {"In-Reply-To": answers, "References": answers} if answers else {}
        text = email_text(sender=sender.shown, to=self.me.shown, subject=subject, date=date,
                          body=body, cc=[each.shown for each in cc], message_id=message_id,
                          headers=headers)
        if attached:
            text = with_attachment(text, *attached)
        stamp = int(date.timestamp())
        place = f"cur/{stamp}.M{self.count}P1Q{self.count}.mail:2,S" if seen else (
            f"new/{stamp}.M{self.count}P1Q{self.count}.mail")
        save_text(self.folder / place, text)
        return message_id


def with_attachment(text, name, data):
    head, _, body = text.partition("\n\n")
    kept = [line for line in head.split("\n") if not line.startswith("Content-")]
    kept.append(f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"')
    lines = [*kept, "", f"--{BOUNDARY}", 'Content-Type: text/plain; charset="utf-8"',
             "Content-Transfer-Encoding: 8bit", "", body.rstrip("\n"), f"--{BOUNDARY}",
             f'Content-Type: {XLSX}; name="{name}"', "Content-Transfer-Encoding: base64",
             f'Content-Disposition: attachment; filename="{name}"', "",
             base64.encodebytes(data).decode().rstrip("\n"), f"--{BOUNDARY}--", ""]
    return "\n".join(lines)
