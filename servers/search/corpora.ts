import { lstat, readdir, readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import * as z from "zod";
import { ToolError } from "../kit/tool-error.ts";
import type { Problem } from "./corpus-files.ts";
import type { CorpusIndex } from "./corpus-index.ts";
import { byCode } from "./fields.ts";
import { fieldName } from "./front-matter.ts";

/** One collection of documents, ready to be searched. */
export interface Corpus {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What the corpus says of its fields, by name; not every field needs to be there. */
  readonly fieldNotes: Readonly<Record<string, string>>;
  readonly index: CorpusIndex;
  /** What could not be read. */
  readonly problems: readonly Problem[];
}

const CORPUS_FILE = z.object({
  title: z.string().max(300).optional(),
  description: z.string().max(2000).optional(),
  fields: z.union([z.record(z.string(), z.string()), z.array(z.string())]).optional(),
});

const MOST_PROBLEMS = 20;
const BETWEEN_BREATHS = 100;

/** The corpora in a folder, each read when it is first asked for and then kept. */
export class Corpora {
  readonly #folder: () => Promise<string>;
  readonly #open = new Map<string, Promise<Corpus>>();

  constructor(folder: () => Promise<string>) {
    this.#folder = folder;
  }

  async ids(): Promise<readonly string[]> {
    const entries = await readdir(await this.#folder(), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    return folders.map(({ name }) => name).sort(byCode);
  }

  /** The one that was asked for, or the only one. Throws `ToolError` otherwise. */
  async corpus(asked: string | undefined): Promise<Corpus> {
    const ids = await this.ids();
    if (ids.length === 0) throw new ToolError("There is no corpus here: nothing can be searched.");
    const known = ids.join(", ");
    const id = asked ?? (ids.length === 1 ? ids[0] : undefined);
    if (id === undefined) {
      throw new ToolError(`There are ${ids.length} corpora: ${known}. Say which with "corpus".`);
    }
    if (!ids.includes(id)) throw new ToolError(`There is no corpus "${id}". There are: ${known}.`);
    const opened = this.#open.get(id) ?? this.#read(id);
    this.#open.set(id, opened);
    opened.catch(() => this.#open.delete(id));
    return await opened;
  }

  async #read(id: string): Promise<Corpus> {
    const folder = `${await this.#folder()}/${id}`;
    // What reads documents is heavy, and not needed to say which corpora there are.
    const { corpusDocuments } = await import("./corpus-files.ts");
    const { CorpusIndex } = await import("./corpus-index.ts");
    const problems: Problem[] = [];
    const index = new CorpusIndex();
    for await (const document of corpusDocuments(folder, (each) => problems.push(each))) {
      index.add(document);
      if (index.size % BETWEEN_BREATHS === 0) await setImmediate();
    }
    index.finish();
    const said = await corpusFile(folder, problems);
    const { fields = {}, title = id, description = "" } = said;
    const notes = Array.isArray(fields)
      ? {}
      : Object.fromEntries(Object.entries(fields).map(([name, note]) => [fieldName(name), note]));
    const more = problems.length - MOST_PROBLEMS;
    const told = problems.slice(0, MOST_PROBLEMS);
    if (more > 0) told.push(`… and ${more} more files were left out.`);
    return { id, title, description, fieldNotes: notes, index, problems: told };
  }
}

async function corpusFile(
  folder: string,
  problems: Problem[],
): Promise<z.output<typeof CORPUS_FILE>> {
  const path = `${folder}/corpus.json`;
  const there = await lstat(path).catch(() => undefined);
  if (!there?.isFile()) return {};
  try {
    return CORPUS_FILE.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    problems.push(`corpus.json was left out: ${why}`);
    return {};
  }
}
