import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { openWordZip } from "../../../servers/documents/word/word-zip.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import type { OfficeClient } from "../office-client.ts";
import { bytesOf, documentsClient, minimalPdf, put } from "./support.ts";

describe("hostile and broken documents", () => {
  it("refuses each with a reason, leaves it as it is, and goes on", async () => {
    await using client = await documentsClient(
      "word-like.docx",
      "libreoffice.pdf",
      "locked.pdf",
      "old.doc",
    );
    const word = await bytesOf(client, "word-like.docx");
    const pdf = await bytesOf(client, "libreoffice.pdf");
    const cases: [string, Uint8Array | string | undefined, RegExp][] = [
      ["old.doc", undefined, /old binary kind/],
      ["locked.pdf", undefined, /password/],
      ["empty.docx", "", /is empty/],
      ["empty.pdf", "", /damaged or empty/],
      ["text.docx", "hello", /no zip archive/],
      ["secret.docx", encrypted(), /password/],
      ["cut.docx", word.subarray(0, 5_000), /no readable Word document/],
      ["cut.pdf", pdf.subarray(0, 9_000), /no readable PDF/],
      ["noise.pdf", Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(5_000, 7)]), /PDF/],
      ["binary.txt", Buffer.from([1, 0, 2, 0]), /binary data/],
      [
        "book.docx",
        changed(word, { rename: "xl/workbook.xml" }),
        /Excel workbook.*spreadsheet tools/,
      ],
      ["other.docx", changed(word, { rename: "stuff.bin" }), /no Word document: it holds/],
      [
        "doctype.docx",
        changed(word, {
          xml: (x) => x.replace(/\?>/, '?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        }),
        /document type/,
      ],
      ["entity.docx", changed(word, { xml: (x) => x.replace("Signed", "&e;") }), /not well-formed/],
      ["tags.docx", changed(word, { xml: (x) => x.replace("</w:body>", "") }), /not well-formed/],
      [
        "deep.docx",
        changed(word, {
          xml: (x) =>
            x.replace(
              "</w:body>",
              `${"<w:sdt>".repeat(5_000)}${"</w:sdt>".repeat(5_000)}</w:body>`,
            ),
        }),
        /nested deeper/,
      ],
      [
        "wide.docx",
        changed(word, { xml: (x) => x + " ".repeat(40 * 1024 * 1024) }),
        /unpacks to 40 MiB/,
      ],
      ["loop.pdf", minimalPdf(["<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2000000000>>"]), /PDF/],
      ["deep.html", "<div>".repeat(100_000), /nested more deeply/],
    ];
    for (const [path, content, why] of cases) {
      if (content !== undefined) await put(client, path, content);
      const before = await bytesOf(client, path);
      assert.match(await client.refusal("read_document", { path }), why, path);
      assert.deepEqual(await bytesOf(client, path), before);
    }
    assert.match(
      await client.text("read_document", { path: "word-like.docx" }),
      /Service agreement/,
    );
    assert.doesNotMatch(client.stderr, /\n +at /);
  });

  it("refuses a zip that unpacks to more than it says", async () => {
    await using client = await documentsClient("word-like.docx");
    const zip = openWordZip(await bytesOf(client, "word-like.docx"));
    zip.set("word/document.xml", Buffer.alloc(20 * 1024 * 1024, 32));
    const bytes = zip.toBuffer();
    // The size that the directory and the header state: 1000 bytes.
    for (
      let at = bytes.indexOf("word/document.xml");
      at >= 0;
      at = bytes.indexOf("word/document.xml", at + 1)
    ) {
      const local = bytes.readUInt32LE(at - 30) === 0x04034b50;
      bytes.writeUInt32LE(1_000, local ? at - 8 : at - 22);
    }
    await put(client, "liar.docx", bytes);
    assert.match(await client.refusal("read_document", { path: "liar.docx" }), /damaged/);
  });

  it("survives a PDF that unpacks to gigabytes", async () => {
    await using client = await documentsClient("form.pdf");
    let data = Buffer.alloc(900 * 1024 * 1024, 32);
    data = deflateSync(data, { level: 1 });
    const content = deflateSync(data);
    const stream = Buffer.concat([
      Buffer.from(`<</Length ${content.length}/Filter[/FlateDecode/FlateDecode]>>stream\n`),
      content,
      Buffer.from("\nendstream"),
    ]).toString("latin1");
    const page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R>>";
    await put(
      client,
      "bomb.pdf",
      minimalPdf(["<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream]),
    );
    assert.match(
      await client.refusal("read_document", { path: "bomb.pdf" }),
      /stopped|could not|damaged/,
    );
    assert.match(await client.text("read_form", { path: "form.pdf" }), /surname/);
  });

  it("answers others while a file keeps the parser busy, and stops when told to", async () => {
    await using client = await documentsClient("form.pdf");
    const operators = deflateSync(Buffer.from("BT (x) Tj ET\n".repeat(4_000_000)));
    const stream = Buffer.concat([
      Buffer.from(`<</Length ${operators.length}/Filter/FlateDecode>>stream\n`),
      operators,
      Buffer.from("\nendstream"),
    ]).toString("latin1");
    const font = "/Resources<</Font<</F1 5 0 R>>>>";
    const page = `<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R${font}>>`;
    const helvetica = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    await put(
      client,
      "busy.pdf",
      minimalPdf(["<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream, helvetica]),
    );
    const stop = new AbortController();
    const call = { name: "read_document", arguments: { path: "busy.pdf" } };
    const busy = client.client.callTool(call, { signal: stop.signal }).catch(() => "stopped");
    const { tools } = await client.client.listTools();
    assert(tools.length > 10);
    stop.abort();
    await busy;
    assert.match(await client.text("read_form", { path: "form.pdf" }), /surname/);
  });

  it("takes 10 MB of one line", async () => {
    await using client = await documentsClient();
    for (const [path, line] of [
      ["line.txt", "word ".repeat(2_000_000)],
      ["line.md", "word ".repeat(2_000_000)],
      ["line.html", `<p>${"word ".repeat(2_000_000)}`],
      ["tangle.md", "*a _b ".repeat(100_000)],
    ] as const) {
      await put(client, path, line);
      const text = await client.text("read_document", { path });
      assert(text.length < 40_000, path);
      assert.match(text, /more lines: call again with cursor "L\d+"/, path);
    }
    assert.equal(
      (await client.data("find_in_document", { path: "line.txt", query: "word word" }))["total"],
      1_000_000,
    );
  });

  it("follows no link out of the workspace, and takes no folder or pipe", async () => {
    await using client = await documentsClient();
    await using outside = await tempFolder();
    await writeFile(join(outside.path, "secret.txt"), "secret");
    await symlink(join(outside.path, "secret.txt"), join(client.workspace, "link.txt"));
    await symlink(outside.path, join(client.workspace, "linked"));
    for (const path of ["link.txt", "linked/secret.txt"]) {
      assert.match(await client.refusal("read_document", { path }), /leads out of the workspace/);
    }
    const edits = [{ find: "secret", replace: "x" }];
    assert.match(await client.refusal("replace_text", { path: "link.txt", edits }), /leads out/);
    assert.match(
      await client.refusal("create_document", { path: "linked/a.docx", markdown: "x" }),
      /leads out/,
    );
    assert.match(
      await client.refusal("read_document", { path: "../x.txt" }),
      /outside the workspace/,
    );
  });

  it("does not edit a signed document", async () => {
    await using client = await documentsClient("word-like.docx");
    await signed(client);
    const edits = [{ find: "Graz", replace: "Linz" }];
    assert.match(
      await client.refusal("replace_text", { path: "signed.docx", edits }),
      /digitally signed/,
    );
    assert.match(await client.text("list_comments", { path: "signed.docx" }), /1 comment/);
  });
});

async function signed(client: OfficeClient): Promise<void> {
  const zip = openWordZip(await bytesOf(client, "word-like.docx"));
  zip.set("_xmlsignatures/sig1.xml", Buffer.from("<Signature/>"));
  await put(client, "signed.docx", zip.toBuffer());
}

/** The beginning of a compound file that holds an encrypted package. */
function encrypted(): Buffer {
  const magic = Buffer.from("d0cf11e0a1b11ae1", "hex");
  return Buffer.concat([
    magic,
    Buffer.alloc(1_024),
    Buffer.from("EncryptedPackage", "utf16le"),
    Buffer.alloc(512),
  ]);
}

function changed(
  word: Buffer,
  { rename, xml }: { rename?: string; xml?: (text: string) => string },
): Buffer {
  const zip = openWordZip(word);
  const text = zip.read("word/document.xml").toString();
  if (rename !== undefined) {
    for (const name of zip.names) zip.remove(name);
    zip.set(rename, Buffer.from(text));
  } else zip.set("word/document.xml", Buffer.from(xml?.(text) ?? text));
  return zip.toBuffer();
}
