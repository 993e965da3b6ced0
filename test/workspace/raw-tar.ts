import { Readable } from "node:stream";

export interface RawEntry {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly mode?: number;
  readonly linkName?: string | Buffer;
  readonly content?: Buffer;
  /** What the header says, if it isn't the content's length. */
  readonly size?: number;
  /** Records of a PAX header before it. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
}

/** A tar archive written here byte by byte, so that it can say what no tar program would. */
export function rawTar(entries: readonly RawEntry[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...entries.map(rawEntry), end]);
}

export function rawEntry(entry: RawEntry): Buffer {
  const { content = Buffer.alloc(0), pax } = entry;
  const before = pax ? [rawEntry({ name: "pax", type: "x", content: records(pax) })] : [];
  return Buffer.concat([...before, header(entry), content, padding(content.length)]);
}

/** The bytes as a stream in pieces of `piece` bytes. */
export function streamed(bytes: Buffer, piece = 4096): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
  return Readable.from(pieces, { objectMode: false });
}

/** Writes the checksum that the block's other bytes have. */
export function sign(block: Buffer): void {
  block.fill(" ", 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

function header({
  name,
  type = "0",
  mode = 0o644,
  linkName = "",
  content,
  size,
}: RawEntry): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block, 0, 0, 100);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100, "latin1");
  block.write("0000000\x000000000\0", 108, "latin1");
  const bytes = size ?? content?.length ?? 0;
  block.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write("00000000000\0", 136, "latin1");
  block.write(type, 156, "latin1");
  Buffer.from(linkName).copy(block, 157, 0, 100);
  block.write("ustar\x0000", 257, "latin1");
  sign(block);
  return block;
}

function records(pax: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(pax).map(([key, value]) => {
      const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
      const digits = [1, 2, 3, 4, 5].find((n) => String(body.length + n).length === n) ?? 0;
      return Buffer.concat([Buffer.from(String(body.length + digits)), body]);
    }),
  );
}

function padding(length: number): Buffer {
  return Buffer.alloc((512 - (length % 512)) % 512);
}
