import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededClient } from "../people/seed.ts";
import { list, MINE, type Row, THREAD } from "./mailbox-fixture.ts";

describe("a mailbox", () => {
  it("has the usual folders and no messages where nothing was seeded", async () => {
    await using office = await seededClient("mail");
    assert.match(
      await office.text("list_mail_folders"),
      /INBOX: 0 messages[\s\S]*Archive[\s\S]*Drafts[\s\S]*Sent[\s\S]*Trash/,
    );
    assert.equal((await office.data("list_messages"))["total"], 0);
    assert.match(
      await office.refusal("list_messages", { folder: "Nope" }),
      /no mail folder "Nope"\. There are INBOX, Archive/,
    );
    assert.match(await office.refusal("read_message", { id: "mffff" }), /no message with the id/);
  });

  it("lists a folder newest first, by thread, and whole threads over folders", async () => {
    await using office = await seededClient("mail", THREAD);
    const rows = await list(office, {});
    assert.deepEqual(
      rows.map(({ subject, unread }) => [subject, unread]),
      [
        ["Café plans", true],
        ["Re: Budget", true],
        ["Budget", false],
      ],
    );
    assert.equal(rows[0]?.from, "Chi Lê <chi.le@example.test>");
    assert.equal(rows[0]?.["date"], "2026-03-02T09:00:00+01:00");
    assert.deepEqual(
      (await list(office, { by_thread: true })).map((row) => row["thread_messages"]),
      [1, 2],
    );
    const first = rows[1]?.id;
    await office.data("reply_to_message", { id: first, body: "Thanks", reply_all: true });
    const thread = await list(office, { thread_id: rows[1]?.thread_id });
    assert.deepEqual(
      thread.map(({ subject, folder }) => [subject, folder]),
      [
        ["Budget", "INBOX"],
        ["Re: Budget", "INBOX"],
        ["Re: Budget", "Sent"],
      ],
    );
    assert.deepEqual(
      (await list(office, { limit: 1, offset: 1 })).map(({ subject }) => subject),
      ["Re: Budget"],
    );
    assert.deepEqual(
      (await list(office, { folder: "projects.2026" })).map(({ subject }) => subject),
      ["Old plan"],
    );
  });

  it("searches by people, words, folders, states and dates", async () => {
    await using office = await seededClient("mail", THREAD);
    const find = async (query: string) =>
      ((await office.data("search_mail", { query }))["messages"] as Row[]).map(
        ({ subject }) => subject,
      );
    assert.deepEqual(await find("from:chi"), ["Café plans"]);
    assert.deepEqual(await find('subject:budget "second numbers"'), ["Re: Budget"]);
    assert.deepEqual(await find("numbers -second"), ["Budget"]);
    assert.deepEqual(await find("in:projects/2026"), ["Old plan"]);
    assert.deepEqual(await find("is:flagged"), ["Old plan"]);
    assert.deepEqual(await find("after:2026-03-01 before:2026-03-02"), ["Re: Budget", "Budget"]);
    assert.deepEqual(await find("CAFÉ is:unread"), ["Café plans"]);
    assert.deepEqual(await find("cc:chi"), ["Re: Budget"]);
    assert.match(
      await office.refusal("search_mail", { query: "before:2026-02-31" }),
      /a date that exists/,
    );
    assert.match(await office.refusal("search_mail", { query: "is:blue" }), /is: knows/);
    assert.match(await office.refusal("search_mail", { query: "from:" }), /needs a word/);
  });

  it("moves, flags and makes folders; all of a call or nothing", async () => {
    await using office = await seededClient("mail", THREAD);
    const ids = (await list(office, {})).map(({ id }) => id);
    assert.match(
      await office.refusal("move_message", { ids: [...ids, "mnone"], folder: "Archive" }),
      /no message with the id "mnone"/,
    );
    assert.equal((await list(office, {})).length, 3);
    await office.data("create_mail_folder", { folder: "Clients/Über & Co" });
    for (const bad of ["../x", "a//b", "", "/", "x\u0000", ".hidden", "a".repeat(250)])
      await office.refusal("create_mail_folder", { folder: bad });
    await office.data("move_message", { ids: ids.slice(0, 2), folder: "clients/über & co" });
    await office.data("flag_message", { ids, read: true, flagged: true });
    assert.deepEqual(
      (await list(office, { folder: "Clients/Über & Co" })).map(({ id, unread, flagged }) => [
        id,
        unread,
        flagged,
      ]),
      ids.slice(0, 2).map((id) => [id, false, true]),
    );
    await office.data("move_message", { ids: ids.slice(0, 1), folder: "Trash" });
    await office.data("flag_message", { ids: ids.slice(0, 1), read: false });
    assert.deepEqual(
      (await list(office, { folder: "Trash" })).map(({ id, unread }) => [id, unread]),
      [[ids[0], true]],
    );
    assert.match(await office.refusal("flag_message", { ids }), /Say what to change/);
  });

  it("reads messages that are broken, odd or huge", async () => {
    const many = `Content-Type: multipart/mixed; boundary=a\n\n${"--a\n\nx\n".repeat(30_000)}--a--\n`;
    await using office = await seededClient("mail", {
      [`${MINE}/new/01.empty`]: "",
      [`${MINE}/new/02.nul`]: Buffer.alloc(100_000),
      [`${MINE}/new/03.latin`]: Buffer.from(
        "Subject: Ma\xf1ana\nFrom: Jos\xe9 <ben.ode@example.test>\nContent-Type: text/plain; charset=iso-8859-1\n\nma\xf1ana\n",
        "latin1",
      ),
      [`${MINE}/new/04.line`]: `Subject: Long line\nDate: Mon, 2 Mar 2026 08:00:00 +0000\n\n${"x".repeat(10e6)} needle`,
      [`${MINE}/new/05.header`]: `Subject: ${"y".repeat(10e6)}\n\nbody`,
      [`${MINE}/new/06.parts`]: `Subject: Parts\n${many}`,
      [`${MINE}/new/07.deep`]: `Subject: Deep\n${Array.from({ length: 600 }, (_, at) => `Content-Type: multipart/mixed; boundary=${"a".repeat(at + 1)}\n\n--${"a".repeat(at + 1)}\n`).join("")}`,
      [`${MINE}/new/08.received`]:
        "Received: by x; Sat, 28 Feb 2026 08:00:00 +0000\nSubject: No date\nDate: yesterday\n\nhi\n",
      [`${MINE}/new/09.html`]: `Subject: Nest\nContent-Type: text/html\n\n${"<div><p><table>".repeat(100_000)}deep`,
      [`${MINE}/new/10.charset`]:
        "Subject: =?x-none?q?abc?= =?utf-8?b?!!?=\nContent-Type: text/plain; charset=x-none\n\nstill here\n",
      [`${MINE}/new/11.inject`]:
        "Subject: a\tb =?utf-8?q?c=0D=0AX:_d?=\nFrom: =?utf-8?q?e=0Af?= <ben.ode@example.test>\n\nx\n",
      [`${MINE}/cur/odd`]: "Subject: No flags\n\nx\n",
      [`${MINE}/tmp/half`]: "Subject: Half\n\n",
    });
    const rows = await list(office, { limit: 100 });
    assert.equal(rows.length, 12);
    const by = (subject: string) => rows.find((row) => row.subject.startsWith(subject));
    assert.equal(by("Mañana")?.from, "José <ben.ode@example.test>");
    assert.deepEqual(
      rows.slice(0, 2).map(({ subject }) => subject),
      ["Long line", "No date"],
    );
    assert.match(by("a b c X: d")?.from ?? "", /^e f </);
    for (const { id } of rows) {
      const text = await office.text("read_message", { id, all_headers: true });
      assert.ok(text.length < 60_000, `${text.length}`);
    }
    const long = await office.data("read_message", { id: by("Long line")?.id, offset: 9_999_990 });
    assert.equal(String(long["text"]).trim(), "xxxxxxxxxx needle");
    assert.deepEqual(
      ((await office.data("search_mail", { query: "needle" }))["messages"] as Row[]).map(
        ({ subject }) => subject,
      ),
      ["Long line"],
    );
    assert.match(
      await office.text("read_message", { id: by("Parts")?.id }),
      /Note: the message is broken or too large/,
    );
    assert.match(
      await office.text("read_message", { id: by("Deep")?.id }),
      /Note: the message is broken/,
    );
    assert.match(await office.text("read_message", { id: by("Nest")?.id }), /deep/);
    assert.equal(office.stderr, "");
  });
});
