import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import PostalMime from "postal-mime";
import { NOW, seededClient } from "../people/seed.ts";
import { list, MINE, type Row, raw, THREAD } from "./mailbox-fixture.ts";

describe("mail that is sent", () => {
  it("sends to people here, keeps a copy, and hides blind copies", async () => {
    await using office = await seededClient("mail");
    writeFileSync(join(office.workspace, "informe año.txt"), "uno");
    await office.data("send_mail", {
      to: ["Ben Ode <ben.ode@example.test>"],
      bcc: ["chi.le@example.test"],
      subject: "Números ☕",
      body: "Hola\n.\nFrom here\n",
      attachments: ["informe año.txt"],
    });
    const [to = ""] = raw(office, "mail/ben.ode@example.test/new");
    const [blind = ""] = raw(office, "mail/chi.le@example.test/new");
    const [sent = ""] = raw(office, `${MINE}/.Sent/cur`);
    assert.equal(to, blind);
    assert.doesNotMatch(to, /chi\.le/);
    assert.match(sent, /^Bcc: /m);
    const parsed = await PostalMime.parse(to);
    assert.equal(parsed.subject, "Números ☕");
    assert.equal(parsed.text?.trimEnd(), "Hola\n.\nFrom here");
    assert.equal(parsed.date, new Date(NOW).toISOString());
    assert.deepEqual(
      parsed.attachments.map(({ filename, content }) => [
        filename,
        new TextDecoder().decode(content as ArrayBuffer),
      ]),
      [["informe año.txt", "uno"]],
    );
    assert.match(
      readdirSync(join(office.state, MINE, ".Sent/cur"))[0] ?? "",
      /^M000001\.[0-9a-f]{16}:2,S$/,
    );
  });

  it("sends nothing if one recipient is unknown, a room, or nobody", async () => {
    await using office = await seededClient("mail");
    const ask = async (to: string[]) =>
      await office.refusal("send_mail", { to, subject: "x", body: "x" });
    assert.match(
      await ask(["ben.ode@example.test", "chi.lee@example.test"]),
      /chi\.lee@example\.test\. The nearest known address is chi\.le@example\.test\. Nothing was sent/,
    );
    assert.match(await ask(["azul@rooms.test"]), /is a room and reads no mail/);
    assert.match(await ask(["ben.ode@example.test\r\nBcc: chi.le@example.test"]), /Nobody here/);
    assert.match(await ask([" "]), /no recipient/);
    assert.deepEqual(readdirSync(join(office.state, "mail")), []);
  });

  it("can't be made to write headers of a caller's own", async () => {
    await using office = await seededClient("mail");
    const ask = { to: ["ben.ode@example.test"], body: "x" };
    assert.match(
      await office.refusal("send_mail", { ...ask, subject: "a\r\nBcc: chi.le@example.test" }),
      /one line/,
    );
    assert.match(await office.refusal("send_mail", { ...ask, subject: "a\u0000b" }), /one line/);
    writeFileSync(join(office.workspace, 'x"\r\nX-Evil: 1.txt'), "x");
    await office.data("send_mail", { ...ask, subject: "ok", attachments: ['x"\r\nX-Evil: 1.txt'] });
    const [text = ""] = raw(office, "mail/ben.ode@example.test/new");
    assert.doesNotMatch(text, /^X-Evil/im);
    assert.equal((await PostalMime.parse(text)).attachments.length, 1);
  });

  it("attaches only files of the workspace, and not more than fit", async () => {
    await using office = await seededClient("mail");
    const ask = async (attachments: string[]) =>
      await office.refusal("send_mail", {
        to: ["ben.ode@example.test"],
        subject: "x",
        body: "x",
        attachments,
      });
    symlinkSync("/etc/passwd", join(office.workspace, "link.txt"));
    mkdirSync(join(office.workspace, "folder"));
    writeFileSync(join(office.workspace, "big.bin"), Buffer.alloc(11 * 1024 * 1024));
    assert.match(await ask(["../../etc/passwd"]), /outside the workspace/);
    assert.match(await ask(["link.txt"]), /leads out of the workspace/);
    assert.match(await ask(["folder"]), /is a folder/);
    assert.match(await ask(["none.txt"]), /not there/);
    assert.match(await ask(["big.bin", "big.bin"]), /more than 20 MiB together/);
    assert.deepEqual(readdirSync(join(office.state, "mail")), []);
  });

  it("replies in the thread, quoting, and marks what was answered", async () => {
    await using office = await seededClient("mail", THREAD);
    const [, row] = await list(office, {});
    await office.data("reply_to_message", { id: row?.id, body: "My words", reply_all: true });
    const parsed = await PostalMime.parse(raw(office, "mail/ben.ode@example.test/new")[0] ?? "");
    assert.equal(parsed.subject, "Re: Budget");
    assert.equal(parsed.inReplyTo, "<b2@x>");
    assert.equal(parsed.references, "<b1@x> <b2@x>");
    assert.deepEqual(
      parsed.cc?.map(({ address }) => address),
      ["chi.le@example.test"],
    );
    assert.match(
      parsed.text ?? "",
      /^My words\n\nOn 2026-03-01T12:00:00\+01:00 Ben Ode <ben\.ode@example\.test> wrote:\n> Second numbers/,
    );
    assert.equal((await list(office, {}))[1]?.["replied"], true);
    assert.deepEqual(
      readdirSync(join(office.state, MINE, "cur")).sort()[1],
      "1700000002.M1P1Q2.host:2,RS",
    );
  });

  it("drafts, changes a draft, and sends it as it is", async () => {
    await using office = await seededClient("mail", THREAD);
    const [, row] = await list(office, {});
    const first = await office.data("save_draft", { subject: "Draft", body: "v1" });
    assert.match(await office.refusal("send_draft", { draft_id: first["id"] }), /no recipient/);
    const second = await office.data("save_draft", {
      draft_id: first["id"],
      reply_to_id: row?.id,
      to: ["ben.ode@example.test"],
      bcc: ["chi.le@example.test"],
      subject: "Re: Budget",
      body: "v2",
    });
    assert.equal((await list(office, { folder: "Drafts" })).length, 1);
    assert.match(await office.refusal("send_draft", { draft_id: row?.id }), /is no draft/);
    await office.data("send_draft", { draft_id: second["id"] });
    assert.equal((await list(office, { folder: "Drafts" })).length, 0);
    const [sent] = await list(office, { folder: "Sent" });
    assert.equal(sent?.thread_id, row?.thread_id);
    const [text = ""] = raw(office, "mail/ben.ode@example.test/new");
    assert.doesNotMatch(text, /chi\.le/);
    assert.match(text, /^From: Ana Ruiz <ana\.ruiz@example\.test>\r\n/);
    assert.equal((await PostalMime.parse(text)).text?.trim(), "v2");
    assert.equal(raw(office, "mail/chi.le@example.test/new").length, 1);
  });

  it("forwards with what was attached, and saves attachments into the workspace only", async () => {
    const mime = [
      "From: ben.ode@example.test",
      "To: ana.ruiz@example.test",
      "Subject: Files",
      "Date: Mon, 2 Mar 2026 08:00:00 +0000",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "Content-Type: text/html; charset=iso-8859-1",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      '<style>p{}</style><p>Se=F1or &amp; <b>Se=F1ora</b></p><ul><li>uno<li>dos</ul><a href=3D"https://x.test/">aqu=ED</a>',
      "--b",
      "Content-Type: application/octet-stream",
      'Content-Disposition: attachment; filename="../../evil/.bashrc"',
      "Content-Transfer-Encoding: base64",
      "",
      "aGVsbG8=",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: chi.le@example.test",
      "Subject: Inner",
      "",
      "inner words",
      "--b--",
      "",
    ].join("\r\n");
    await using office = await seededClient("mail", { [`${MINE}/new/1.a`]: mime });
    const [row] = await list(office, {});
    const read = await office.data("read_message", { id: row?.id });
    assert.match(
      String(read["text"]),
      /^Señor & Señora\n\n- uno\n- dos\naquí <https:\/\/x\.test\/>/,
    );
    assert.match(String(read["text"]), /Attached message[\s\S]*Subject: Inner[\s\S]*inner words/);
    const names = (read["attachments"] as Row[]).map((one) => one["name"]);
    assert.deepEqual(names, ["bashrc", "attachment-2.eml"]);
    assert.deepEqual(await office.data("save_attachment", { id: row?.id, attachment: 1 }), {
      path: "bashrc",
      bytes: 5,
      type: "application/octet-stream",
    });
    await office.data("save_attachment", {
      id: row?.id,
      attachment: "attachment-2.eml",
      path: "in/box/",
    });
    assert.match(
      readFileSync(join(office.workspace, "in/box/attachment-2.eml"), "utf8"),
      /inner words/,
    );
    const ask = async (path: string) =>
      await office.refusal("save_attachment", { id: row?.id, attachment: 1, path });
    assert.match(await ask("bashrc"), /is there already/);
    assert.match(await ask("/etc/cron.d/x"), /outside the workspace/);
    symlinkSync("/tmp", join(office.workspace, "out"));
    assert.match(await ask("out/x"), /leads out of the workspace/);
    assert.match(
      await office.refusal("save_attachment", { id: row?.id, attachment: 9 }),
      /has 1: bashrc; 2:/,
    );
    await office.data("forward_message", { id: row?.id, to: ["chi.le@example.test"], body: "See" });
    const parsed = await PostalMime.parse(raw(office, "mail/chi.le@example.test/new")[0] ?? "", {
      forceRfc822Attachments: true,
    });
    assert.equal(parsed.subject, "Fwd: Files");
    assert.equal(parsed.attachments.length, 2);
  });

  it("of many sends at once loses none", async () => {
    await using office = await seededClient("mail");
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        office.data("send_mail", { to: ["ben.ode@example.test"], subject: `n${at}`, body: "x" }),
      ),
    );
    assert.equal(raw(office, "mail/ben.ode@example.test/new").length, 10);
    assert.equal((await list(office, { folder: "Sent" })).length, 10);
  });
});
