import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { Readable } from "node:stream";

/** One file of a build context. Same files, same order, same bytes: times and owners are zero. */
export interface ContextFile {
  /** Relative, with "/", at most 100 bytes. */
  readonly path: string;
  /** The bytes, or where they lie on this machine. */
  readonly content: Uint8Array | { readonly file: string };
  /** Default false: mode 0644; true: 0755. */
  readonly executable?: boolean;
}

const BLOCK = 512;

/** A tar stream (ustar) of the files, as an engine's image build wants it. */
export function contextArchive(files: readonly ContextFile[]): Readable {
  return Readable.from(archiveChunks(files), { objectMode: false });
}

/** The files below `folder` that git would keep, under `prefix`, sorted; Python's caches left out. */
export function folderFiles(folder: string, prefix: string): ContextFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("__pycache__") && !file.endsWith(".pyc"))
    .map((file) => file.slice(folder.length + 1).replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path: posix.join(prefix, path), content: readFileSync(join(folder, path)) }));
}

async function* archiveChunks(files: readonly ContextFile[]): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    const { content } = file;
    const size = content instanceof Uint8Array ? content.length : statSync(content.file).size;
    yield header(file, size);
    if (content instanceof Uint8Array) yield content;
    else yield* exactly(size, content.file);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* exactly(size: number, file: string): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of createReadStream(file)) {
    read += (chunk as Buffer).length;
    yield chunk as Buffer;
  }
  if (read !== size) throw new Error(`${file} changed while it was read for an image`);
}

/** POSIX.1-1988 with the checksum of 1-byte sums; the only fields an engine looks at. */
function header(file: ContextFile, size: number): Buffer {
  if (Buffer.byteLength(file.path) > 100) throw new Error(`${file.path}: longer than 100 bytes`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  block.write(file.path, 0);
  block.write(octal(file.executable ? 0o755 : 0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}
