import * as z from "zod";
import type { Zone } from "../calendar/zones.ts";
import { counted, cut, inLine } from "../kit/people/words.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { MailAccess, Session } from "./access.ts";
import type { MailEntry } from "./mailbox.ts";
import { readMessage, written } from "./message.ts";
import { parseQuery, readAsText } from "./query.ts";
import { shownDate } from "./tools-message.ts";

const FOLDER = z.string().max(200).describe("Mail folder, e.g. INBOX or Projects/Budget");
const PAGE = {
  limit: z.number().int().min(1).max(100).default(20),
  offset: z.number().int().min(0).max(1_000_000).default(0),
};
const ROW = z.object({
  id: z.string(),
  thread_id: z.string(),
  folder: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  date: z.string().optional(),
  unread: z.boolean(),
  flagged: z.boolean(),
  replied: z.boolean(),
  attachments: z.number(),
  snippet: z.string(),
  thread_messages: z.number().optional(),
});
const ROWS = z.object({
  total: z.number(),
  messages: z.array(ROW),
  next_offset: z.number().optional(),
});

export function readTools(access: MailAccess): Tool[] {
  return [listFolders(access), listMessages(access), searchMail(access)];
}

function listFolders(access: MailAccess): Tool {
  return tool({
    name: "list_mail_folders",
    title: "List mail folders",
    description:
      "Lists the folders of the user's mailbox with how many messages each holds and how many are unread.",
    input: z.object({}),
    output: z.object({
      address: z.string(),
      folders: z.array(z.object({ folder: z.string(), messages: z.number(), unread: z.number() })),
    }),
    hints: { readOnly: true },
    run: async () => {
      return await access.run(async ({ maildir, people }) => {
        const folders = [];
        for (const folder of await maildir.folders()) {
          const files = await maildir.files(folder);
          const unread = files.filter(({ flags }) => !flags.includes("S")).length;
          folders.push({ folder: inLine(folder.name), messages: files.length, unread });
        }
        const address = `${people.me.name} <${people.me.email}>`;
        const lines = folders.map(
          (one) => `${one.folder}: ${counted(one.messages, "message")}, ${one.unread} unread`,
        );
        return { text: [`Mailbox of ${address}`, ...lines].join("\n"), data: { address, folders } };
      });
    },
  });
}

function listMessages(access: MailAccess): Tool {
  return tool({
    name: "list_messages",
    title: "List messages",
    description:
      "Lists messages of a mail folder, newest first, or all messages of one thread (from every folder, oldest first). " +
      "With by_thread each conversation is one row.",
    input: z.object({
      folder: FOLDER.default("INBOX"),
      thread_id: z.string().max(60).optional().describe("List this thread instead of a folder"),
      unread_only: z.boolean().default(false),
      by_thread: z.boolean().default(false),
      ...PAGE,
    }),
    output: ROWS,
    hints: { readOnly: true },
    run: async (input) => {
      return await access.run(async (session) => {
        const all = await session.mailbox.entries(session.maildir);
        const thread = input.thread_id?.trim();
        if (thread !== undefined) {
          const found = all.filter(({ threadId }) => threadId === thread).toReversed();
          if (found.length === 0)
            throw new ToolError(
              `There is no thread ${JSON.stringify(thread)}. Use a thread_id from list_messages.`,
            );
          return page(found, input, session, `Thread ${thread}`);
        }
        const { directory, name } = await session.maildir.folder(input.folder);
        const inFolder = all.filter(({ file }) => file.folder.directory === directory);
        const wanted = inFolder.filter(
          ({ file }) => !(input.unread_only && file.flags.includes("S")),
        );
        const sizes = new Map<string, number>();
        for (const { threadId } of all) sizes.set(threadId, (sizes.get(threadId) ?? 0) + 1);
        const seen = new Set<string>();
        const rows = input.by_thread
          ? wanted.filter(({ threadId }) => !seen.has(threadId) && seen.add(threadId))
          : wanted;
        return page(rows, input, session, inLine(name), input.by_thread ? sizes : undefined);
      });
    },
  });
}

