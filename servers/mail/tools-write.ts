import * as z from "zod";
import type { People } from "../kit/people/people.ts";
import { inLine } from "../kit/people/words.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { MailAccess, Session } from "./access.ts";
import type { MailFile } from "./maildir.ts";
import { type Message, written } from "./message.ts";
import { type Draft, filesOf, keep, send, sendRaw } from "./outbox.ts";
import { everyone, recipientsOf } from "./recipients.ts";
import { MESSAGE_ID, shownDate } from "./tools-message.ts";

const TO = z.array(z.string().max(400)).max(100);
const FILES = z
  .array(z.string().max(1_000))
  .max(20)
  .default([])
  .describe("Paths of workspace files to attach, e.g. reports/june.xlsx");
const BODY = z.string().max(500_000).describe("Plain text");
const SUBJECT = z.string().max(900);
const SENT = z.object({ id: z.string(), recipients: z.array(z.string()), subject: z.string() });

export function writeTools(access: MailAccess): Tool[] {
  return [sendMail(access), saveDraft(access), sendDraft(access), reply(access), forward(access)];
}

function sendMail(access: MailAccess): Tool {
  return tool({
    name: "send_mail",
    title: "Send mail",
    description:
      "Sends a new message from the user and keeps a copy in Sent. Only addresses of people here are reachable; " +
      "with an unknown one nothing is sent. To answer a message use reply_to_message.",
    input: z.object({
      to: TO.min(1).describe('Addresses, e.g. ["ben.ode@example.test"]'),
      cc: TO.default([]),
      bcc: TO.default([]),
      subject: SUBJECT,
      body: BODY,
      attachments: FILES,
    }),
    output: SENT,
    hints: { readOnly: false },
    run: async (input) => {
      return await access.run(async (session) => {
        const recipients = recipientsOf(session.people, input);
        const files = await filesOf(session, input.attachments);
        return await sent(session, { ...input, recipients, files });
      });
    },
  });
}

function saveDraft(access: MailAccess): Tool {
  return tool({
    name: "save_draft",
    title: "Save draft",
    description:
      "Writes a message into Drafts without sending it. With draft_id it replaces that draft, which then has a new id; " +
      "with reply_to_id it is an answer to that message.",
    input: z.object({
      draft_id: MESSAGE_ID.optional().describe("Draft to replace"),
      reply_to_id: MESSAGE_ID.optional().describe("Message that it answers"),
      to: TO.default([]),
      cc: TO.default([]),
      bcc: TO.default([]),
      subject: SUBJECT.default(""),
      body: BODY.default(""),
      attachments: FILES,
    }),
    output: SENT,
    hints: { readOnly: false, destructive: true },
    run: async (input) => {
      return await access.run(async (session) => {
        const recipients = recipientsOf(session.people, input);
        const files = await filesOf(session, input.attachments);
        const old =
          input.draft_id === undefined ? undefined : await draftOf(session, input.draft_id);
        const answered =
          input.reply_to_id === undefined
            ? undefined
            : await session.mailbox.find(session.maildir, input.reply_to_id);
        const thread =
          answered === undefined ? old?.message.references : threadOf(answered.message);
        const id = await keep(session, { ...input, recipients, files, thread });
        if (old !== undefined) await session.maildir.remove(old.file);
        const names = everyone(recipients).map(({ email }) => email);
        return {
          text: `Draft ${id} is in Drafts. Send it with send_draft.`,
          data: { id, recipients: names, subject: input.subject },
        };
      });
    },
  });
}

function sendDraft(access: MailAccess): Tool {
  return tool({
    name: "send_draft",
    title: "Send draft",
    description: "Sends a message that lies in Drafts, as it is, and moves it to Sent.",
    input: z.object({ draft_id: MESSAGE_ID }),
    output: SENT,
    hints: { readOnly: false },
    run: async ({ draft_id }) => {
      return await access.run(async (session) => {
        const { file, message } = await draftOf(session, draft_id);
        if (message.problems.length > 0)
          throw new ToolError(`The draft can't be sent: ${message.problems[0]}.`);
        const lists = {
          to: message.to.map(({ email }) => email),
          cc: message.cc.map(({ email }) => email),
          bcc: message.bcc.map(({ email }) => email),
        };
        const recipients = recipientsOf(session.people, lists);
        const raw = session.maildir.read(file);
        const id = await sendRaw(session, raw, recipients);
        await session.maildir.remove(file);
        return said(id, { recipients, subject: message.subject, files: message.attachments });
      });
    },
  });
}

function reply(access: MailAccess): Tool {
  return tool({
    name: "reply_to_message",
    title: "Reply to message",
    description:
      "Answers a message in its thread, quoting it below; subject and recipients come from it. " +
      "With reply_all also those in To and Cc get it.",
    input: z.object({
      id: MESSAGE_ID,
      body: BODY,
      reply_all: z.boolean().default(false),
      cc: TO.default([]).describe("Further copies"),
      attachments: FILES,
      quote: z.boolean().default(true).describe("Whether the original text is quoted below"),
    }),
    output: SENT,
    hints: { readOnly: false },
    run: async (input) => {
      return await access.run(async (session) => {
        const { file, message } = await session.mailbox.find(session.maildir, input.id);
        const recipients = recipientsOf(session.people, answerTo(session.people, message, input));
        const files = await filesOf(session, input.attachments);
        const subject = prefixed("Re", /^\s*(re|aw|sv|antw)\s*:/i, message.subject);
        const body = input.quote ? `${input.body}\n\n${quoted(message, session)}` : input.body;
        const draft = { recipients, subject, body, files, thread: threadOf(message) };
        const answer = await sent(session, draft);
        await session.maildir.setFlags(file, `${file.flags}RS`);
        return answer;
      });
    },
  });
}

