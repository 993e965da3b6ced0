import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { missing, PYTHON_DOCX } from "../../servers/debian-programs.ts";
import { documentsClient } from "../../servers/documents/support.ts";
import { type Seen, wordOfGrader, wordOfTool } from "./both-read.ts";

const skip = await missing(PYTHON_DOCX);
/** Of LibreOffice, python-docx and in the manner of Word. */
const FILES = [
  ...["libreoffice.docx", "libreoffice-tracked.docx", "python-docx.docx", "word-like.docx"],
  "delivery.docx",
];

describe("Word files of other programs", { skip }, () => {
  it("are the same words and cells to a grader and to the tools", async () => {
    await using client = await documentsClient(...FILES);
    const graded = await wordOfGrader(client.workspace);
    assert.deepEqual(Object.keys(graded).sort(), FILES.toSorted());
    for (const name of FILES) {
      const shown = await wordOfTool(client, name);
      assert.deepEqual(letters(graded[name]), letters(shown), name);
      assert.deepEqual(cells(graded[name]), cells(shown), name);
    }
  });
});

/** Ends of paragraphs that changes take out are marks to the tool, which shows both sides. */
function letters(seen: Seen | undefined): string {
  return (seen?.paragraphs ?? []).join("").replace(/\s/g, "");
}

/** A merged cell counts at its first place. */
function cells(seen: Seen | undefined): string[][][] {
  return (seen?.tables ?? []).map((table) =>
    table
      .map((row, y) =>
        row.map((text, x) => (text === row[x - 1] || text === table[y - 1]?.[x] ? "" : text)),
      )
      .filter((row) => row.some((text) => text !== "")),
  );
}
