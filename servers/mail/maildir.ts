import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { ToolError } from "../kit/tool-error.ts";
import { decodedName, folderKey } from "./folder-names.ts";

/** One file of a mailbox. */
export interface MailFile {
  /** Stays the same when the message is moved or flagged. */
  readonly key: string;
  readonly folder: MailFolder;
  /** new or cur. */
  readonly place: "new" | "cur";
  readonly name: string;
  /** Letters of the file's name: S seen, R replied, P passed on, F flagged, D draft, T trashed. */
  readonly flags: string;
}

export interface MailFolder {
  /** As shown: INBOX, Sent, Projects/2026. */
  readonly name: string;
  /** Its directory in the mailbox: "" for the inbox, ".Sent", ".Projects.2026". */
  readonly directory: string;
}

export const INBOX: MailFolder = { name: "INBOX", directory: "" };
/** There for everyone, whether they lie on disk yet or not. */
const USUAL = ["Archive", "Drafts", "Sent", "Trash"];
const MOST_FOLDERS = 500;

/** A Maildir++ mailbox on disk. It may be missing: then it is empty. */
export class Maildir {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The inbox first, then by name. */
  async folders(): Promise<MailFolder[]> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(orNone);
    const own = entries
      .filter((entry) => entry.isDirectory() && /^\.[^.]/.test(entry.name))
      .map(({ name }) => name)
      .sort()
      .slice(0, MOST_FOLDERS)
      .map((directory) => ({ name: decodedName(directory), directory }));
    const known = new Set(own.map(({ name }) => name.toLowerCase()));
    const usual = USUAL.filter((name) => !known.has(name.toLowerCase()));
    const all = [...own, ...usual.map((name) => ({ name, directory: `.${name}` }))];
    return [INBOX, ...all.sort((a, b) => (a.name < b.name ? -1 : 1))];
  }

  /** The folder of a name, however it is capitalised. Throws `ToolError` with those there are. */
  async folder(asked: string): Promise<MailFolder> {
    const all = await this.folders();
    const found = all.find(({ name }) => folderKey(name) === folderKey(asked));
    if (found !== undefined) return found;
    const names = all.map(({ name }) => name).join(", ");
    throw new ToolError(
      `There is no mail folder ${JSON.stringify(asked.slice(0, 80))}. There are ${names.slice(0, 2_000)}.`,
    );
  }

  async make(folder: MailFolder): Promise<void> {
    for (const place of ["cur", "new", "tmp"]) {
      await mkdir(this.#path(folder, place), { recursive: true, mode: 0o700 });
    }
  }

  /** By name of file, so in the order of delivery where we delivered. */
  async files(folder: MailFolder): Promise<MailFile[]> {
    const places = ["new", "cur"] as const;
    const found = await Promise.all(
      places.map(async (place) => {
        const names = await this.#list(`${folder.directory}/${place}`);
        const files = names.filter((name) => !name.startsWith("."));
        return files.map((name): MailFile => {
          const { key, flags } = partsOf(name);
          return { key, folder, place, name, flags };
        });
      }),
    );
    return found.flat().sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async allFiles(): Promise<MailFile[]> {
    const folders = await this.folders();
    return (await Promise.all(folders.map((folder) => this.files(folder)))).flat();
  }

  // Asked of hundreds of small files in a row: to wait for each costs several times the reading.
  size(file: MailFile): number {
    return statSync(this.#fileOf(file)).size;
  }

  read(file: MailFile): Buffer {
    return readFileSync(this.#fileOf(file));
  }

  /** A new message; its name comes from how many there are and from its content. */
  async add(folder: MailFolder, content: Uint8Array, flags = ""): Promise<string> {
    await this.make(folder);
    const key = `${await this.nextNumber()}.${digest(content)}`;
    const name = flags === "" ? key : `${key}:2,${flags}`;
    const draft = `${this.#path(folder, "tmp")}/${key}`;
    await writeFile(draft, content, { mode: 0o600 });
    await rename(draft, `${this.#path(folder, flags === "" ? "new" : "cur")}/${name}`);
    return key;
  }

  async move(file: MailFile, folder: MailFolder, flags = file.flags): Promise<void> {
    await this.make(folder);
    const place = file.place === "new" && flags === "" ? "new" : "cur";
    const name = place === "new" ? file.key : `${file.key}:2,${sorted(flags)}`;
    await rename(this.#fileOf(file), `${this.#path(folder, place)}/${name}`);
  }

  async setFlags(file: MailFile, flags: string): Promise<void> {
    if (sorted(flags) === file.flags && file.place === "cur") return;
    await this.make(file.folder);
    const name = `${file.key}:2,${sorted(flags)}`;
    await rename(this.#fileOf(file), `${this.#path(file.folder, "cur")}/${name}`);
  }

  async remove(file: MailFile): Promise<void> {
    await rm(this.#fileOf(file), { force: true });
  }

  /** One more than any message that we added, as digits that sort. */
  async nextNumber(): Promise<string> {
    const numbers = (await this.allFiles()).map(({ key }) =>
      Number(/^M(\d{6,9})\./.exec(key)?.[1] ?? 0),
    );
    const last = numbers.reduce((a, b) => Math.max(a, b), 0);
    return `M${String(last + 1).padStart(6, "0")}`;
  }

  #fileOf(file: MailFile): string {
    return `${this.#path(file.folder, file.place)}/${file.name}`;
  }

  #path({ directory }: MailFolder, place: string): string {
    return directory === "" ? `${this.#root}/${place}` : `${this.#root}/${directory}/${place}`;
  }

  async #list(path: string): Promise<string[]> {
    return await readdir(`${this.#root}/${path}`).catch(orNone);
  }
}

function orNone(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
  throw error;
}

/** Flags stand after ":2,"; some file systems need "!2," or ";2,". */
function partsOf(name: string): { readonly key: string; readonly flags: string } {
  const parts = /^(.*?)[:;!]2,([A-Za-z]*)$/.exec(name);
  return { key: parts?.[1] ?? name, flags: sorted(parts?.[2] ?? "") };
}

function sorted(flags: string): string {
  return [...new Set(flags)].sort().join("");
}

function digest(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}