function forward(access: MailAccess): Tool {
  return tool({
    name: "forward_message",
    title: "Forward message",
    description:
      "Sends a message on to others, with its text below the user's words and with its attachments.",
    input: z.object({
      id: MESSAGE_ID,
      to: TO.min(1),
      cc: TO.default([]),
      body: BODY.default("").describe("The user's own words above it"),
      attachments: FILES.describe("Workspace files to attach besides"),
      with_attachments: z.boolean().default(true).describe("Whether its own attachments go along"),
    }),
    output: SENT,
    hints: { readOnly: false },
    run: async (input) => {
      return await access.run(async (session) => {
        const { file, message } = await session.mailbox.find(session.maildir, input.id);
        const recipients = recipientsOf(session.people, { ...input, bcc: [] });
        const more = await filesOf(session, input.attachments);
        const files = [...(input.with_attachments ? message.attachments : []), ...more];
        const subject = prefixed("Fwd", /^\s*(fwd?|wg)\s*:/i, message.subject);
        const body = `${input.body}${input.body === "" ? "" : "\n\n"}${forwarded(message, session)}`;
        const answer = await sent(session, {
          recipients,
          subject,
          body,
          files,
          thread: threadOf(message),
        });
        await session.maildir.setFlags(file, `${file.flags}PS`);
        return answer;
      });
    },
  });
}

async function sent(session: Session, draft: Draft) {
  return said(await send(session, draft), draft);
}

function said(id: string, draft: Pick<Draft, "recipients" | "subject" | "files">) {
  const recipients = everyone(draft.recipients).map(({ email }) => email);
  const files =
    draft.files.length === 0 ? "" : ` with ${draft.files.map(({ name }) => name).join(", ")}`;
  const subject = draft.subject.trim();
  return {
    text: `Sent "${inLine(subject)}" to ${recipients.join(", ")}${files}. The copy in Sent has the id ${id}.`,
    data: { id, recipients, subject },
  };
}

async function draftOf(
  session: Session,
  id: string,
): Promise<{ file: MailFile; message: Message }> {
  const found = await session.mailbox.find(session.maildir, id);
  const isDraft =
    found.file.flags.includes("D") || found.file.folder.name.toLowerCase() === "drafts";
  if (isDraft) return found;
  throw new ToolError(
    `${id} is no draft; it lies in ${inLine(found.file.folder.name)}. Use an id from the folder Drafts.`,
  );
}

/** To whom an answer goes: to who wrote it, or, of one's own message, to whom it was written. */
function answerTo(
  people: People,
  message: Message,
  { reply_all, cc }: { readonly reply_all: boolean; readonly cc: readonly string[] },
) {
  const isOwn = message.from !== undefined && people.isMe(message.from.email);
  const sender = message.replyTo.length > 0 ? message.replyTo : message.from ? [message.from] : [];
  const first = (isOwn ? message.to : sender).map(({ email }) => email);
  if (first.length === 0)
    throw new ToolError("The message does not say who wrote it. Use send_mail.");
  const others = reply_all ? [...(isOwn ? [] : message.to), ...message.cc] : [];
  // Rooms are asked to events in Cc; they read no mail.
  const reads = (email: string) => !people.isMe(email) && people.find(email)?.kind !== "room";
  const copies = others.map(({ email }) => email).filter(reads);
  return { to: first, cc: [...copies, ...cc], bcc: [] };
}

function threadOf({ references, messageId }: Message): string[] {
  return [
    ...references.filter((name) => name !== messageId),
    ...(messageId === "" ? [] : [messageId]),
  ];
}

function prefixed(word: string, already: RegExp, subject: string): string {
  return (already.test(subject) ? subject : `${word}: ${subject}`).slice(0, 900).trim();
}

const QUOTED = 200_000;

function quoted(message: Message, { zone }: Session): string {
  const when = message.date === undefined ? "" : `On ${shownDate(message.date, zone)} `;
  const who = message.from === undefined ? "someone" : written(message.from);
  const lines = message.text
    .slice(0, QUOTED)
    .split("\n")
    .map((line) => (line.startsWith(">") ? `>${line}` : `> ${line}`));
  return `${when}${who} wrote:\n${lines.join("\n")}\n`;
}

function forwarded(message: Message, { zone }: Session): string {
  const head = [
    "---------- Forwarded message ----------",
    `From: ${message.from === undefined ? "unknown" : written(message.from)}`,
    `Date: ${message.date === undefined ? "unknown" : shownDate(message.date, zone)}`,
    `Subject: ${message.subject}`,
    `To: ${message.to.map(written).join(", ")}`,
  ];
  return `${head.join("\n")}\n\n${message.text.slice(0, QUOTED)}\n`;
}
