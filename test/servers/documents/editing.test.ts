import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import mammoth from "mammoth";
import { openWordZip } from "../../../servers/documents/word/word-zip.ts";
import { missing, missingOf, POPPLER, PYTHON_DOCX, WRITER } from "../debian-programs.ts";
import { bytesOf, documentsClient, idOf, printedText, put, pythonDocx } from "./support.ts";

const noDocx = await missing(PYTHON_DOCX);
const noPrinter = await missingOf(WRITER, POPPLER);

const path = "word-like.docx";

describe("editing Word documents", () => {
  it("refuses what is not there and leaves the file as it was", async () => {
    await using client = await documentsClient(path);
    const before = await bytesOf(client, path);
    const table = await idOf(client, path, "table, 4 rows");
    const refusals: [string, object, RegExp][] = [
      [
        "replace_text",
        {
          edits: [
            { find: "Aurora", replace: "X" },
            { find: "zebra", replace: "" },
          ],
        },
        /"zebra" is not in/,
      ],
      [
        "edit_blocks",
        { edits: [{ action: "delete", block: "3-zzzz" }] },
        /changed or removed since.*read_document/s,
      ],
      ["edit_blocks", { edits: [{ action: "delete", block: "third" }] }, /no block id/],
      ["edit_blocks", { edits: [{ action: "insert_after", block: table }] }, /needs "markdown"/],
      [
        "edit_blocks",
        { edits: [{ action: "set_style", block: table, style: "heding 1" }] },
        /Did you mean "heading 1"/,
      ],
      [
        "edit_table",
        { table, edits: [{ action: "set_cell", row: 1, text: "x" }] },
        /needs "column"/,
      ],
      [
        "edit_table",
        { table, edits: [{ action: "set_cell", row: 9, column: 1, text: "x" }] },
        /has 4 rows/,
      ],
      [
        "edit_table",
        { table, edits: [{ action: "set_cell", row: 1, column: 3, text: "x" }] },
        /covered by the merged cell at its left/,
      ],
      [
        "edit_table",
        { table, edits: [{ action: "set_cell", row: 3, column: 1, text: "x" }] },
        /covered by the merged cell above/,
      ],
      [
        "edit_table",
        { table: await idOf(client, path, "Signed"), edits: [{ action: "delete_row", row: 1 }] },
        /is no table: "Signed in Graz"/,
      ],
      ["add_comment", { block: table, text: "x", quote: "zebra" }, /not in that block/],
      [
        "edit_blocks",
        { edits: [{ action: "delete", block: await idOf(client, path, "[^2]") }] },
        /footnote/,
      ],
    ];
    for (const [tool, args, why] of refusals) {
      assert.match(await client.refusal(tool, { path, ...args }), why, tool);
    }
    assert.deepEqual(await bytesOf(client, path), before);
  });

  it("replaces words over runs, in tables, headers, notes and boxes, and keeps looks", async () => {
    await using client = await documentsClient(path);
    const data = await client.data("replace_text", {
      path,
      edits: [
        { find: "Aurora Ltd", replace: "Borealis & Co" },
        { find: "250.00", replace: "260.00" },
      ],
    });
    assert.deepEqual(data["counts"], [4, 1]);
    const file = openWordZip(await bytesOf(client, path));
    const xml = file.read("word/document.xml").toString();
    assert.match(xml, /<w:rPr><w:b\/><\/w:rPr><w:t>Borealis &amp; Co<\/w:t>/);
    assert.match(file.read("word/header1.xml").toString(), /Borealis &amp; Co/);
    assert.match(file.read("word/footnotes.xml").toString(), /Borealis &amp; Co is registered/);
    assert.equal(xml.match(/Boxed: ask Borealis &amp; Co/g)?.length, 2);
    assert.match(await client.text("read_document", { path }), /between Borealis & Co and the/);
  });

  it("leaves parts that it did not change byte for byte", async () => {
    await using client = await documentsClient(path);
    const before = openWordZip(await bytesOf(client, path));
    await client.text("replace_text", {
      path,
      edits: [{ find: "Graz", replace: "Linz", count: 1 }],
    });
    const after = openWordZip(await bytesOf(client, path));
    assert.deepEqual(after.names, before.names);
    for (const name of before.names) {
      const same = before.read(name).equals(after.read(name));
      assert.equal(same, name !== "word/document.xml", name);
    }
  });

  it("makes the same bytes of the same calls", async () => {
    const results: Buffer[] = [];
    for (const _ of [1, 2]) {
      await using client = await documentsClient(path);
      const block = await idOf(client, path, "Signed");
      await client.text("edit_blocks", {
        path,
        edits: [{ action: "insert_after", block, markdown: "1. a\n2. b" }],
      });
      results.push(await bytesOf(client, path));
    }
    assert.deepEqual(results[0], results[1]);
  });

  it("inserts, replaces, deletes and restyles blocks by ids that stay good", {
    skip: noDocx,
  }, async () => {
    await using client = await documentsClient(path);
    const ids = await Promise.all(
      ["## 2.1 Reporting", "Signed", "2. Yearly summary", "See the price"].map((w) =>
        idOf(client, path, w),
      ),
    );
    const [reporting, signed, summary, see] = ids;
    await client.text("edit_blocks", {
      path,
      edits: [
        {
          action: "insert_after",
          block: reporting,
          markdown: "Some **strong** words.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        },
        { action: "delete", block: signed },
        { action: "replace", block: summary, markdown: "Yearly *overview*" },
        { action: "append", markdown: "## The end\n\nSee [us](https://us.test)." },
      ],
    });
    // The blocks before it moved this one; its id is still good.
    await client.text("edit_blocks", {
      path,
      edits: [{ action: "set_style", block: see, style: "Heading 2" }],
    });
    assert.match(
      await client.refusal("edit_blocks", { path, edits: [{ action: "delete", block: signed }] }),
      /Nothing was changed/,
    );
    const text = await client.text("read_document", { path });
    assert.match(
      text,
      /2\.1 Reporting\n\[\S+ Some strong words\.\n\[\S+ table, 2 rows x 2 columns/,
    );
    assert.match(text, /\] 2\. Yearly overview/);
    assert.match(text, /\] ## See the price list/);
    assert.match(text, /## The end\n\[\S+ See us\./);
    assert.doesNotMatch(text, /Signed in Graz/);
    const { value } = await mammoth.convertToHtml({ path: join(client.workspace, path) });
    assert.match(value, /<strong>strong<\/strong>/);
    assert.match(value, /<a href="https:\/\/us\.test">us<\/a>/);
    const python = pythonDocx("print(len(d.tables), d.paragraphs[-1].text)", client, path);
    assert.equal(python.split(" ")[0], "3");
  });

  it("writes lists that count on their own", async () => {
    await using client = await documentsClient(path);
    const block = await idOf(client, path, "Signed");
    const markdown = "1. one\n2. two\n   - sub\n3. three\n\nBetween.\n\n1. first again";
    await client.text("edit_blocks", {
      path,
      edits: [{ action: "insert_after", block, markdown }],
    });
    const text = await client.text("read_document", { path });
    assert.match(
      text,
      /1\. one\n\S+ 2\. two\n\S+ {3}• sub\n\S+ 3\. three\n\S+ Between\.\n\S+ 1\. first again/,
    );
    assert.match(text, /\] 2\. Yearly summary/);
  });

  it("sets cells, rows and columns, over merged cells", { skip: noDocx }, async () => {
    await using client = await documentsClient(path);
    const table = await idOf(client, path, "table, 4 rows");
    const { table: id } = await client.data("edit_table", {
      path,
      table,
      edits: [
        { action: "set_cell", row: 4, column: 3, text: "21.50\n# net" },
        { action: "insert_row", row: 3, values: ["", "1b", "99"] },
        { action: "insert_row", row: 6, values: ["Chair", "4", "80.00"] },
        { action: "insert_column", column: 4, values: ["Note"] },
        { action: "delete_row", row: 2 },
      ],
    });
    assert.equal(id, await idOf(client, path, "table, 5 rows"));
    const { tables } = await client.data("extract_tables", { path, table: 1 });
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows, [
      ["Item", "Price and tax", "", "Note"],
      ["Desk", "1b", "99", ""],
      ["", "2", "inner a\tinner b", ""],
      ["Lamp", "3", "21.50\n# net", ""],
      ["Chair", "4", "80.00", ""],
    ]);
    const script = "print([c.text for c in d.tables[0].rows[1].cells])";
    assert.equal(pythonDocx(script, client, path).trim(), "['Desk', '1b', '99', '']");
  });

  it("deletes a column, and narrows a cell that lies over it", async () => {
    await using client = await documentsClient(path);
    const table = await idOf(client, path, "table, 4 rows");
    await client.text("edit_table", {
      path,
      table,
      edits: [{ action: "delete_column", column: 2 }],
    });
    const { tables } = await client.data("extract_tables", { path, table: 1 });
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows[0], ["Item", "Price and tax"]);
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows[3], ["Lamp", "19.90"]);
  });

  it("sets headers and footers, and keeps images unless told otherwise", {
    skip: noPrinter,
  }, async () => {
    await using client = await documentsClient(path, "libreoffice.docx");
    const footer = { where: "footer", text: "Draft\t\tPage {page} of {pages}" };
    await client.text("set_header_footer", { path, ...footer });
    await client.text("set_header_footer", {
      path,
      where: "header",
      text: "Cover",
      pages: "first",
    });
    const text = await client.text("read_document", { path });
    assert.match(text, /footer: Draft\t\tPage 1 of 1/);
    assert.match(text, /first page header: Cover/);
    assert.match(text, /^header: Aurora/m);
    await client.text("set_header_footer", { path, where: "header", text: "" });
    assert.doesNotMatch(await client.text("read_document", { path }), /^header: Aurora/m);
    assert.match(await printedText(client, path), /^Cover/);
    await client.text("set_header_footer", { path: "libreoffice.docx", ...footer, pages: "even" });
    assert.match(
      await client.text("read_document", { path: "libreoffice.docx" }),
      /even pages footer/,
    );
  });

  it("edits text files too, and says what it does not edit", async () => {
    await using client = await documentsClient("form.pdf");
    await put(client, "a.md", "\ufeffOne fish,\r\ntwo fish.\r\n");
    await client.text("replace_text", {
      path: "a.md",
      edits: [{ find: "fish", replace: "$& cat", count: 1 }],
    });
    assert.equal((await bytesOf(client, "a.md")).toString(), "\ufeffOne $& cat,\r\ntwo fish.\r\n");
    assert.match(
      await client.refusal("replace_text", {
        path: "form.pdf",
        edits: [{ find: "a", replace: "b" }],
      }),
      /is a PDF/,
    );
    const edits = [{ action: "append", markdown: "x" }];
    assert.match(
      await client.refusal("edit_blocks", { path: "form.pdf", edits }),
      /cannot be edited.*convert/s,
    );
    assert.match(await client.refusal("edit_blocks", { path: "a.md", edits }), /edits \.docx/);
  });

  it("does both of two edits at once", async () => {
    await using client = await documentsClient(path);
    const words = Array.from({ length: 12 }, (_, n) => `Added number ${n}.`);
    await Promise.all(
      words.map((markdown) =>
        client.text("edit_blocks", { path, edits: [{ action: "append", markdown }] }),
      ),
    );
    const text = await client.text("read_document", { path });
    for (const word of words) assert(text.includes(word), word);
  });
});
