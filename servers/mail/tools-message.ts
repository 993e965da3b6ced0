import * as z from "zod";
import { momentAt, shownIn } from "../calendar/when.ts";
import type { Zone } from "../calendar/zones.ts";
import { cut, inLine } from "../kit/people/words.ts";
import { type Tool, tool } from "../kit/tool.ts";
import type { MailAccess } from "./access.ts";
import { type Correspondent, type Message, written } from "./message.ts";

export const MESSAGE_ID = z
  .string()
  .min(1)
  .max(60)
  .describe("id from list_messages or search_mail");

export function messageTools(access: MailAccess): Tool[] {
  return [readOne(access)];
}

const TEXT_SHOWN = 20_000;

function readOne(access: MailAccess): Tool {
  return tool({
    name: "read_message",
    title: "Read message",
    description:
      "Reads one message: headers, text (made from HTML if there is no plain text) and a list of its attachments. " +
      "Does not mark it as read; long texts come in pages.",
    input: z.object({
      id: MESSAGE_ID,
      offset: z.number().int().min(0).default(0).describe("Character of the text to go on from"),
      all_headers: z.boolean().default(false),
    }),
    output: z.object({
      id: z.string(),
      folder: z.string(),
      from: z.string(),
      to: z.array(z.string()),
      cc: z.array(z.string()),
      bcc: z.array(z.string()),
      subject: z.string(),
      date: z.string().optional(),
      unread: z.boolean(),
      message_id: z.string(),
      text: z.string(),
      next_offset: z.number().optional(),
      attachments: z.array(
        z.object({ number: z.number(), name: z.string(), type: z.string(), bytes: z.number() }),
      ),
      invitation: z.object({ method: z.string(), event_id: z.string() }).optional(),
      headers: z.array(z.string()).optional(),
      problems: z.array(z.string()),
    }),
    hints: { readOnly: true },
    run: async ({ id, offset, all_headers }) => {
      return await access.run(async ({ mailbox, maildir, zone }) => {
        const { file, message } = await mailbox.find(maildir, id);
        const all = message.text;
        const text = all.slice(offset, offset + TEXT_SHOWN).toWellFormed();
        const next = offset + TEXT_SHOWN < all.length ? offset + TEXT_SHOWN : undefined;
        const data = {
          id: id.trim(),
          folder: inLine(file.folder.name),
          ...headOf(message, zone),
          unread: !file.flags.includes("S"),
          text,
          ...(next === undefined ? {} : { next_offset: next }),
          attachments: message.attachments.slice(0, 100).map(({ name, type, content }, at) => {
            return { number: at + 1, name, type: cut(type, 100), bytes: content.length };
          }),
          ...(message.invitation === undefined
            ? {}
            : {
                invitation: { method: message.invitation.method, event_id: message.invitation.uid },
              }),
          ...(all_headers ? { headers: headersOf(message) } : {}),
          problems: [...message.problems],
        };
        return { text: shownMessage(data), data };
      });
    },
  });
}

function headersOf({ headers }: Message): string[] {
  return headers.slice(0, 100).map(({ name, value }) => inLine(`${name}: ${value}`, 300));
}

function shownMessage(
  data: {
    readonly [key in "from" | "subject" | "text" | "folder"]: string;
  } & {
    readonly to: readonly string[];
    readonly cc: readonly string[];
    readonly date?: string;
    readonly next_offset?: number;
    readonly attachments: readonly { number: number; name: string; type: string; bytes: number }[];
    readonly invitation?: { method: string; event_id: string };
    readonly headers?: readonly string[];
    readonly problems: readonly string[];
  },
): string {
  const lines = [
    `From: ${data.from}`,
    `To: ${data.to.join(", ")}`,
    data.cc.length > 0 ? `Cc: ${data.cc.join(", ")}` : undefined,
    `Date: ${data.date ?? "unknown"}`,
    `Subject: ${data.subject}`,
    `Folder: ${data.folder}`,
    ...data.attachments.map(
      (one) => `Attachment ${one.number}: ${one.name} (${one.type}, ${one.bytes} bytes)`,
    ),
    data.invitation &&
      `Calendar ${data.invitation.method} for event_id ${data.invitation.event_id}`,
    ...(data.headers ?? []).map((one) => `| ${one}`),
    ...data.problems.map((one) => `Note: ${one}`),
    "",
    data.text,
    data.next_offset && `\nThe text goes on: read_message with offset ${data.next_offset}.`,
  ];
  return lines.filter((one) => one !== undefined).join("\n");
}

function headOf(message: Message, zone: Zone) {
  const people = (all: readonly Correspondent[]) => all.slice(0, 100).map(written);
  return {
    from: message.from === undefined ? "unknown" : written(message.from),
    to: people(message.to),
    cc: people(message.cc),
    bcc: people(message.bcc),
    subject: inLine(message.subject, 1_000),
    ...(message.date === undefined ? {} : { date: shownDate(message.date, zone) }),
    message_id: inLine(message.messageId),
  };
}

export function shownDate(date: number, zone: Zone): string {
  return shownIn(momentAt(date, zone), zone);
}
