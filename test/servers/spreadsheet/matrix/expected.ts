// node test/servers/spreadsheet/matrix/expected.ts and npm run format write libreoffice.json anew: what LibreOffice
// makes of the formulas that lie here. What Excel makes of them otherwise stands in excel.txt.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBookZip } from "../../../../servers/spreadsheet/book-zip.ts";
import { converted } from "../../debian-programs.ts";
import { cellOf, formulasOf, matrixWorkbook } from "./workbook.ts";

export type Value = string | number | boolean;
/** By formula as its file has it; errors are texts such as "#N/A". */
export type Expected = Readonly<Record<string, Value>>;
/** Of each file of formulas, and whether its workbook counts days from 1904. */
export const FILES = { "formulas.txt": false, "1904.txt": true } as const;

export const STORED = new URL("libreoffice.json", import.meta.url);

/** What LibreOffice itself computes of all the formulas. */
export async function byLibreOffice(): Promise<Record<string, Expected>> {
  const folder = await mkdtemp(join(tmpdir(), "matrix-"));
  try {
    const found: Record<string, Expected> = {};
    for (const [file, from1904] of Object.entries(FILES)) {
      const formulas = formulasOf(file);
      const path = join(folder, `${file}.xlsx`);
      await writeFile(path, matrixWorkbook(formulas, { from1904 }));
      await converted(path, "xlsx", join(folder, "out"));
      const values = await valuesIn(join(folder, "out", `${file}.xlsx`));
      const told = formulas.map(({ said }, n) => [said, values.get(cellOf(n)) ?? ""] as const);
      found[file] = Object.fromEntries(told);
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What Excel makes of formulas otherwise than LibreOffice. */
export async function inExcel(): Promise<Expected> {
  const text = await readFile(new URL("excel.txt", import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const [said = "", value = ""] = line.split("\t");
      return [said, JSON.parse(value) as Value];
    }),
  );
}

/** The values that a program stored for the formulas of the last sheet. */
async function valuesIn(file: string): Promise<Map<string, Value>> {
  const sheet = openBookZip(await readFile(file), file)
    .read("xl/worksheets/sheet5.xml")
    .toString("utf8");
  const cells = sheet.matchAll(/<c r="([A-Z]+\d+)"([^>]*)>(.*?)<\/c>/gs);
  return new Map(
    Array.from(cells, ([, cell = "", attributes = "", content = ""]) => {
      const text = plain(/<v>(.*?)<\/v>/s.exec(content)?.[1] ?? "");
      const type = / t="(\w+)"/.exec(attributes)?.[1] ?? "n";
      const value = type === "n" ? Number(text) : type === "b" ? text === "1" : text;
      return [cell, value] as const;
    }),
  );
}

function plain(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

if (import.meta.main)
  await writeFile(STORED, `${JSON.stringify(await byLibreOffice(), null, 2)}\n`);
