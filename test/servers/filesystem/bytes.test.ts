import assert from "node:assert/strict";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type OfficeClient, officeClient } from "../office-client.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");
const utf8 = (text: string) => Buffer.from(text, "utf8");
const utf16 = (text: string) => Buffer.from(text, "utf16le");
const bigEndian = (text: string) => utf16(text).swap16();

type Case = readonly [
  what: string,
  before: Buffer,
  oldText: string,
  newText: string,
  after: Buffer,
];

const CASES: readonly Case[] = [
  ["CRLF", utf8("a\r\nb\r\nc\r\n"), "b", "b1\nb2", utf8("a\r\nb1\r\nb2\r\nc\r\n")],
  ["CRLF over lines", utf8("a\r\nb\r\nc\r\n"), "a\nb\n", "a\nx\nb\n", utf8("a\r\nx\r\nb\r\nc\r\n")],
  ["CRLF, said as CRLF", utf8("a\r\nb\r\n"), "a\r\nb", "a\r\nB", utf8("a\r\nB\r\n")],
  [
    "CRLF at the edge of what is asked for",
    utf8("a\r\nb\r\nc"),
    "\nb\n",
    "\nB\n",
    utf8("a\r\nB\r\nc"),
  ],
  ["a line of CRLF taken out", utf8("a\r\nb\r\nc\r\n"), "b\n", "", utf8("a\r\nc\r\n")],
  ["LF, said as CRLF", utf8("a\nb\n"), "a\r\nb", "a\r\nB", utf8("a\nB\n")],
  ["mixed ends", utf8("a\r\nb\nc\r\nd"), "b\nc\nd", "b\nC\nd\ne", utf8("a\r\nb\nC\r\nd\r\ne")],
  [
    "ends alone, when they are what is asked for",
    utf8("a\nb\n"),
    "a\nb\n",
    "a\r\nb\r\n",
    utf8("a\r\nb\r\n"),
  ],
  ["ends of an old Mac", utf8("a\rb\rc"), "a\nb", "a\nx\nb", utf8("a\rx\rb\rc")],
  ["no end at the end", utf8("a\nb"), "b", "c", utf8("a\nc")],
  ["no end at all", utf8("a"), "a", "b\nc", utf8("b\nc")],
  ["Latin-1", latin1("caf\xe9\n\xfcber\n"), "café", "thé", latin1("th\xe9\n\xfcber\n")],
  ["Latin-1, other line", latin1("a\r\n\xfc\xdf\r\n"), "a", "é", latin1("\xe9\r\n\xfc\xdf\r\n")],
  ["windows-1252", latin1("5 \x80 \x93x\x94 \xe9"), "5 €", "7 €", latin1("7 \x80 \x93x\x94 \xe9")],
  [
    "UTF-8 with a byte that is not",
    latin1("\xc3\xa9 \xc3\xbc\n\xff\n"),
    "ü",
    "ä",
    latin1("\xc3\xa9 \xc3\xa4\n\xff\n"),
  ],
  ["a mark of UTF-8", utf8("\ufeffa\nb\n"), "a", "A", utf8("\ufeffA\nb\n")],
  ["a mark that was read along", utf8("\ufeffa\nb\n"), "\ufeffa", "A", utf8("\ufeffA\nb\n")],
  ["UTF-16", utf16("\ufeffa\r\nb é\r\n"), "b é", "ü\n中", utf16("\ufeffa\r\nü\r\n中\r\n")],
  ["UTF-16 of the other order", bigEndian("\ufeffa\nb\n"), "b", "ß", bigEndian("\ufeffa\nß\n")],
  [
    "UTF-16 without a mark",
    utf16("hello\r\nworld\r\n"),
    "world",
    "Wörld",
    utf16("hello\r\nWörld\r\n"),
  ],
  ["NUL bytes", latin1("a\0b\n\0\0c\n"), "a", "A", latin1("A\0b\n\0\0c\n")],
  [
    "bytes of a program",
    latin1("\x7fELF\0\xff\xfe\xc3\x28 name\0"),
    "name",
    "NAME",
    latin1("\x7fELF\0\xff\xfe\xc3\x28 NAME\0"),
  ],
  [
    "white space at ends of other lines",
    utf8("a  \n\tb\t\nc \n"),
    "a\nb\nc",
    "a\nB\nc",
    utf8("a  \n\tB\nc \n"),
  ],
  [
    "tabs, asked for in spaces",
    utf8("def f():\n\tif x:\n\t\ty()\n\t\tz()\n"),
    "    if x:\n        y()\n        z()",
    "    if x:\n        if p:\n            y()\n        q()\n        z()",
    utf8("def f():\n\tif x:\n\t\tif p:\n\t\t\ty()\n\t\tq()\n\t\tz()\n"),
  ],
  [
    "tabs, asked for without any",
    utf8("\tif x:\n\t\ty()\n"),
    "if x:\n    y()",
    "if x:\n    z()\nelse:\n    w()",
    utf8("\tif x:\n\t\tz()\n\telse:\n\t\tw()\n"),
  ],
  [
    "spaces, asked for in tabs",
    utf8("  a:\n    b: 1\n"),
    "\ta:\n\t\tb: 1",
    "\ta:\n\t\tb: 2\n\t\t\tc: 3",
    utf8("  a:\n    b: 2\n      c: 3\n"),
  ],
  ["dollars and ampersands", utf8("price\n"), "price", "$& $1 $$ \\n", utf8("$& $1 $$ \\n\n")],
];

