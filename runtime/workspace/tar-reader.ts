import { messageOf } from "../base/fault.ts";
import { ByteSource } from "./byte-source.ts";
import { BLOCK, decodeHeader, decodePax, TarFormatError, type TarHeader } from "./tar-format.ts";

/**
 * Reads a tar stream entry by entry and vouches for its frame: it came to its end, which is two
 * empty blocks, and nothing but zeros followed. Contents are for the caller to consume; what is
 * left of one is passed over. Holds no more than a chunk of the stream and one extended header.
 *
 * Written here because the readers at hand accept a stream that was cut short between two entries
 * and turn names that are not UTF-8 into other names.
 */
export class TarReader {
  readonly #source: ByteSource;
  #left = 0;
  #padding = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#source = new ByteSource(stream);
  }

  /**
   * The next entry's header, its name and size taken from extended headers where there are some;
   * undefined at the proper end.
   * @throws TarFormatError, or what the stream fails with
   */
  async next(): Promise<TarHeader | undefined> {
    await this.#source.skip(this.#left + this.#padding);
    this.#left = 0;
    const extended: Extended = {};
    for (;;) {
      const block = await this.#source.take(BLOCK);
      if (isEmpty(block)) {
        if (Object.keys(extended).length > 0) {
          throw new TarFormatError("an extended header has no entry after it");
        }
        await this.#end();
        return undefined;
      }
      const header = decodeHeader(block);
      if (!EXTENDED.has(header.type)) return this.#open(apply(extended, header));
      await this.#extend(extended, header);
    }
  }

  /** The content of the entry, whole; only for what the caller knows to be small. */
  async bytes(): Promise<Buffer> {
    const bytes = await this.#source.take(this.#left);
    this.#left = 0;
    return bytes;
  }

  /** The content of the entry in chunks. */
  async *chunks(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const chunk = await this.#source.some(this.#left);
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  #open(header: TarHeader): TarHeader {
    if (!/^[0-7]$/.test(header.type)) {
      throw new TarFormatError(
        `an entry is of the unsupported type ${JSON.stringify(header.type)}`,
      );
    }
    const isFile = header.type === "0" || header.type === "7";
    if (!isFile && header.size !== 0) {
      throw new TarFormatError("an entry that is no file has content");
    }
    this.#left = header.size;
    this.#padding = (BLOCK - (header.size % BLOCK)) % BLOCK;
    return header;
  }

  async #extend(extended: Extended, header: TarHeader): Promise<void> {
    if (header.size > MAX_EXTENDED) throw new TarFormatError("an extended header is too large");
    const content = await this.#source.take(header.size);
    await this.#source.skip((BLOCK - (header.size % BLOCK)) % BLOCK);
    const field = EXTENDED.get(header.type);
    if (field === undefined || extended[field] !== undefined) {
      throw new TarFormatError("an entry has two extended headers of one kind");
    }
    if (field === "pax") extended.pax = decodePax(content);
    else extended[field] = content.subarray(0, untilNul(content));
  }

  async #end(): Promise<void> {
    if (!isEmpty(await this.#source.take(BLOCK))) {
      throw new TarFormatError("only one of the two empty blocks at the end is there");
    }
    for (let passed = 0; ; passed += BLOCK) {
      const chunk = await this.#source.someOrEnd(BLOCK);
      if (chunk === undefined) return;
      if (!isEmpty(chunk) || passed > MAX_TRAILER) {
        throw new TarFormatError("something follows the end of the archive");
      }
    }
  }
}

interface Extended {
  pax?: Map<string, Buffer>;
  longName?: Buffer;
  longLink?: Buffer;
}

const EXTENDED: ReadonlyMap<string, keyof Extended> = new Map([
  ["x", "pax"],
  ["L", "longName"],
  ["K", "longLink"],
] as const);
const MAX_EXTENDED = 1024 * 1024;
const MAX_TRAILER = 1024 * 1024;
const EMPTY = Buffer.alloc(BLOCK);

function apply(extended: Extended, header: TarHeader): TarHeader {
  const { pax, longName, longLink } = extended;
  for (const key of pax?.keys() ?? []) {
    if (key.startsWith("GNU.sparse.")) {
      throw new TarFormatError("an entry is stored as a GNU sparse file");
    }
  }
  return {
    ...header,
    name: present(pax?.get("path")) ?? longName ?? header.name,
    linkName: present(pax?.get("linkpath")) ?? longLink ?? header.linkName,
    size: sizeOf(pax?.get("size")) ?? header.size,
  };
}

/** An empty value takes an earlier record back. */
function present(value: Buffer | undefined): Buffer | undefined {
  return value?.length ? value : undefined;
}

function sizeOf(value: Buffer | undefined): number | undefined {
  const digits = present(value)?.toString("latin1");
  if (digits === undefined) return undefined;
  const size = /^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(size))
    throw new TarFormatError("an extended header's size is no number");
  return size;
}

function untilNul(content: Buffer): number {
  const nul = content.indexOf(0);
  return nul < 0 ? content.length : nul;
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.equals(bytes.length === BLOCK ? EMPTY : EMPTY.subarray(0, bytes.length));
}

/** What a failure of `next`, `bytes` or `chunks` says about the stream. */
export function archiveProblem(error: unknown): string {
  return error instanceof TarFormatError ? error.message : `the stream failed: ${messageOf(error)}`;
}
