import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { converted } from "../debian-programs.ts";
import { type OfficeClient, officeClient } from "../office-client.ts";

const FILES = fileURLToPath(new URL("./files/", import.meta.url));

/** The documents surface with these files of `files/` in its workspace. */
export async function documentsClient(...names: readonly string[]): Promise<OfficeClient> {
  await using stack = new AsyncDisposableStack();
  const client = stack.use(await officeClient("documents"));
  await Promise.all(names.map((name) => copyFile(join(FILES, name), join(client.workspace, name))));
  stack.move();
  return client;
}

export async function bytesOf({ workspace }: OfficeClient, name: string): Promise<Buffer> {
  return await readFile(join(workspace, name));
}

export async function put({ workspace }: OfficeClient, name: string, content: string | Uint8Array) {
  await writeFile(join(workspace, name), content);
}

/** The id of the block that begins with these words. */
export async function idOf(client: OfficeClient, path: string, words: string): Promise<string> {
  const text = await client.text("read_document", { path });
  const line = text.split("\n").find((one) => one.replace(/^\[[^\]]*\]\s*/, "").startsWith(words));
  const id = /^\[(\d+-[0-9a-z]{4})/.exec(line ?? "")?.[1];
  if (id === undefined) throw new Error(`no block of ${path} begins with ${words}:\n${text}`);
  return id;
}

/** What a program says, which must end well. */
function said(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 120_000,
  });
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

/** The text of a PDF of the workspace's, laid out as it is there. */
export function pdfText({ workspace }: OfficeClient, name: string): string {
  return said("pdftotext", "-layout", join(workspace, name), "-");
}

/** The text of a Word document of the workspace's, as LibreOffice prints it. */
export async function printedText(client: OfficeClient, name: string): Promise<string> {
  await converted(join(client.workspace, name), "pdf", client.workspace);
  return pdfText(client, name.replace(".docx", ".pdf"));
}

/** What Python prints that has a document of the workspace's open as `d`. */
export function pythonDocx(script: string, { workspace }: OfficeClient, name: string): string {
  const open = "import sys, docx\nd = docx.Document(sys.argv[1])\n";
  return said("/usr/bin/python3", "-c", `${open}${script}`, join(workspace, name));
}

/** A PDF of these objects, the first of them being object 2: the pages. */
export function minimalPdf(objects: readonly string[]): Buffer {
  const parts = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let size = 9;
  ["<</Type/Catalog/Pages 2 0 R>>", ...objects].forEach((object, n) => {
    offsets.push(size);
    const part = Buffer.from(`${n + 1} 0 obj\n${object}\nendobj\n`, "latin1");
    parts.push(part);
    size += part.length;
  });
  const lines = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const count = offsets.length + 1;
  const table = `xref\n0 ${count}\n0000000000 65535 f \n${lines}`;
  const end = `trailer\n<</Size ${count}/Root 1 0 R>>\nstartxref\n${size}\n%%EOF`;
  return Buffer.concat([...parts, Buffer.from(table + end)]);
}
