/** Tar's unit: headers are one block, contents are padded to whole ones, two empty ones end it. */
export const BLOCK = 512;

/** One header block. Names are bytes: an archive's file system need not know UTF-8. */
export interface TarHeader {
  readonly name: Buffer;
  /** The type flag, "0" for a file. */
  readonly type: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly size: number;
  readonly linkName: Buffer;
}

export interface TarOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Date;
}

/** The sentence says what is wrong with the block. */
export class TarFormatError extends Error {}

/**
 * Reads a header block of the POSIX or the GNU kind. Stricter than most readers, since a header
 * that is read generously is how one archive comes to mean two things: numbers hold digits only,
 * the checksum covers every byte.
 * @throws TarFormatError
 */
export function decodeHeader(block: Buffer): TarHeader {
  if (readNumber(block, 148, 8) !== checksum(block)) {
    throw new TarFormatError("a header's checksum is wrong");
  }
  const magic = block.toString("latin1", 257, 265);
  if (magic !== "ustar\x0000" && magic !== "ustar  \0") {
    throw new TarFormatError("a header is neither of the POSIX nor of the GNU kind");
  }
  const name = readText(block, 0, 100);
  const prefix = magic === "ustar  \0" ? Buffer.alloc(0) : readText(block, 345, 155);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, SLASH, name]) : name,
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    mode: readNumber(block, 100, 8) & 0o7777,
    size: readNumber(block, 124, 12),
    linkName: readText(block, 157, 100),
  };
}

/**
 * The records of a PAX header: `<length> <key>=<value>\n`, the length counting itself.
 * @throws TarFormatError
 */
export function decodePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : bytes.toString("latin1", at, space);
    const end = /^[1-9][0-9]{0,8}$/.test(digits) ? at + Number(digits) : Number.NaN;
    const equals = bytes.indexOf(0x3d, space);
    if (!(end <= bytes.length && equals > space && equals < end && bytes[end - 1] === 0x0a)) {
      throw new TarFormatError("an extended header has a malformed record");
    }
    records.set(bytes.toString("utf8", space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** The header, preceded by an extended (PAX) header if the plain one can't hold it all. */
export function encodeHeader(header: TarHeader, owner: TarOwner): Buffer {
  const pax = new Map<string, Buffer | number>();
  if (header.name.length > 100 || !isAscii(header.name)) pax.set("path", header.name);
  if (header.linkName.length > 100 || !isAscii(header.linkName)) {
    pax.set("linkpath", header.linkName);
  }
  if (header.size > MAX_SIZE) pax.set("size", header.size);
  if (owner.uid > MAX_ID) pax.set("uid", owner.uid);
  if (owner.gid > MAX_ID) pax.set("gid", owner.gid);
  const plain = encodeBlock(header, owner);
  if (pax.size === 0) return plain;
  const records = Buffer.concat([...pax].map(([key, value]) => encodeRecord(key, value)));
  const extended = { ...header, type: "x", mode: 0o644, size: records.length };
  const named = { ...extended, name: Buffer.from("PaxHeader"), linkName: Buffer.alloc(0) };
  return Buffer.concat([encodeBlock(named, owner), records, padding(records.length), plain]);
}

/** The zeros after a content of `size` bytes. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

const SLASH = Buffer.from("/");
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

function readText(block: Buffer, at: number, length: number): Buffer {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function readNumber(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) return readBinary(block.subarray(at, at + length));
  const field = block.toString("latin1", at, at + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(field)?.[1];
  if (digits === undefined) throw new TarFormatError("a header has a malformed number");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** GNU's form for what octal digits can't hold: 0x80, then the number, most significant byte first. */
function readBinary(field: Buffer): number {
  let value = (field[0] ?? 0) & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new TarFormatError("a header has too large a number");
  return value;
}

/** The sum of all bytes, the checksum's own field counted as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) {
    if (at < 148 || at >= 156) sum += block[at] ?? 0;
  }
  return sum;
}

function encodeBlock(header: TarHeader, owner: TarOwner): Buffer {
  const block = Buffer.alloc(BLOCK);
  header.name.copy(block, 0, 0, 100);
  writeOctal(block, header.mode & 0o7777, 100, 8);
  writeOctal(block, Math.min(owner.uid, MAX_ID), 108, 8);
  writeOctal(block, Math.min(owner.gid, MAX_ID), 116, 8);
  writeOctal(block, Math.min(header.size, MAX_SIZE), 124, 12);
  writeOctal(block, Math.max(0, Math.floor(owner.mtime.getTime() / 1000)), 136, 12);
  block.write(header.type, 156, "latin1");
  header.linkName.copy(block, 157, 0, 100);
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, checksum(block), 148, 8);
  return block;
}

/** Digits and a closing NUL fill the field. */
function writeOctal(block: Buffer, value: number, at: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "latin1");
}

function encodeRecord(key: string, value: Buffer | number): Buffer {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value));
  const body = Buffer.concat([Buffer.from(` ${key}=`), bytes, Buffer.from("\n")]);
  let length = body.length;
  while (String(length).length + body.length !== length) {
    length = String(length).length + body.length;
  }
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}
