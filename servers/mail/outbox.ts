import { manyLines, oneLine } from "../kit/people/words.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Session } from "./access.ts";
import { deliver, deliverRaw, messageId } from "./deliver.ts";
import { type Letter, type LetterFile, rawLetter } from "./letter.ts";
import { idOf } from "./mailbox.ts";
import { addressesOf, everyone, type Recipients } from "./recipients.ts";

export interface Draft {
  readonly recipients: Recipients;
  readonly subject: string;
  readonly body: string;
  readonly files: readonly LetterFile[];
  /** The Message-IDs of the messages that it answers, the last of them directly. */
  readonly thread?: readonly string[] | undefined;
}

const MOST_FILES = 20;
const MOST_BYTES = 20 * 1024 * 1024;

/** Files of the workspace as attachments, bounded. */
export async function filesOf({ world }: Session, paths: readonly string[]): Promise<LetterFile[]> {
  if (paths.length > MOST_FILES)
    throw new ToolError(`A message takes ${MOST_FILES} attachments at the most.`);
  const files: LetterFile[] = [];
  let left = MOST_BYTES;
  for (const asked of paths) {
    const { path, bytes } = await world.workspace.read(asked, { maxBytes: MOST_BYTES });
    left -= bytes.length;
    if (left < 0) {
      throw new ToolError(
        `The attachments have more than ${MOST_BYTES / 1024 / 1024} MiB together. Attach fewer, or compress them.`,
      );
    }
    files.push({ name: path.slice(path.lastIndexOf("/") + 1).toWellFormed(), content: bytes });
  }
  return files;
}

/** The letter of a draft, with now as its date. Throws `ToolError` for what can't stand in it. */
async function letterOf({ world, people }: Session, draft: Draft): Promise<Letter> {
  const { recipients, files, thread = [] } = draft;
  const subject = oneLine("subject", draft.subject);
  const text = manyLines(draft.body);
  const names = everyone(recipients).map(({ email }) => email);
  return {
    from: { name: people.me.name, address: people.me.email },
    to: addressesOf(recipients.to),
    cc: addressesOf(recipients.cc),
    bcc: addressesOf(recipients.bcc),
    ...{ subject, text, files, date: new Date() },
    messageId: await messageId(world, people.me, [subject, text, ...names]),
    ...(thread.length === 0 ? {} : { inReplyTo: thread.at(-1), references: thread.slice(-50) }),
  };
}

/** Delivers to everyone and keeps a copy in Sent; its id there. */
export async function send(session: Session, draft: Draft): Promise<string> {
  const all = everyone(draft.recipients);
  if (all.length === 0)
    throw new ToolError("There is no recipient. Give at least one address in to.");
  const letter = await letterOf(session, draft);
  const kept = await deliver(session.world, letter, all);
  const sent = await session.maildir.folder("Sent");
  return idOf(await session.maildir.add(sent, kept, "S"));
}

/** Keeps it in Drafts; its id there. */
export async function keep(session: Session, draft: Draft): Promise<string> {
  const raw = await rawLetter(await letterOf(session, draft), { showBcc: true });
  const drafts = await session.maildir.folder("Drafts");
  return idOf(await session.maildir.add(drafts, raw, "DS"));
}

/**
 * Delivers a draft as it lies there, whatever its parts are: from the user, dated now, without its
 * blind copies' names but in the sender's own copy.
 */
export async function sendRaw(
  session: Session,
  raw: Buffer,
  recipients: Recipients,
): Promise<string> {
  const all = everyone(recipients);
  if (all.length === 0)
    throw new ToolError("The draft has no recipient. Give it one with save_draft.");
  const { people, world, maildir } = session;
  const number = await messageId(world, people.me, [raw.toString("latin1")]);
  const { from, date, id } = await freshHead(session, number);
  const head = (names: readonly string[], more: string) =>
    rawWithout(raw, names, `${from}${date}${id}${more}`);
  const own = ["from", "sender", "date", "message-id"];
  await deliverRaw(world, head([...own, "bcc"], ""), all);
  const sent = await maildir.folder("Sent");
  return idOf(await maildir.add(sent, head(own, ""), "S"));
}

/** The lines that say who, when and which, as our own letters have them. */
async function freshHead({ people }: Session, id: string) {
  const nobody = { to: [], cc: [], bcc: [], files: [], subject: "", text: "" };
  const from = { name: people.me.name, address: people.me.email };
  const letter = { ...nobody, from, date: new Date(), messageId: id };
  const lines = (await rawLetter(letter, { showBcc: false })).toString("utf8");
  const line = (name: string) =>
    new RegExp(`^${name}: .*\\r\\n(?:[ \\t].*\\r\\n)*`, "m").exec(lines)?.[0] ?? "";
  return { from: line("From"), date: line("Date"), id: line("Message-ID") };
}

/** The message without these headers, and with others before. */
function rawWithout(raw: Buffer, names: readonly string[], before: string): Buffer {
  const text = raw.toString("latin1");
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index + 1);
  const kept = head
    .split(/\r?\n(?![ \t])/)
    .filter(
      (line) =>
        line !== "" && !names.includes(line.slice(0, line.indexOf(":")).trim().toLowerCase()),
    );
  const body = end === null ? "" : text.slice(end.index + end[0].length);
  return Buffer.from(`${before}${kept.map((line) => `${line}\r\n`).join("")}\r\n${body}`, "latin1");
}
