import type { OfficeClient } from "../../servers/office-client.ts";
import { graderReads } from "../grader-reader.ts";

export interface Seen {
  /** Those that hold something, notes after them. */
  readonly paragraphs: readonly string[];
  readonly tables: readonly (readonly (readonly string[])[])[];
}

/** What a grader reads of every .docx of a folder, by name; or why it can't be read. */
export async function wordOfGrader(
  folder: string,
  accept: "final" | "original" | "marked" = "final",
): Promise<Record<string, Seen & { readonly failed?: string }>> {
  return await graderReads(
    folder,
    `
from cloche.documents import open_document
def read(file):
    document = open_document(file, accept=${JSON.stringify(accept)})
    paragraphs = [each.text for each in document.paragraphs if each.text] + document.notes
    return {"paragraphs": paragraphs, "tables": document.tables}
print(json.dumps({file.name: told(lambda: read(file)) for file in tree().files("*.docx")}))
`,
  );
}

interface Blocks {
  readonly blocks: readonly { readonly kind: string; readonly text?: string }[];
  readonly next_cursor?: string;
}

interface Tables {
  readonly tables: readonly { readonly rows: readonly (readonly string[])[] }[];
  readonly next_cursor?: string;
}

/** What an agent reads of a Word file with the tools, without the marks that stand for no text. */
export async function wordOfTool(client: OfficeClient, path: string): Promise<Seen> {
  const read = (await client.data("read_document", { path })) as unknown as Blocks;
  if (read.next_cursor !== undefined) throw new Error(`${path} is longer than one answer`);
  // Numbers of headings are counted by the program that shows them; they are no text of the file.
  const texts = read.blocks
    .filter(({ kind }) => kind !== "table")
    .map(({ kind, text = "" }) =>
      kind === "heading" ? text.replace(/^\d+(\.\d+)*\.? /, "") : text,
    );
  const hasTable = read.blocks.some(({ kind }) => kind === "table");
  const tables = hasTable
    ? ((await client.data("extract_tables", { path })) as unknown as Tables)
    : undefined;
  return {
    paragraphs: texts.flatMap(withoutMarks).filter((text) => text !== ""),
    tables: (tables?.tables ?? []).map(({ rows }) => rows.map((row) => row.map(cellWords))),
  };
}

function withoutMarks(text: string): string[] {
  const boxes: string[] = [];
  const own = text.replace(/\[text box: ([\s\S]*?)\](?=\[text box: |$)/g, (_, box: string) => {
    boxes.push(...box.split(" / "));
    return "";
  });
  return [own, ...boxes].map(cellWords);
}

function cellWords(text: string): string {
  return text
    .replace(/\[\^e?[^\]]+\]:? ?|\[image[^\]]*\]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .normalize("NFC");
}
