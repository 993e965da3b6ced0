import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openWordZip } from "../../../servers/documents/word/word-zip.ts";
import { bytesOf, documentsClient, idOf, put } from "./support.ts";

const path = "word-like.docx";

describe("comments and tracked changes", () => {
  it("adds, answers, resolves and deletes comments, in the name of whom the agent works for", async () => {
    await using client = await documentsClient(path);
    await mkdir(join(client.state, "people"));
    const people = {
      me: "ana@example.test",
      people: [{ name: "Ana Ruiz", email: "ana@example.test" }],
    };
    await writeFile(join(client.state, "people/people.json"), JSON.stringify(people));
    const block = await idOf(client, path, "This agreement");
    await client.text("add_comment", {
      path,
      block,
      quote: "Aurora Ltd and",
      text: "Which Aurora?",
    });
    await client.text("add_comment", { path, answers: "0", text: "Yes & <no>" });
    await client.text("add_comment", {
      path,
      block: await idOf(client, path, "table, 4"),
      text: "Whole table",
    });
    await client.text("close_comment", { path, comment: "0", action: "resolve" });
    const { comments } = await client.data("list_comments", { path });
    assert.deepEqual(
      (comments as Record<string, unknown>[]).map((c) => [
        c["id"],
        c["author"],
        c["about"],
        c["text"],
        c["answers"],
        c["resolved"],
      ]),
      [
        ["0", "Greta Holm", "The fee is 4,200 euro", "Is this still right?", undefined, true],
        ["1", "Ana Ruiz", "Aurora Ltd and", "Which Aurora?", undefined, false],
        ["2", "Ana Ruiz", "The fee is 4,200 euro", "Yes & <no>", "0", false],
        ["3", "Ana Ruiz", "Item", "Whole table", undefined, false],
      ],
    );
    assert.match(
      await client.refusal("close_comment", { path, comment: "9", action: "delete" }),
      /There are: 0, 1, 2, 3/,
    );
    await client.text("close_comment", { path, comment: "0", action: "delete" });
    const { total } = await client.data("list_comments", { path });
    assert.equal(total, 2);
    const xml = openWordZip(await bytesOf(client, path))
      .read("word/document.xml")
      .toString();
    assert.doesNotMatch(xml, /comment(RangeStart|RangeEnd|Reference) w:id="[02]"/);
  });

  it("adds a first comment to a file that has none", async () => {
    await using client = await documentsClient("libreoffice.docx");
    const block = await idOf(client, "libreoffice.docx", "Totals");
    await client.text("add_comment", { path: "libreoffice.docx", block, text: "Where?" });
    await client.text("add_comment", { path: "libreoffice.docx", answers: "0", text: "Here." });
    assert.match(
      await client.text("list_comments", { path: "libreoffice.docx" }),
      /comment 1, Agent.*answers comment 0/,
    );
  });

  it("accepts all changes", async () => {
    for (const name of [path, "libreoffice-tracked.docx"]) {
      await using client = await documentsClient(name);
      assert.match(
        await client.text("settle_tracked_changes", { path: name, decision: "accept" }),
        /13.*0 left/,
      );
      const text = await client.text("read_document", { path: name });
      assert.match(
        text,
        /due in 14 days\.\n\S+ A paragraph that was added\.\n\S+ This became bold/,
      );
      assert.match(text, /\] Stays here\.\n\S+ New home: Moved words/);
      assert.match(text, /1 \| kept row \| x\n {2}2 \| added row \| \n\[/);
      assert.match(
        await client.refusal("settle_tracked_changes", { path: name, decision: "accept" }),
        /no tracked changes/,
      );
    }
  });

  it("rejects all changes", async () => {
    for (const name of [path, "libreoffice-tracked.docx"]) {
      await using client = await documentsClient(name);
      await client.text("settle_tracked_changes", { path: name, decision: "reject" });
      const text = await client.text("read_document", { path: name, formatting: true });
      assert.match(
        text,
        /due in 30 days\.\n\S+ A paragraph that was removed\.\n\S+ This became bold\./,
      );
      assert.match(text, /\] Moved words\. Stays here\.\n\S+ New home: \n/);
      assert.match(text, /2 \| removed row \| \n\[/);
      const parts = openWordZip(await bytesOf(client, name))
        .read("word/document.xml")
        .toString();
      assert.doesNotMatch(parts, /<w:(ins|del|moveFrom|moveTo|delText|rPrChange)\b/);
    }
  });

  it("settles changes by number and by author", async () => {
    await using client = await documentsClient(path);
    assert.match(
      await client.refusal("settle_tracked_changes", { path, decision: "accept", changes: [99] }),
      /has 13/,
    );
    assert.match(
      await client.refusal("settle_tracked_changes", {
        path,
        decision: "accept",
        author_is: "Nobody",
      }),
      /Greta Holm, Omar Said/,
    );
    await client.text("settle_tracked_changes", { path, decision: "reject", changes: [1, 2] });
    assert.match(await client.text("read_document", { path }), /due in 30 days/);
    const { settled, left } = await client.data("settle_tracked_changes", {
      path,
      decision: "accept",
      author_is: "omar said",
    });
    assert.deepEqual([settled, left], [1, 10]);
  });

  it("tracks its own edits, so that rejecting them brings back the text", async () => {
    await using client = await documentsClient("libreoffice.docx");
    const [name, tracked] = ["libreoffice.docx", true];
    const was = await client.text("read_document", { path: name, formatting: true });
    await client.text("replace_text", {
      path: name,
      tracked,
      edits: [{ find: "the second floor", replace: "the third floor" }],
    });
    await client.text("edit_blocks", {
      path: name,
      tracked,
      edits: [
        {
          action: "insert_after",
          block: await idOf(client, name, "Totals"),
          markdown: "New words.\n\n- item",
        },
        { action: "delete", block: await idOf(client, name, "1. Pack") },
        { action: "replace", block: await idOf(client, name, "3. Leave"), markdown: "Go" },
        { action: "append", markdown: "The very end." },
      ],
    });
    const table = await idOf(client, name, "table");
    await client.text("edit_table", {
      path: name,
      table,
      tracked,
      edits: [
        { action: "set_cell", row: 2, column: 3, text: "4 May" },
        { action: "insert_row", row: 3, values: ["2.09", "x"] },
        { action: "delete_row", row: 4 },
      ],
    });
    assert.match(
      await client.refusal("edit_table", {
        path: name,
        table: await idOf(client, name, "table"),
        tracked,
        edits: [{ action: "delete_column", column: 1 }],
      }),
      /cannot be tracked/,
    );
    const now = await client.text("read_document", { path: name });
    assert.match(now, /\{--the \*?second|\{--the .*\{\+\+the third floor\+\+\}/);
    assert.match(now, /\{--3 April--\}\{\+\+4 May\+\+\}/);
    await put(client, "copy.docx", await bytesOf(client, name));
    await client.text("settle_tracked_changes", { path: name, decision: "reject" });
    const back = await client.text("read_document", { path: name, formatting: true });
    assert.equal(back, was);
    await client.text("settle_tracked_changes", { path: "copy.docx", decision: "accept" });
    const accepted = await client.text("read_document", { path: "copy.docx" });
    assert.match(accepted, /the third floor change/);
    assert.match(accepted, /Totals below\.\n\S+ · Body Text\] New words\.\n\S+ • item/);
    assert.match(accepted, /2 \| 2\.01 \| .* \| 4 May\n {2}3 \| 2\.09 \| x \| \n {2}4 \| 2\.03/);
    assert.doesNotMatch(accepted, /Pack your|Nobody|\{\+\+/);
  });

  it("tracks edits of a file that is set to track them", async () => {
    await using client = await documentsClient(path);
    const zip = openWordZip(await bytesOf(client, path));
    const settings = zip.read("word/settings.xml").toString();
    zip.set(
      "word/settings.xml",
      Buffer.from(settings.replace("<w:zoom", "<w:trackRevisions/><w:zoom")),
    );
    await put(client, path, zip.toBuffer());
    await client.text("replace_text", { path, edits: [{ find: "Graz", replace: "Linz" }] });
    assert.match(
      await client.text("read_document", { path }),
      /Signed in \{--Graz--\}\{\+\+Linz\+\+\}/,
    );
  });
});
