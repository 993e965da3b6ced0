import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { missing, PYTHON_DOCX } from "../../servers/debian-programs.ts";
import { documentsClient, idOf } from "../../servers/documents/support.ts";
import { wordOfGrader, wordOfTool } from "./both-read.ts";
import { WORD_CASES } from "./cases.ts";
import type { WordCase } from "./markup.ts";
import { wordFile } from "./word-file.ts";

const skip = await missing(PYTHON_DOCX);

describe("Word text, as a grader reads it and as a tool shows it", { skip }, () => {
  it("is that of a reader: of the final text, of the original, of both", async () => {
    await using client = await documentsClient();
    const names = new Map<string, WordCase>();
    for (const [n, one] of WORD_CASES.entries()) {
      const name = `${String(n).padStart(2, "0")}.docx`;
      names.set(name, one);
      await writeFile(join(client.workspace, name), wordFile(one.body, one.notes));
    }
    const final = await wordOfGrader(client.workspace);
    const original = await wordOfGrader(client.workspace, "original");
    for (const [name, one] of names) {
      const { final: texts, tables = [] } = one;
      assert.deepEqual(final[name], { paragraphs: texts, tables }, `grader, final: ${one.name}`);
      const before = {
        paragraphs: one.original ?? texts,
        tables: one.originalTables ?? tables,
      };
      assert.deepEqual(original[name], before, `grader, original: ${one.name}`);
      const tool = await wordOfTool(client, name);
      assert.equal(letters(tool.paragraphs), letters(texts), `tool: ${one.name}`);
      assert.deepEqual(rows(tool.tables), rows(tables), `tool: ${one.name}`);
    }
  });

  it("marks both sides of a change as the tool does", async () => {
    await using client = await documentsClient();
    const [first] = WORD_CASES;
    await writeFile(join(client.workspace, "a.docx"), wordFile(first?.body ?? ""));
    const { "a.docx": marked } = await wordOfGrader(client.workspace, "marked");
    const text = "The fee is {--100 EUR--}{++250 EUR++}.";
    assert.deepEqual(marked?.paragraphs, [text]);
    assert.ok((await client.text("read_document", { path: "a.docx" })).includes(text));
  });

  it("holds the addresses that create_document makes links of", async () => {
    await using client = await documentsClient();
    const markdown =
      "Write to uma@x.test or see https://x.test/a today.\n\n| who | where |\n|--|--|\n| Uma | uma@x.test |";
    await client.text("create_document", { path: "l.docx", markdown });
    const { "l.docx": seen } = await wordOfGrader(client.workspace);
    assert.deepEqual(seen, {
      paragraphs: ["Write to uma@x.test or see https://x.test/a today."],
      tables: [
        [
          ["who", "where"],
          ["Uma", "uma@x.test"],
        ],
      ],
    });
  });

  it("has what the tools changed and tracked", async () => {
    await using client = await documentsClient();
    const markdown = "The fee is 100 EUR.\n\n| item | fee |\n|--|--|\n| one | 1 |\n| two | 2 |";
    await client.text("create_document", { path: "t.docx", markdown });
    const edit = { find: "100 EUR", replace: "250 EUR" };
    await client.text("replace_text", { path: "t.docx", edits: [edit], tracked: true });
    const table = await idOf(client, "t.docx", "table");
    const edits = [
      { action: "delete_row", row: 2 },
      { action: "insert_row", row: 3, values: ["three", "3"] },
    ];
    await client.text("edit_table", { path: "t.docx", table, edits, tracked: true });
    const { "t.docx": final } = await wordOfGrader(client.workspace);
    const { "t.docx": original } = await wordOfGrader(client.workspace, "original");
    assert.deepEqual(final?.paragraphs, ["The fee is 250 EUR."]);
    assert.deepEqual(original?.paragraphs, ["The fee is 100 EUR."]);
    const [before, after] = [original?.tables[0], final?.tables[0]];
    assert.deepEqual(before, [
      ["item", "fee"],
      ["one", "1"],
      ["two", "2"],
    ]);
    assert.deepEqual(
      after?.filter(([name]) => name === "one"),
      [],
    );
    assert.deepEqual(
      after?.filter(([name]) => name === "three"),
      [["three", "3"]],
    );
    assert.equal(after?.length, 3);
  });
});

/** Ends of paragraphs that changes take out are marks to the tool, which shows both sides. */
function letters(texts: readonly string[]): string {
  return texts.join("").replace(/\s/g, "");
}

/** Rows that hold something; a merged cell counts at its first place. */
function rows(tables: readonly (readonly (readonly string[])[])[]): string[][][] {
  return tables.map((table) =>
    table
      .map((row, y) =>
        row.map((text, x) => (text === row[x - 1] || text === table[y - 1]?.[x] ? "" : text)),
      )
      .filter((row) => row.some((text) => text !== "")),
  );
}
