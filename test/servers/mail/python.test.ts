import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { seededClient } from "../people/seed.ts";
import { list } from "./mailbox-fixture.ts";

const GRADER = fileURLToPath(new URL("../../../python/cloche/src", import.meta.url));

/** What a generate.py may do: a Maildir by Python's own module. */
const WRITER = `
import mailbox, sys
from email.message import EmailMessage
box = mailbox.Maildir(sys.argv[1])
for number, folder in enumerate([None, "Projects.Budget"]):
    message = EmailMessage()
    message["From"] = "Chi Lê <chi.le@example.test>"
    message["To"] = "Ana Ruiz <ana.ruiz@example.test>"
    message["Subject"] = f"Número {number} ☕ " + "long " * 30
    message["Date"] = "Mon, 02 Mar 2026 08:0%d:00 +0100" % number
    message.set_content("Hola señora\\n")
    message.add_attachment(b"PK", maintype="application", subtype="zip", filename="año.zip")
    made = mailbox.MaildirMessage(message)
    made.set_subdir("cur")
    made.set_flags("SF")
    (box.add_folder(folder) if folder else box).add(made)
`;

/** What a grader does, with its own readers. */
const READER = `
import json, sys
from pathlib import Path
from cloche.files import Entry, Tree
from cloche.state import State
import hashlib
root = Path(sys.argv[1])
entries = {}
for path in sorted(root.rglob("*")):
    name = str(path.relative_to(root))
    if path.is_dir():
        entries[name] = Entry(name, "directory", 0o700)
    else:
        data = path.read_bytes()
        entries[name] = Entry(name, "file", 0o600, len(data), hashlib.sha256(data).hexdigest())
state = State(Tree(entries, root, agents_work=True, place="/state"))
sent = state.mail.sent()
print(json.dumps({
    "sent": [[m.subject, m.to, m.text, [a.name for a in m.attachments], m.date.isoformat()] for m in sent],
    "chi": [[m.subject, m.sender, m.in_reply_to != "", m.id] for m in state.mail.mailbox("chi.le@example.test").inbox()],
    "mine": [[m.folder, m.id, m.flags] for m in state.mail.mailbox().messages()],
}))
`;

describe("mail and Python", () => {
  it("read each other's messages", async () => {
    await using office = await seededClient("mail");
    const box = join(office.state, "mail/ana.ruiz@example.test");
    mkdirSync(join(office.state, "mail"), { recursive: true });
    python(WRITER, box);
    const [row, ...others] = await list(office, {});
    assert.deepEqual(others, []);
    assert.match(row?.subject ?? "", /^Número 0 ☕ long long/);
    assert.deepEqual([row?.["attachments"], row?.["flagged"], row?.unread], [1, true, false]);
    const [deep] = await list(office, { folder: "Projects/Budget" });
    assert.match(deep?.subject ?? "", /^Número 1/);
    await office.data("reply_to_message", { id: row?.id, body: "¡Gracias!\n…", quote: false });
    await office.data("forward_message", { id: row?.id, to: ["ben.ode@example.test"] });
    const seen = JSON.parse(python(READER, office.state)) as Record<string, unknown[][]>;
    assert.deepEqual(
      seen["sent"]?.map(([, to, , files, date]) => [to, files, date]),
      [
        [["chi.le@example.test"], [], "2026-03-02T09:00:00+00:00"],
        [["ben.ode@example.test"], ["año.zip"], "2026-03-02T09:00:00+00:00"],
      ],
    );
    assert.equal(String(seen["sent"]?.[0]?.[2]).trim(), "¡Gracias!\n…");
    assert.match(String(seen["chi"]?.[0]?.[0]), /^Re: Número 0 ☕/);
    assert.deepEqual(
      seen["mine"]?.filter(([, id]) => id === row?.id),
      [["INBOX", row?.id, "FPRS"]],
    );
  });
});

function python(script: string, argument: string): string {
  const env = { PYTHONPATH: GRADER, PYTHONDONTWRITEBYTECODE: "1", LC_ALL: "C.UTF-8", TZ: "UTC" };
  const given = { env, stdio: "pipe" } as const;
  return execFileSync("/usr/bin/python3", ["-c", script, argument], given).toString("utf8");
}
