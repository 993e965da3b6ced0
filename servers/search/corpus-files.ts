import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { type Document, readerOf, typedFields } from "./documents.ts";
import { byCode } from "./fields.ts";

const MIB = 1024 * 1024;

/** How much of a corpus is taken; what is beyond is named among its problems. */
const CORPUS_LIMITS = {
  documents: 20_000,
  bytes: 64 * MIB,
  fileBytes: 16 * MIB,
  files: 50_000,
  depth: 16,
} as const;

const FILES_BETWEEN_BREATHS = 50;

/** Something in a corpus that could not be read, in a sentence. */
export type Problem = string;

/** All files that could be documents, in the order of their paths; links are not followed. */
async function corpusFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = await readdir(`${folder}/${below}`, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => byCode(a.name, b.name))) {
      if (found.length >= CORPUS_LIMITS.files || entry.name.startsWith(".")) continue;
      const path = `${below}${entry.name}`;
      if (entry.isDirectory() && depth < CORPUS_LIMITS.depth) await visit(`${path}/`, depth + 1);
      else if (entry.isFile() && path !== "corpus.json" && readerOf(path)) found.push(path);
    }
  };
  await visit("", 0);
  return found.sort(byCode);
}

/**
 * The documents of a corpus, file by file, in the order of their paths. A file that can't be read
 * is told to `problem` and left out; the limits end the work the same way.
 */
export async function* corpusDocuments(
  folder: string,
  problem: (sentence: Problem) => void,
): AsyncGenerator<Document> {
  const seen = new Set<string>();
  let bytes = 0;
  const paths = await corpusFiles(folder);
  for (const [at, path] of paths.entries()) {
    if (at % FILES_BETWEEN_BREATHS === 0) await setImmediate();
    const text = readable(`${folder}/${path}`, (why) => problem(`${path} was left out: ${why}`));
    if (text === undefined) continue;
    bytes += text.length;
    if (bytes > CORPUS_LIMITS.bytes) {
      problem(
        `${path} and ${paths.length - at - 1} files after it were left out: the corpus is too large.`,
      );
      return;
    }
    for (const document of documentsOf(path, text, problem)) {
      if (seen.size >= CORPUS_LIMITS.documents) {
        problem(`Only the first ${CORPUS_LIMITS.documents} documents were taken, up to ${path}.`);
        return;
      }
      const id = seen.has(document.id) ? freeId(document.id, seen) : document.id;
      seen.add(id);
      yield { ...document, id, fields: typedFields(document.fields) };
    }
  }
}

function readable(path: string, problem: (why: string) => void): string | undefined {
  try {
    return fileText(path);
  } catch (error) {
    return void problem(error instanceof Error ? error.message : String(error));
  }
}

function documentsOf(path: string, text: string, problem: (sentence: Problem) => void): Document[] {
  try {
    const documents = readerOf(path)?.(path, text) ?? [];
    if (documents.length === 0) problem(`${path} holds no document.`);
    return documents;
  } catch (error) {
    problem(`${path} was left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/**
 * UTF-8 without its mark, lines ended by LF. Throws a sentence for what is no text. Synchronous:
 * ten thousand small files take a third of the time, and the caller takes breaths between.
 */
function fileText(path: string): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fstatSync(handle);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > CORPUS_LIMITS.fileBytes) {
      throw new Error(`it has ${(found.size / MIB).toFixed(1)} MiB`);
    }
    return decoded(readFileSync(handle)).replaceAll("\r\n", "\n").replaceAll("\0", "");
  } finally {
    closeSync(handle);
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error("it is not UTF-8 text", { cause });
  }
}

function freeId(id: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${id}~${number}`)) number += 1;
  return `${id}~${number}`;
}