describe("edit_file leaves as it is what it was not asked to change", () => {
  let office: OfficeClient;
  let file: string;

  before(async () => {
    office = await officeClient("filesystem");
    file = join(office.workspace, "file.txt");
  });
  after(() => office?.[Symbol.asyncDispose]());

  const edit = (oldText: string, newText: string, more = {}) => ({
    path: "file.txt",
    edits: [{ oldText, newText }],
    ...more,
  });

  for (const [what, bytes, oldText, newText, wanted] of CASES) {
    it(`${what}`, async () => {
      await writeFile(file, bytes);
      const dry = await office.text("edit_file", edit(oldText, newText, { dryRun: true }));
      assert.deepEqual(await readFile(file), bytes, "a dry run wrote");
      assert.equal(await office.text("edit_file", edit(oldText, newText)), dry);
      assert.equal((await readFile(file)).toString("latin1"), wanted.toString("latin1"));
    });
  }

  it("shows what it edits as read_text_file shows it", async () => {
    const shown = [
      [latin1("caf\xe9 \x80\r\n"), "café €\r\n"],
      [utf8("\ufeffé\n"), "é\n"],
      [utf16("\ufeffhé\n"), "hé\n"],
      [bigEndian("\ufeffhé\n"), "hé\n"],
      [utf8("a\0b"), "a\0b"],
    ] as const;
    for (const [bytes, text] of shown) {
      await writeFile(file, bytes);
      assert.equal(await office.text("read_text_file", { path: "file.txt" }), text);
    }
  });

  it("refuses what the file's encoding cannot say, and half letters, and changes nothing", async () => {
    const bytes = latin1("caf\xe9\n");
    await writeFile(file, bytes);
    assert.match(
      await office.refusal("edit_file", edit("café", "中")),
      /windows-1252.*no "中".*iconv/s,
    );
    assert.match(await office.refusal("edit_file", edit("café", "x\ud800")), /surrogate/);
    const write = { path: "file.txt", content: "\udfff" };
    assert.match(await office.refusal("write_file", write), /surrogate/);
    assert.deepEqual(await readFile(file), bytes);
  });

  it("does all edits of a call or none", async () => {
    await writeFile(file, "a\nb\n");
    const edits = [
      { oldText: "a", newText: "A" },
      { oldText: "zebra", newText: "x" },
    ];
    const said = await office.refusal("edit_file", { path: "file.txt", edits });
    assert.match(said, /Could not find exact match for edit:\nzebra/);
    assert.equal(await readFile(file, "utf8"), "a\nb\n");
  });

  it("keeps a file's permissions, and leaves no draft behind", async () => {
    for (const mode of [0o755, 0o640, 0o600, 0o777, 0o444]) {
      await writeFile(file, "echo a\n");
      await chmod(file, mode);
      await office.text("edit_file", edit("a", "b"));
      assert.equal((await stat(file)).mode & 0o7777, mode);
      await office.text("write_file", { path: "file.txt", content: "echo c\n" });
      assert.equal((await stat(file)).mode & 0o7777, mode);
      await chmod(file, 0o644);
    }
    assert.deepEqual(await readdir(office.workspace), ["file.txt"]);
  });

  it("writes exactly the bytes of what it was given, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
        await office.text("write_file", { path: "file.txt", content: text });
        assert.deepEqual(await readFile(file), utf8(text));
      }),
      { numRuns: 50 },
    );
  });

  it("keeps every other byte of any file, when one line of it is edited", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 200 }),
        async (head, tail) => {
          // A line of its own among bytes that are no text, so that they are not taken for UTF-16.
          const [before, after] = [
            Buffer.from([...head, 0xff, 10]),
            Buffer.from([10, 0xff, ...tail]),
          ];
          const of = (word: string) => Buffer.concat([before, latin1(word), after]);
          if (head.includes(0) || tail.includes(0)) return;
          if (`${before}${after}`.includes("needle")) return;
          await writeFile(file, of("the needle here"));
          await office.text("edit_file", edit("the needle", "that"));
          assert.deepEqual(await readFile(file), of("that here"));
        },
      ),
      { numRuns: 60 },
    );
  });
});