function searchMail(access: MailAccess): Tool {
  return tool({
    name: "search_mail",
    title: "Search mail",
    description:
      "Searches all folders of the user's mailbox, newest first. Words must all occur; operators: from: to: cc: subject: body: in:Sent " +
      "filename: has:attachment is:unread is:flagged after:2026-03-01 (that day included) before:2026-03-05 (not included) " +
      'date:2026-03-03 larger:2M smaller:, "exact words", -not, a OR b.',
    input: z.object({
      query: z
        .string()
        .min(1)
        .max(1_000)
        .describe('E.g. from:ben subject:"quarterly report" has:attachment'),
      ...PAGE,
    }),
    output: ROWS,
    hints: { readOnly: true },
    run: async (input, { signal }) => {
      return await access.run(async (session) => {
        const conditions = parseQuery(input.query, session.zone);
        const found: MailEntry[] = [];
        for (const entry of await session.mailbox.entries(session.maildir)) {
          signal.throwIfAborted();
          if (await fits(entry, conditions, session)) found.push(entry);
        }
        const answer = page(found, input, session, "Search");
        const words = found.length > 0 ? [] : readAsText(input.query);
        if (words.length === 0) return answer;
        const hint = `${words.join(" ")} is no operator here and was looked for as text.`;
        return { ...answer, text: `${answer.text}\n${hint}` };
      });
    },
  });
}

async function fits(
  entry: MailEntry,
  conditions: ReturnType<typeof parseQuery>,
  { maildir }: Session,
): Promise<boolean> {
  const text = async () => {
    const { text: kept, isWhole } = entry.summary;
    return isWhole ? kept : (await readMessage(maildir.read(entry.file))).text;
  };
  const source = { text, bytes: () => maildir.size(entry.file) };
  for (const condition of conditions) if (!(await condition(entry, source))) return false;
  return true;
}

function page(
  all: readonly MailEntry[],
  { limit, offset }: { readonly limit: number; readonly offset: number },
  { zone }: Session,
  what: string,
  sizes?: ReadonlyMap<string, number>,
) {
  const shown = all.slice(offset, offset + limit).map((entry) => rowOf(entry, zone, sizes));
  const next = offset + shown.length < all.length ? offset + shown.length : undefined;
  const lines = shown.map((row) => {
    const notes = [
      row.unread ? "unread" : "",
      row.flagged ? "flagged" : "",
      row.replied ? "replied" : "",
      row.attachments > 0 ? counted(row.attachments, "attachment") : "",
      row.thread_messages === undefined
        ? ""
        : `${counted(row.thread_messages, "message")} in thread`,
    ].filter(Boolean);
    const note = notes.length === 0 ? "" : ` (${notes.join(", ")})`;
    return `${row.id}  ${row.date ?? "no date"}  ${row.folder}  ${row.from}: ${row.subject}${note}  thread ${row.thread_id}\n    ${row.snippet}`;
  });
  const head = `${what}: ${counted(all.length, sizes === undefined ? "message" : "thread")}.`;
  const more = next === undefined ? [] : [`More with offset ${next}.`];
  const data = {
    total: all.length,
    messages: shown,
    ...(next === undefined ? {} : { next_offset: next }),
  };
  return { text: [head, ...lines, ...more].join("\n"), data };
}

function rowOf(
  { id, threadId, file, summary }: MailEntry,
  zone: Zone,
  sizes?: ReadonlyMap<string, number>,
) {
  const size = sizes?.get(threadId);
  return {
    id,
    thread_id: threadId,
    folder: inLine(file.folder.name),
    from: summary.from === undefined ? "unknown" : cut(written(summary.from), 120),
    to: summary.to.slice(0, 5).map((one) => cut(written(one), 120)),
    subject: inLine(summary.subject, 150),
    ...(summary.date === undefined ? {} : { date: shownDate(summary.date, zone) }),
    unread: !file.flags.includes("S"),
    flagged: file.flags.includes("F"),
    replied: file.flags.includes("R"),
    attachments: summary.attachments.length,
    snippet: inLine(summary.text, 100),
    ...(size === undefined ? {} : { thread_messages: size }),
  };
}
