import { isUtf8 } from "node:buffer";
import { ToolError } from "../kit/tool-error.ts";

/**
 * How a file's bytes are text. Edits are made on `units`: a text with one letter for each byte, or for
 * each two in UTF-16, so that what an edit does not touch keeps its bytes, whatever they are.
 */
export interface Encoding {
  readonly name: string;
  /** At the file's beginning, no part of its text. */
  readonly mark: Buffer;
  /** As a reader sees it; never for writing. Without the mark. */
  shown(bytes: Buffer): string;
  /** Without the mark. */
  units(bytes: Buffer): string;
  /** With the mark. */
  bytes(units: string): Buffer;
  /** A text of a caller's in this encoding. @throws ToolError for a letter that it does not have */
  encode(text: string): string;
}

const NO_MARK = Buffer.alloc(0);
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LE_MARK = Buffer.from([0xff, 0xfe]);
const BE_MARK = Buffer.from([0xfe, 0xff]);

/** Bytes 0x80 to 0x9F; five of them have no letter and stand for themselves. */
const WESTERN = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** What these bytes most likely are; each byte string is text in some way. */
export function encodingOf(bytes: Buffer): Encoding {
  if (bytes.subarray(0, 3).equals(UTF8_MARK)) return utf8(UTF8_MARK);
  if (bytes.length % 2 === 0) {
    if (bytes.subarray(0, 2).equals(LE_MARK)) return utf16("UTF-16LE", LE_MARK);
    if (bytes.subarray(0, 2).equals(BE_MARK)) return utf16("UTF-16BE", BE_MARK);
    const unmarked = unmarkedUtf16(bytes);
    if (unmarked !== undefined) return utf16(unmarked, NO_MARK);
  }
  return isUtf8(bytes) || isDamagedUtf8(bytes) ? utf8(NO_MARK) : western();
}

function utf8(mark: Buffer): Encoding {
  return {
    ...{ name: "UTF-8", mark },
    shown: (bytes) => bytes.subarray(mark.length).toString("utf8"),
    units: (bytes) => bytes.subarray(mark.length).toString("latin1"),
    bytes: (units) => Buffer.concat([mark, Buffer.from(units, "latin1")]),
    encode: (text) => Buffer.from(wellFormed(text), "utf8").toString("latin1"),
  };
}

function western(): Encoding {
  const name = "windows-1252 (as Latin-1)";
  const letterOf = (byte: string) => WESTERN[byte.charCodeAt(0) - 0x80] ?? byte;
  return {
    ...{ name, mark: NO_MARK },
    shown: (bytes) => bytes.toString("latin1").replace(/[\x80-\x9f]/g, letterOf),
    units: (bytes) => bytes.toString("latin1"),
    bytes: (units) => Buffer.from(units, "latin1"),
    encode: (text) =>
      wellFormed(text).replace(/[^\0-\x7f\xa0-\xff]/gu, (letter) => {
        const at = WESTERN.indexOf(letter);
        if (at >= 0) return String.fromCharCode(0x80 + at);
        throw new ToolError(
          `The file is encoded in ${name}, which has no "${letter}". Leave it out, or make the file ` +
            "UTF-8 first: iconv -f WINDOWS-1252 -t UTF-8 in the terminal.",
        );
      }),
  };
}

function utf16(name: "UTF-16LE" | "UTF-16BE", mark: Buffer): Encoding {
  const little = (bytes: Buffer) => (name === "UTF-16LE" ? bytes : Buffer.from(bytes).swap16());
  const units = (bytes: Buffer) => little(bytes.subarray(mark.length)).toString("utf16le");
  return {
    ...{ name, mark, units },
    shown: (bytes) => units(bytes).toWellFormed(),
    bytes: (text) => Buffer.concat([mark, little(Buffer.from(text, "utf16le"))]),
    encode: wellFormed,
  };
}

/** Half of a letter has no bytes; it would be written as another letter. */
export function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new ToolError(
    "The text holds half of a surrogate pair (\\ud800 to \\udfff): write it whole.",
  );
}

/** English text in UTF-16 has a zero in every second byte, and none among the others. */
function unmarkedUtf16(bytes: Buffer): "UTF-16LE" | "UTF-16BE" | undefined {
  const zeros = [0, 0];
  for (const [at, byte] of bytes.entries())
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = Math.max(2, bytes.length / 4);
  if (odd >= many && even === 0) return "UTF-16LE";
  return even >= many && odd === 0 ? "UTF-16BE" : undefined;
}

const SEQUENCE = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g;

/** UTF-8 with some bytes that are not: most of what is not ASCII is letters of UTF-8. */
function isDamagedUtf8(bytes: Buffer): boolean {
  let letters = 0;
  const rest = bytes.toString("latin1").replace(SEQUENCE, () => {
    letters += 1;
    return "";
  });
  const others = rest.match(/[\x80-\xff]/g)?.length ?? 0;
  return letters >= others;
}
