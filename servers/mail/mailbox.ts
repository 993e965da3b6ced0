import { createHash } from "node:crypto";
import { ToolError } from "../kit/tool-error.ts";
import type { Maildir, MailFile } from "./maildir.ts";
import { type Message, readMessage } from "./message.ts";

/** A message as lists and searches need it. */
export interface MailEntry {
  readonly id: string;
  readonly file: MailFile;
  readonly threadId: string;
  readonly summary: Summary;
}

/** What is kept in memory of each message; its file does not change. */
export interface Summary extends Omit<Message, "attachments" | "headers" | "text"> {
  /** The beginning, for search; whether it is all of it. */
  readonly text: string;
  readonly isWhole: boolean;
  readonly attachments: readonly {
    readonly name: string;
    readonly type: string;
    readonly bytes: number;
  }[];
  readonly bytes: number;
}

const TEXT_KEPT = 20_000;
const MOST_KEPT = 20_000;
/** Messages read at once: enough for disk and processor to have work, few enough for memory. */
const AT_ONCE = 8;

/** The user's mailbox: what its files say, threaded. */
export class Mailbox {
  readonly #summaries = new Map<string, Summary>();

  /** All messages, newest first; what has no date comes last. */
  async entries(maildir: Maildir): Promise<MailEntry[]> {
    const files = await maildir.allFiles();
    const ids = idsOf(files);
    const read: { readonly file: MailFile; readonly id: string; readonly summary: Summary }[] = [];
    for (let at = 0; at < files.length; at += AT_ONCE) {
      const some = files.slice(at, at + AT_ONCE);
      const summaries = some.map((file) => this.#summary(maildir, file));
      for (const [index, summary] of (await Promise.all(summaries)).entries()) {
        const file = some[index];
        if (file !== undefined) read.push({ file, id: ids[at + index] ?? "", summary });
      }
    }
    const threads = threadsOf(read);
    const entries = read.map((one) => ({ ...one, threadId: threads.get(one.id) ?? one.id }));
    return entries.sort((a, b) => {
      const [first, second] = [a.summary.date ?? -1e15, b.summary.date ?? -1e15];
      return second - first || (a.file.key < b.file.key ? 1 : -1);
    });
  }

  /** The message of an id. Throws `ToolError` if there is none. */
  async find(maildir: Maildir, id: string): Promise<{ file: MailFile; message: Message }> {
    const [file] = await this.files(maildir, [id.trim()]);
    if (file === undefined) throw new Error("one id, no file");
    return { file, message: await readMessage(maildir.read(file)) };
  }

  /** The files of these ids. Throws `ToolError` if one is unknown. */
  async files(maildir: Maildir, wanted: readonly string[]): Promise<MailFile[]> {
    const files = await maildir.allFiles();
    const ids = idsOf(files);
    return wanted.map((id) => {
      const file = files[ids.indexOf(id)];
      if (file !== undefined) return file;
      throw new ToolError(
        `There is no message with the id ${JSON.stringify(id.slice(0, 60))}. Use an id from list_messages or search_mail.`,
      );
    });
  }

  async #summary(maildir: Maildir, file: MailFile): Promise<Summary> {
    const bytes = maildir.size(file);
    const key = `${file.key} ${bytes}`;
    const found = this.#summaries.get(key);
    if (found !== undefined) return found;
    const { headers: _, text, attachments, ...rest } = await readMessage(maildir.read(file));
    const summary: Summary = {
      ...rest,
      text: text.slice(0, TEXT_KEPT),
      isWhole: text.length <= TEXT_KEPT,
      attachments: attachments.map(({ name, type, content }) => ({
        name,
        type,
        bytes: content.length,
      })),
      bytes,
    };
    if (this.#summaries.size >= MOST_KEPT) this.#summaries.clear();
    this.#summaries.set(key, summary);
    return summary;
  }
}

/** Ids that stay when messages are moved; where two files have one name, their folders differ. */
function idsOf(files: readonly MailFile[]): string[] {
  const seen = new Set<string>();
  return files.map(({ key, folder }) => {
    const short = idOf(key);
    const id = seen.has(short) ? idOf(`${folder.directory}/${key}`) : short;
    seen.add(id);
    return id;
  });
}

export function idOf(key: string): string {
  return `m${createHash("sha256").update(key).digest("hex").slice(0, 10)}`;
}

interface Read {
  readonly id: string;
  readonly file: MailFile;
  readonly summary: Summary;
}

/** Messages that answer each other are one thread, named after its first. */
function threadsOf(all: readonly Read[]): Map<string, string> {
  const parent = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    parent.set(name, at);
    return at;
  };
  for (const { id, summary } of all) {
    for (const name of [summary.messageId, ...summary.references]) {
      if (name !== "") parent.set(root(name), root(`id:${id}`));
    }
  }
  const first = new Map<string, Read>();
  for (const one of all) {
    const name = root(`id:${one.id}`);
    const known = first.get(name);
    if (known === undefined || isEarlier(one, known)) first.set(name, one);
  }
  return new Map(all.map(({ id }) => [id, `t${(first.get(root(`id:${id}`))?.id ?? id).slice(1)}`]));
}

function isEarlier(a: Read, b: Read): boolean {
  const [first, second] = [a.summary.date ?? 1e15, b.summary.date ?? 1e15];
  return first === second ? a.file.key < b.file.key : first < second;
}
