import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { rawLetter } from "../../../servers/mail/letter.ts";
import { missing, PYTHON_CALENDARS } from "../../servers/debian-programs.ts";
import { list, MINE } from "../../servers/mail/mailbox-fixture.ts";
import type { OfficeClient } from "../../servers/office-client.ts";
import { seededClient } from "../../servers/people/seed.ts";
import { GRADER, graderReads } from "../grader-reader.ts";

const MAKER = fileURLToPath(new URL("./make_mails.py", import.meta.url));
const skip = await missing(PYTHON_CALENDARS);

interface Seen {
  readonly subject: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly date: string;
  readonly text: string;
  readonly files: readonly string[];
}

describe("mail, as a grader reads it and as a tool shows it", { skip }, () => {
  it("is the same, whoever wrote it, in every charset", async (context) => {
    await using office = await seededClient("mail");
    const folder = join(office.state, MINE, "cur");
    mkdirSync(folder, { recursive: true });
    execFileSync("/usr/bin/python3", ["-B", MAKER, folder], { env: { PYTHONPATH: GRADER } });
    for (const [n, subject] of ["Größe", "☕", "plain", "long ".repeat(60)].entries()) {
      const raw = await rawLetter(nodemailers(subject, n), { showBcc: false });
      writeFileSync(join(folder, `180000000${n}.M1P1Q${n}.host:2,S`), raw);
    }
    const shown = await ofTool(office);
    const graded = await ofGrader(office.state);
    context.diagnostic(`${Object.keys(shown).length} messages`);
    assert.equal(Object.keys(shown).length, readdirSync(folder).length);
    assert.deepEqual(graded, shown);
    assert.equal(graded["<built-0@x.test>"]?.subject, "Übergröße");
    assert.deepEqual(graded["<comma-inside@x.test>"]?.to, ["cy.wu@example.test"]);
    assert.deepEqual(graded["<built-2@x.test>"]?.to.length, 2);
    assert.equal(graded["<raw-utf8@x.test>"]?.subject, "Übergröße");
    assert.equal(graded["<q-koi8-r@x.test>"]?.text, "Счёт за март");
    const page = graded["<html-utf-8@x.test>"]?.text ?? "";
    assert.match(page, /The fee is 250 EUR\. - one - two here <https:\/\/x\.test\/a>/);
    assert.doesNotMatch(page, /color|alert|Unseen|no/);
  });

  it("is text or a reason, whatever its charsets and boundaries are", async () => {
    await using office = await seededClient("mail");
    const folder = join(office.state, MINE, "cur");
    mkdirSync(folder, { recursive: true });
    const heads = [
      'Content-Type: text/plain; charset="\\0"',
      "Content-Type: text/plain; charset*=nobody''%00",
      "Content-Type: text/plain; charset=unicode_escape",
      "Content-Type: text/plain; charset=idna",
      'Content-Type: multipart/mixed; boundary="(([*"',
      "Content-Type: multipart/mixed; boundary*=x'y'%FF%00",
      'Content-Type: multipart/mixed; boundary=""',
      "Content-Type: message/rfc822",
      "Content-Type: text/html; charset=utf-7",
      "Content-Disposition: attachment; filename*=nobody''%FF%FE",
      "Content-Disposition: attachment; filename*0*=utf-8''%; filename*2=x",
      "Content-Transfer-Encoding: x-uuencode",
      "Date: Mon, 99 Foo 99999 99:99:99 +9999",
      'To: =?nobody?q?=00?=, <<<>,, "',
      "Subject: =?utf-8?b?////?= =?\u0000?q??= =?utf-16?q?=D8?=",
    ];
    heads.forEach((head, n) => {
      const mail = `From: b@x.test\nMessage-ID: <o${n}@x.test>\n${head}\n\nbegin 6 x\n=FF\n--(([*\n\n+ADw-\n`;
      writeFileSync(join(folder, `170000000${n}.M1P1Q${n}.host:2,S`), Buffer.from(mail, "latin1"));
    });
    assert.equal(Object.keys(await ofTool(office)).length, heads.length);
    const graded = await ofGrader(office.state);
    assert.equal(Object.keys(graded).length, heads.length);
    for (const one of Object.values(graded)) {
      if ("failed" in one) assert.match(String(one.failed), /is no message that can be read/);
    }
  });
});

async function ofTool(office: OfficeClient): Promise<Record<string, Seen>> {
  const found: Record<string, Seen> = {};
  for (let offset = 0; ; offset += 50) {
    const rows = await list(office, { limit: 50, offset });
    for (const { id } of rows) {
      const read = await office.data("read_message", { id });
      const date = read["date"] === undefined ? "" : new Date(String(read["date"]));
      found[String(read["message_id"])] = {
        subject: String(read["subject"]),
        from: bare(String(read["from"])),
        to: (read["to"] as string[]).map(bare),
        cc: (read["cc"] as string[]).map(bare),
        date: date === "" ? "" : `${date.toISOString().slice(0, 16)}Z`,
        text: words(String(read["text"])),
        files: (read["attachments"] as { name: string }[]).map(({ name }) => name),
      };
    }
    if (rows.length < 50) return found;
  }
}

async function ofGrader(folder: string): Promise<Record<string, Seen>> {
  const found = await graderReads<Record<string, Seen>>(
    folder,
    `
from datetime import timezone
from cloche.state.mail import Mail
from cloche.state.people import People
state = tree("/state")
mail = Mail(state.within("mail"), People(state.within("people")))
def read(m):
    date = m.date.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%MZ") if m.date else ""
    files = [a.name for a in m.attachments]
    said = {"subject": m.subject, "from": m.sender, "to": m.to, "cc": m.cc, "date": date}
    m.html, m.flags, m.invitation, m.references
    return {**said, "text": m.text, "files": files}
print(json.dumps({m.message_id: told(lambda: read(m)) for m in mail.mailbox().messages()}))
`,
  );
  return Object.fromEntries(
    Object.entries(found).map(([id, one]) => [
      id,
      "failed" in one ? one : { ...one, text: words(one.text) },
    ]),
  );
}

function bare(text: string): string {
  return (/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).toLowerCase();
}

function words(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function nodemailers(subject: string, n: number) {
  const person = (name: string, address: string) => ({ name, address });
  return {
    from: person("Wü, Cy", "cy.wu@example.test"),
    to: [person("Ana Ruiz", "ana.ruiz@example.test"), person("李 明", "ben.ode@example.test")],
    cc: [],
    bcc: [],
    subject: subject.trim(),
    text: `${subject}\nsecond line`,
    date: new Date("2026-03-02T07:00:00Z"),
    messageId: `<nodemailer-${n}@x.test>`,
    files: n === 1 ? [{ name: "über uns.txt", content: Buffer.from("x") }] : [],
  };
}
