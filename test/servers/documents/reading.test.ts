import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { missing, POPPLER, PYTHON_DOCX } from "../debian-programs.ts";
import type { OfficeClient } from "../office-client.ts";
import { documentsClient, pdfText, put, pythonDocx } from "./support.ts";

const noDocx = await missing(PYTHON_DOCX);
const noPoppler = await missing(POPPLER);

interface Block {
  id: string;
  kind: string;
  text?: string;
  rows?: string[][];
  label?: string;
  level?: number;
}

describe("reading documents", () => {
  let client: OfficeClient;

  before(async () => {
    client = await documentsClient(
      ...["word-like.docx", "libreoffice.docx", "libreoffice-tracked.docx", "python-docx.docx"],
      ...["delivery.docx", "damage.pdf", "purge.eml", "libreoffice.pdf", "two-columns.pdf"],
      ...["scan.pdf", "form.pdf", "letter.html"],
    );
  });

  after(async () => await client?.[Symbol.asyncDispose]());

  async function blocks(path: string): Promise<Block[]> {
    return (await client.data("read_document", { path }))["blocks"] as Block[];
  }

  it("says which file is missing, and what to do", async () => {
    assert.match(await client.refusal("read_document", { path: "none.docx" }), /not there.*List/s);
  });

  it("refuses a cursor past the end", async () => {
    const path = "letter.html";
    assert.match(await client.refusal("read_document", { path, cursor: "L999" }), /past the end/);
  });

  it("shows runs, numbering, merged and nested tables, notes, boxes and changes of a Word file", async () => {
    for (const path of ["word-like.docx", "libreoffice-tracked.docx"]) {
      const text = await client.text("read_document", { path });
      for (const part of [
        "# Service agreement",
        "## 2.1 Reporting",
        "between Aurora Ltd and the customer",
        "~~once paid monthly~~",
        "] 1. Weekly figures",
        "]   b) or by post",
        "] 2. Yearly summary",
        "] • A bullet point",
        "[text box: Boxed: ask Aurora Ltd first]",
        "] Signed in Graz",
        "  1 | Item | Price and tax | <",
        "  3 | ^ | 2 | {table: inner a, inner b}",
        "{--30--}{++14++} days",
        "{++A paragraph that was added.++}",
        "[^2]: Aurora Ltd is registered in Graz.",
        "header: Aurora Ltd, confidential",
        "13 tracked changes",
      ]) {
        assert(text.includes(part), `${path} lacks ${part}:\n${text}`);
      }
    }
  });

  it("shows looks as Markdown if asked for", async () => {
    const text = await client.text("read_document", { path: "word-like.docx", formatting: true });
    assert.match(text, /\[the price list\]\(https:\/\/example\.test\/prices\)/);
    assert.match(text, /\*\*bold\*\*/);
  });

  it("gives an outline of headings", async () => {
    const path = "word-like.docx";
    const { outline, blocks: none } = await client.data("read_document", { path, view: "outline" });
    const texts = (outline as { text: string; level: number }[]).map((o) => `${o.level} ${o.text}`);
    assert.deepEqual(texts, [
      "1 Service agreement",
      "1 1 Parties",
      "1 2 Duties",
      "2 2.1 Reporting",
    ]);
    assert.deepEqual(none, []);
  });

  it("reads every cell of a table as python-docx does", { skip: noDocx }, async () => {
    for (const path of ["delivery.docx", "python-docx.docx"]) {
      const script =
        "import json\nprint(json.dumps([[c.text for c in r.cells] for r in d.tables[0].rows]))";
      const theirs = JSON.parse(pythonDocx(script, client, path)) as string[][];
      const ours = (await blocks(path)).find(({ kind }) => kind === "table")?.rows;
      // python-docx repeats a merged cell's text in all the cells that it covers.
      const plain = theirs.map((row, y) =>
        row.map((t, x) =>
          y > 0 && theirs[y - 1]?.[x] === t && path.startsWith("python") ? "" : t,
        ),
      );
      assert.deepEqual(ours, plain);
    }
  });

  it("reads list items with their labels", async () => {
    const labels = (await blocks("python-docx.docx")).map(({ label }) => label).filter(Boolean);
    assert.deepEqual(labels, ["•", "•", "•", "1.", "2."]);
    const office = (await blocks("libreoffice.docx")).filter(({ kind }) => kind === "item");
    assert.deepEqual(
      office.map(({ label, level }) => `${level} ${label}`),
      ["0 1.", "0 2.", "1 •", "1 •", "0 3."],
    );
  });

  it("reads tables of a PDF that has no lines, over pages", async () => {
    const { tables } = await client.data("extract_tables", { path: "damage.pdf" });
    const all = tables as { page: number; rows: string[][] }[];
    assert.deepEqual(
      all.map(({ page, rows }) => [page, rows[0]]),
      [
        [1, ["Slip", "Barcode", "Title", "Branch", "Damage", "Assessment"]],
        [2, ["Slip", "Barcode", "Title", "Branch", "Damage", "Assessment"]],
        [3, ["Slip", "Assessment now"]],
      ],
    );
    const rows = all.slice(0, 2).flatMap(({ rows: own }) => own.slice(1));
    assert(rows.length > 20);
    for (const row of rows) {
      assert.match(row[0] ?? "", /^DS-\w{5}$/);
      assert.match(row[1] ?? "", /^3\d{8}$/);
      assert.match(row[5] ?? "", /^(write-off|repairable|pending)$/);
    }
  });

  it("reads every word of a PDF that pdftotext reads", { skip: noPoppler }, async () => {
    for (const path of ["damage.pdf", "libreoffice.pdf", "two-columns.pdf"]) {
      const theirs = pdfText(client, path);
      const ours = await client.text("read_document", { path });
      for (const word of theirs.split(/\s+/)) assert(ours.includes(word), `${path}: ${word}`);
    }
  });

  it("reads a PDF's ruled table with wrapped and merged cells", async () => {
    const { tables } = await client.data("extract_tables", { path: "libreoffice.pdf" });
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows.slice(1), [
      [
        "2.01",
        "The accounts team with their four large desks, two cupboards and the plotter that nobody else uses",
        "3 April",
      ],
      ["2.02", "Nobody", "-"],
      ["2.03", "Reading group", "7 April"],
      ["", "Chess club", "8 April"],
    ]);
  });

  it("reads columns of text one after the other, and no prose as a table", async () => {
    const text = await client.text("read_document", { path: "two-columns.pdf" });
    assert(text.indexOf("northern mole.") < text.indexOf("Prices in the market"));
    const { tables } = await client.data("extract_tables", { path: "two-columns.pdf" });
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows[1], ["Cod", "kg", "14.50"]);
    assert.equal((tables as unknown[]).length, 1);
  });

  it("says that a page is an image", async () => {
    assert.match(
      await client.text("read_document", { path: "scan.pdf" }),
      /No text on page 1.*render_page/,
    );
  });

  it("gives texts of a PDF page with positions", async () => {
    const data = await client.data("read_pdf_page", { path: "form.pdf", page: 1 });
    const texts = data["texts"] as { text: string; x: number; y: number }[];
    assert.deepEqual(
      texts.filter(({ text }) => text === "Postcode").map(({ x, y }) => [x, Math.round(y)]),
      [[60, 162]],
    );
    assert.match(await client.refusal("read_pdf_page", { path: "form.pdf", page: 2 }), /1 page/);
    assert.match(await client.refusal("read_pdf_page", { path: "letter.html", page: 1 }), /no PDF/);
  });

  it("draws a page, and says which page is not there", { skip: noPoppler }, async () => {
    const { content } = await client.call("render_page", { path: "scan.pdf", longest_side: 200 });
    const picture = content.find(({ type }) => type === "image");
    assert(picture?.type === "image" && picture.data.startsWith("iVBORw0KGgo"));
    assert.match(await client.refusal("render_page", { path: "scan.pdf", page: 9 }), /no page 9/);
    assert.match(await client.refusal("render_page", { path: "letter.html" }), /no PDF/);
  });

  it("keeps every line of an e-mail, quoted ones too", async () => {
    const text = await client.text("read_document", { path: "purge.eml" });
    assert.match(text, /Subject: Shelf purge, February 2026/);
    assert.match(text, /^> SP-/m);
  });

  it("reads HTML as what a reader sees", async () => {
    await put(
      client,
      "page.html",
      "<!doctype html><title>T</title><style>p{}</style><script>evil()</script>" +
        "<h2>Head</h2><p>One <b>two</b>\n three</p><ul><li>a<ol><li>b</li></ol></li></ul>" +
        '<table><tr><th colspan=2>Wide</th></tr><tr><td>1</td><td>2</td></tr></table><p hidden>no</p><input name="x">',
    );
    const text = await client.text("read_document", { path: "page.html" });
    assert.match(text, /## Head\n\[2-\w+\] One two three\n\[3-\w+\] • a\n\[4-\w+\] {3}1\. b/);
    assert.match(text, / {2}1 \| Wide \| <\n {2}2 \| 1 \| 2/);
    assert.doesNotMatch(text, /evil|p\{\}|no$/m);
  });

  it("reads on in pages, without a gap", async () => {
    const lines = Array.from({ length: 3_000 }, (_, n) => `Line number ${n} of many.`);
    await put(client, "long.txt", lines.join("\n\n"));
    let seen = "";
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { content, structuredContent } = await client.call("read_document", {
        path: "long.txt",
        ...(cursor !== undefined && { cursor }),
      });
      const text = content[0]?.type === "text" ? content[0].text : "";
      assert(text.length < 40_000);
      seen += `${text}\n`;
      cursor = (structuredContent as { next_cursor?: string }).next_cursor;
      pages++;
    } while (cursor !== undefined);
    assert(pages > 2);
    assert.deepEqual(seen.match(/Line number \d+ of many\./g), lines);
  });

  it("finds text in paragraphs, cells, notes and headers", async () => {
    const find = { path: "word-like.docx", query: "aurora ltd" };
    const { total, hits } = await client.data("find_in_document", find);
    assert.equal(total, 4);
    assert.equal((hits as { block: string }[]).at(-1)?.block, "header");
    const cell = await client.data("find_in_document", {
      path: "delivery.docx",
      query: "delivered",
    });
    assert.deepEqual(
      (cell["hits"] as { row?: number; column?: number }[])
        .filter(({ row }) => row)
        .map((h) => [h.row, h.column]),
      [[1, 6]],
    );
    const pdf = await client.data("find_in_document", {
      path: "damage.pdf",
      query: "Assessment now",
    });
    assert.equal((pdf["hits"] as { page: number }[])[0]?.page, 3);
    assert.match(await client.text("find_in_document", { ...find, query: "zebra" }), /not in/);
  });

  it("gives nested tables as tables of their own", async () => {
    const { tables } = await client.data("extract_tables", { path: "word-like.docx" });
    const all = tables as { rows: string[][]; block: string }[];
    assert.deepEqual(all[1]?.rows, [["inner a", "inner b"]]);
    assert.match(all[1]?.block ?? "", /inside a cell/);
    assert.match(await client.refusal("extract_tables", { path: "scan.pdf" }), /No tables/);
    assert.match(
      await client.refusal("extract_tables", { path: "damage.pdf", table: 9 }),
      /1 \(page 1\)/,
    );
  });
});
