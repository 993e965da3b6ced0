import { readFile, writeFile } from "node:fs/promises";
import { openBookZip } from "../../../servers/spreadsheet/book-zip.ts";

/** Every part of a package as text; bytes that are no text compare as well. */
export async function partsOf(file: string): Promise<Map<string, string>> {
  const zip = openBookZip(await readFile(file), file);
  return new Map(zip.names.map((name) => [name, zip.read(name).toString("latin1")]));
}

/** Changes parts of a package: undefined takes one away. */
export async function changeParts(
  file: string,
  change: (text: (name: string) => string) => Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  const zip = openBookZip(await readFile(file), file);
  const parts = change((name) => zip.read(name).toString("utf8"));
  for (const [name, text] of Object.entries(parts)) zip.set(name, Buffer.from(text));
  await writeFile(file, zip.toBuffer());
}
