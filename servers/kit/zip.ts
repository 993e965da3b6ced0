import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { ToolError } from "./tool-error.ts";

/** What an archive is, to those who are told of it, and how much of it is taken in. */
export interface ZipKind {
  /** "workbook". */
  readonly what: string;
  readonly entries: number;
  /** All parts together, inflated. */
  readonly packageBytes: number;
  /** One part, inflated. */
  readonly partBytes: number;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  /** Time and date as MS-DOS says them. */
  readonly time: number;
  /** As it lies in the file. */
  readonly packed: Buffer;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** 1980-01-01 00:00, the first time that a zip can say: the same parts are the same bytes. */
const DOS_TIME = 0x210000;

/**
 * A zip archive in memory. What is not replaced keeps its packed bytes. Only the central directory
 * is believed, sizes are bounded before and while inflating.
 */
export class Zip {
  readonly #kind: ZipKind;
  readonly #entries = new Map<string, Entry>();

  /** An empty one. */
  constructor(kind: ZipKind) {
    this.#kind = kind;
  }

  /** @throws Error with the reason, for what is no sound zip archive, or beyond the bounds. */
  static open(bytes: Buffer, kind: ZipKind): Zip {
    const zip = new Zip(kind);
    for (const entry of centralEntries(bytes, kind)) {
      if (zip.#entries.has(entry.name)) throw new Error(`two parts are named ${entry.name}`);
      zip.#entries.set(entry.name, entry);
    }
    return zip;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Of all parts, unpacked. */
  get inflatedBytes(): number {
    let sum = 0;
    for (const { size } of this.#entries.values()) sum += size;
    return sum;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** One part, inflated. @throws ToolError if it is not there, damaged, or too large. */
  read(name: string, maxBytes: number = this.#kind.partBytes): Buffer {
    const { what } = this.#kind;
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new ToolError(`The ${what} lacks its part ${name}.`);
    if (entry.size > maxBytes) throw tooLarge(entry, maxBytes);
    let bytes: Buffer;
    try {
      const most = { maxOutputLength: Math.max(entry.size, 1) };
      bytes = entry.method === 0 ? entry.packed : inflateRawSync(entry.packed, most);
    } catch (cause) {
      throw new ToolError(`The ${what}'s part ${name} is damaged.`, { cause });
    }
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
      throw new ToolError(`The ${what}'s part ${name} is damaged: its checksum is wrong.`);
    }
    return bytes;
  }

  set(name: string, bytes: Buffer): void {
    const time = this.#entries.get(name)?.time ?? DOS_TIME;
    const [packed, size] = [deflateRawSync(bytes, { level: 6 }), bytes.length];
    this.#entries.set(name, { name, method: 8, crc: crc32(bytes), size, time, packed });
  }

  copy(from: string, to: string): void {
    const entry = this.#entries.get(from);
    if (entry !== undefined) this.#entries.set(to, { ...entry, name: to });
  }

  remove(name: string): void {
    this.#entries.delete(name);
  }

  toBuffer(): Buffer {
    const parts: Buffer[] = [];
    const directory: Buffer[] = [];
    let offset = 0;
    for (const entry of this.#entries.values()) {
      const name = Buffer.from(entry.name);
      const facts = header(entry, name.length);
      const local = Buffer.concat([int32(LOCAL), facts, name]);
      directory.push(int32(CENTRAL), Buffer.from([20, 0]), facts, tail(offset), name);
      parts.push(local, entry.packed);
      offset += local.length + entry.packed.length;
    }
    const central = Buffer.concat(directory);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(END, 0);
    end.writeUInt16LE(this.#entries.size, 8);
    end.writeUInt16LE(this.#entries.size, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...parts, central, end]);
  }
}

function centralEntries(bytes: Buffer, kind: ZipKind): Entry[] {
  const end = bytes.lastIndexOf(int32(END));
  if (end < 0 || end + 22 > bytes.length) throw new Error("it is not a zip archive, or cut short");
  const count = bytes.readUInt16LE(end + 10);
  if (count > kind.entries) throw new Error(`it has ${count} parts, over ${kind.entries}`);
  let at = bytes.readUInt32LE(end + 16);
  let total = 0;
  const entries: Entry[] = [];
  for (let n = 0; n < count; n++) {
    if (at + 46 > end || bytes.readUInt32LE(at) !== CENTRAL) throw new Error("its list is damaged");
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const entry = centralEntry(bytes, at, nameLength, extraLength);
    if (!entry.name.endsWith("/")) entries.push(entry);
    total += entry.size;
    if (total > kind.packageBytes) {
      throw new Error(`it unpacks to more than ${mib(kind.packageBytes)} MiB`);
    }
    at += 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function centralEntry(bytes: Buffer, at: number, nameLength: number, extraLength: number): Entry {
  const flags = bytes.readUInt16LE(at + 8);
  const method = bytes.readUInt16LE(at + 10);
  // Some writers use backslashes, which no reader takes for part of a name.
  const name = bytes.toString("utf8", at + 46, at + 46 + nameLength).replaceAll("\\", "/");
  const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
  const sizes = [24, 20, 42].map((field) => bytes.readUInt32LE(at + field));
  const [size = 0, packedSize = 0, offset = 0] = withZip64(sizes, extra);
  if ((flags & 1) !== 0) throw new Error("it is encrypted");
  if (method !== 0 && method !== 8) throw new Error(`${name} is packed in an unusual way`);
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== LOCAL) {
    throw new Error(`${name} is not where the list says`);
  }
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  const packed = bytes.subarray(start, start + packedSize);
  if (packed.length !== packedSize) throw new Error(`${name} is cut short`);
  if (method === 0 && size !== packedSize) throw new Error(`${name} states a wrong size`);
  const [time, crc] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16)];
  return { name, method, crc, size, time, packed };
}

/** The 64-bit values of those fields that say "see there". */
function withZip64(fields: readonly number[], extra: Buffer): number[] {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) {
    at += 4 + extra.readUInt16LE(at + 2);
  }
  let next = at + 4;
  return fields.map((field) => {
    if (field !== 0xffffffff) return field;
    if (next + 8 > extra.length) throw new Error("it states no size");
    next += 8;
    return Number(extra.readBigUInt64LE(next - 8));
  });
}

function tooLarge({ name, size }: Entry, most: number): ToolError {
  return new ToolError(
    `The part ${name} unpacks to ${mib(size)} MiB; these tools take up to ${mib(most)} MiB. ` +
      "Work on it with a program in the terminal, or split it.",
  );
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What a local header and an entry of the directory have in common. */
function header({ method, crc, size, time, packed }: Entry, nameLength: number): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(0x800, 2); // Names are UTF-8.
  bytes.writeUInt16LE(method, 4);
  bytes.writeUInt32LE(time, 6);
  bytes.writeUInt32LE(crc, 10);
  bytes.writeUInt32LE(packed.length, 14);
  bytes.writeUInt32LE(size, 18);
  bytes.writeUInt16LE(nameLength, 22);
  return bytes;
}

function tail(offset: number): Buffer {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt32LE(offset, 10);
  return bytes;
}
