import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import mammoth from "mammoth";
import { DEJAVU, missingOf, POPPLER, PYTHON_DOCX, WRITER } from "../debian-programs.ts";
import { bytesOf, documentsClient, pdfText, printedText, put, pythonDocx } from "./support.ts";

const noReaders = await missingOf(PYTHON_DOCX, WRITER, POPPLER);
const noPdfText = await missingOf(POPPLER, DEJAVU);

const MARKDOWN = `# Überschrift

Some **bold**, *italic*, ~~struck~~, \`code\` and a [link](https://example.test/a). Half**bold***slanted* word, 1 * 2 * 3.

- one
- two
    1. nested
    2. numbers
- three

> A quote

\`\`\`
def f(x):
    return x
\`\`\`

| Name | Amount |
| --- | --- |
| Ada | 12 |
| Bob \\| Co | 3 |

---

End.
`;

describe("making and converting documents", () => {
  it("refuses an unknown ending, and a file that is there", async () => {
    await using client = await documentsClient();
    const markdown = "x";
    assert.match(
      await client.refusal("create_document", { path: "a.odt", markdown }),
      /must end in/,
    );
    await client.text("create_document", { path: "a.docx", markdown });
    const before = await bytesOf(client, "a.docx");
    assert.match(
      await client.refusal("create_document", { path: "a.docx", markdown: "y" }),
      /"overwrite": true/,
    );
    assert.deepEqual(await bytesOf(client, "a.docx"), before);
    await client.text("create_document", { path: "a.docx", markdown: "y", overwrite: true });
    assert.match(await client.text("read_document", { path: "a.docx" }), /\] y/);
  });

  it("brings Markdown through Word and HTML and back", async () => {
    await using client = await documentsClient();
    await client.text("create_document", { path: "deep/a.docx", markdown: MARKDOWN });
    await client.text("convert_document", { path: "deep/a.docx", to: "b.md" });
    assert.equal((await bytesOf(client, "b.md")).toString(), MARKDOWN);
    await client.text("convert_document", { path: "deep/a.docx", to: "c.html" });
    await client.text("convert_document", { path: "c.html", to: "d.md" });
    assert.equal((await bytesOf(client, "d.md")).toString(), MARKDOWN);
    await client.text("convert_document", { path: "c.html", to: "e.docx" });
    const { value } = await mammoth.convertToHtml({ path: join(client.workspace, "e.docx") });
    assert.match(value, /<h1>Überschrift<\/h1>/);
    assert.match(
      value,
      /<ul><li>one<\/li><li>two<ol><li>nested<\/li><li>numbers<\/li><\/ol><\/li><li>three<\/li><\/ul>/,
    );
    assert.match(value, /<td><p>Bob \| Co<\/p><\/td>/);
  });

  it("makes Word files that python-docx and LibreOffice read", { skip: noReaders }, async () => {
    await using client = await documentsClient();
    await client.text("create_document", {
      path: "a.docx",
      markdown: MARKDOWN,
      title: "T",
      landscape: true,
    });
    const script =
      "print(d.core_properties.title, [p.style.name for p in d.paragraphs][:2], d.tables[0].cell(2, 0).text, d.sections[0].orientation)";
    assert.equal(
      pythonDocx(script, client, "a.docx").trim(),
      "T ['heading 1', 'Normal'] Bob | Co LANDSCAPE (1)".replace("heading 1", "Heading 1"),
    );
    assert.match(await printedText(client, "a.docx"), /1\. nested/);
  });

  it("makes PDFs that pdftotext reads, with letters of many alphabets, and says what is missing", {
    skip: noPdfText,
  }, async () => {
    await using client = await documentsClient();
    const told = await client.text("create_document", {
      path: "a.pdf",
      markdown: `${MARKDOWN}\nΩmega Żółć 漢字`,
    });
    const text = pdfText(client, "a.pdf");
    assert.match(text, /Überschrift/);
    assert.match(text, /1\. nested/);
    assert.match(text, /Bob \| Co +3/);
    assert.match(text, /Ωmega Żółć \?\?/);
    assert.match(told, /Not kept: letters that no font here has.*漢 字/);
    const { tables } = await client.data("extract_tables", { path: "a.pdf" });
    assert.deepEqual((tables as { rows: string[][] }[])[0]?.rows[2], ["Bob | Co", "3"]);
  });

  it("breaks long tables and texts over pages of a PDF", async () => {
    await using client = await documentsClient();
    const rows = Array.from({ length: 200 }, (_, n) => `| ${n} | ${"word ".repeat(n % 40)} |`);
    const markdown = `${"x".repeat(5_000)}\n\n| n | t |\n|---|---|\n${rows.join("\n")}\n\nLast.`;
    await client.text("create_document", { path: "a.pdf", markdown });
    const { pages } = await client.data("read_document", { path: "a.pdf" });
    assert(Number(pages) > 5);
    assert.equal(
      (await client.data("find_in_document", { path: "a.pdf", query: "Last." }))["total"],
      1,
    );
  });

  it("converts what others made, and says what it cannot keep", async () => {
    await using client = await documentsClient(
      "word-like.docx",
      "libreoffice.pdf",
      "purge.eml",
      "letter.html",
    );
    const told = await client.data("convert_document", { path: "word-like.docx", to: "w.md" });
    const lost = (told["not_kept"] as string[]).join("; ");
    for (const what of ["headers", "comments", "images", "merged", "tables inside", "tracked"]) {
      assert.match(lost, new RegExp(what));
    }
    const text = (await bytesOf(client, "w.md")).toString();
    assert.match(text, /\*\*Aur\*ora\* L\*\*td/);
    assert.match(text, /due in 14 days/);
    assert.doesNotMatch(text, /removed/);
    await client.text("convert_document", { path: "word-like.docx", to: "w.html" });
    const html = (await bytesOf(client, "w.html")).toString();
    assert.match(html, /<del>30<\/del><ins>14<\/ins>/);
    assert.match(html, /<td rowspan="2">Desk<\/td>/);
    assert.match(html, /<th colspan="2">Price and tax<\/th>/);
    for (const to of ["p.txt", "p.md", "p.docx", "p.html"]) {
      await client.text("convert_document", { path: "libreoffice.pdf", to });
      assert.match(
        await client.text("read_document", { path: to }),
        /plotter that nobody else uses/,
        to,
      );
    }
    for (const to of ["m.txt", "m.docx"])
      await client.text("convert_document", { path: "purge.eml", to });
    await client.text("convert_document", { path: "letter.html", to: "l.txt" });
    assert.match((await bytesOf(client, "l.txt")).toString(), /2\. Label the boxes\n {2}- name\n/);
  });

  it("makes the same bytes of the same content at the same time", async () => {
    await using client = await documentsClient("letter.html");
    for (const end of ["md", "html", "txt"]) {
      await client.text("convert_document", { path: "letter.html", to: `a.${end}` });
      await client.text("convert_document", { path: "letter.html", to: `b.${end}` });
      assert.deepEqual(await bytesOf(client, `a.${end}`), await bytesOf(client, `b.${end}`), end);
    }
  });

  it("reads and fills forms, all fields or none", { skip: noPdfText }, async () => {
    await using client = await documentsClient("form.pdf");
    const path = "form.pdf";
    const before = await bytesOf(client, path);
    const bad: [Record<string, string>, RegExp][] = [
      [{ surname: "X", surnam: "Y" }, /Did you mean "surname"/],
      [{ postcode: "123456" }, /takes 5 letters/],
      [{ branch: "North" }, /East, Harbour Road, Millbrook/],
      [{ newsletter: "maybe" }, /"yes" or "no"/],
      [{ office_use: "1" }, /read-only/],
    ];
    for (const [values, why] of bad)
      assert.match(await client.refusal("fill_form", { path, values }), why);
    assert.deepEqual(await bytesOf(client, path), before);
    const values = { surname: "Żółtowska", newsletter: "yes", branch: "millbrook", card: "child" };
    await client.text("fill_form", { path, values, to: "filled.pdf" });
    const { fields } = await client.data("read_form", { path: "filled.pdf" });
    const now = Object.fromEntries(
      (fields as { name: string; value: string }[]).map((f) => [f.name, f.value]),
    );
    assert.deepEqual({ ...now, ...values, branch: "Millbrook" }, now);
    await client.text("fill_form", {
      path: "filled.pdf",
      values: { first_name: "Ida" },
      flatten: true,
    });
    assert.match(await client.text("read_form", { path: "filled.pdf" }), /no form fields/);
    assert.match(pdfText(client, "filled.pdf"), /Ida/);
  });

  it("writes nothing outside of the workspace", async () => {
    await using client = await documentsClient();
    await put(client, "a.md", "x");
    const markdown = "x";
    for (const path of ["../out.docx", "/etc/out.docx", "a/../../out.docx"]) {
      assert.match(
        await client.refusal("create_document", { path, markdown }),
        /outside the workspace/,
      );
      assert.match(
        await client.refusal("convert_document", { path: "a.md", to: path }),
        /outside the workspace/,
      );
    }
  });
});
