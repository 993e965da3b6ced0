import * as z from "zod";
import { counted, inLine } from "../kit/people/words.ts";
import { plainHint } from "../kit/plain-search.ts";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { MailAccess, Session } from "./access.ts";
import { directoryOf } from "./folder-names.ts";
import type { MailFile } from "./maildir.ts";
import type { MailAttachment } from "./message.ts";
import { MESSAGE_ID } from "./tools-message.ts";

const IDS = z.array(MESSAGE_ID).min(1).max(100).describe("ids from list_messages or search_mail");

export function fileTools(access: MailAccess): Tool[] {
  return [
    saveAttachment(access),
    moveMessage(access),
    flagMessage(access),
    makeFolder(access),
    contacts(access),
  ];
}

function saveAttachment(access: MailAccess): Tool {
  return tool({
    name: "save_attachment",
    title: "Save attachment",
    description:
      "Saves an attachment of a message as a file in the workspace. A path that ends with / is a folder.",
    input: z.object({
      id: MESSAGE_ID,
      attachment: z
        .union([z.number().int().min(1), z.string().max(300)])
        .describe("Its number or name in read_message"),
      path: z
        .string()
        .max(1_000)
        .default("./")
        .describe("Where to, e.g. inbox/offer.pdf; default: its own name"),
      overwrite: z.boolean().default(false),
    }),
    output: z.object({ path: z.string(), bytes: z.number(), type: z.string() }),
    hints: { readOnly: false, destructive: true },
    run: async ({ id, attachment, path, overwrite }) => {
      return await access.run(async ({ mailbox, maildir, world }) => {
        const { message } = await mailbox.find(maildir, id);
        const { name, type, content } = pick(message.attachments, attachment);
        const place =
          path === "" || path.endsWith("/") ? `${path === "" ? "./" : path}${name}` : path;
        const saved = await world.workspace.exclusively(place, async () => {
          return await world.workspace.write(place, content, { overwrite });
        });
        return {
          text: `Saved ${name} (${content.length} bytes, ${type}) as ${saved}.`,
          data: { path: saved, bytes: content.length, type },
        };
      });
    },
  });
}

function pick(all: readonly MailAttachment[], asked: number | string): MailAttachment {
  const number = typeof asked === "number" ? asked : /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  const wanted = String(asked).trim().toLowerCase();
  const found = all.find(({ name }) => name.toLowerCase() === wanted) ?? all[number - 1];
  if (found !== undefined) return found;
  const names = all.slice(0, 30).map(({ name }, at) => `${at + 1}: ${name}`);
  throw new ToolError(
    names.length === 0
      ? "The message has no attachments."
      : `The message has no attachment ${JSON.stringify(asked)}. It has ${names.join("; ")}.`,
  );
}

function moveMessage(access: MailAccess): Tool {
  return tool({
    name: "move_message",
    title: "Move messages",
    description:
      "Moves messages to another mail folder: Archive to put them away, Trash to delete them, INBOX to take them back.",
    input: z.object({
      ids: IDS,
      folder: z.string().max(200).describe("E.g. Archive, Trash or Projects/Budget"),
    }),
    output: z.object({ moved: z.array(z.string()), folder: z.string() }),
    hints: { readOnly: false, idempotent: true },
    run: async ({ ids, folder: asked }) => {
      return await access.run(async (session) => {
        const folder = await session.maildir.folder(asked);
        const files = await filesOf(session, ids);
        for (const file of files) {
          if (file.folder.directory !== folder.directory) await session.maildir.move(file, folder);
        }
        return {
          text: `${counted(files.length, "message")} moved to ${inLine(folder.name)}.`,
          data: { moved: ids, folder: folder.name },
        };
      });
    },
  });
}

function flagMessage(access: MailAccess): Tool {
  return tool({
    name: "flag_message",
    title: "Flag messages",
    description: "Marks messages as read or unread, and flags (stars) them or takes the flag away.",
    input: z.object({ ids: IDS, read: z.boolean().optional(), flagged: z.boolean().optional() }),
    output: z.object({ changed: z.array(z.string()) }),
    hints: { readOnly: false, idempotent: true },
    run: async ({ ids, read, flagged }) => {
      return await access.run(async (session) => {
        if (read === undefined && flagged === undefined) {
          throw new ToolError("Say what to change: read, flagged, or both.");
        }
        for (const file of await filesOf(session, ids)) {
          const other = file.flags.replace(/[SF]/g, "");
          const isRead = read ?? file.flags.includes("S");
          const isFlagged = flagged ?? file.flags.includes("F");
          await session.maildir.setFlags(
            file,
            `${other}${isRead ? "S" : ""}${isFlagged ? "F" : ""}`,
          );
        }
        return { text: `${counted(ids.length, "message")} changed.`, data: { changed: ids } };
      });
    },
  });
}

/** All or none: an id that is unknown stops the call before anything is changed. */
async function filesOf({ mailbox, maildir }: Session, ids: readonly string[]): Promise<MailFile[]> {
  const once = [...new Set(ids.map((id) => id.trim()))];
  return await mailbox.files(maildir, once);
}

function makeFolder(access: MailAccess): Tool {
  return tool({
    name: "create_mail_folder",
    title: "Create mail folder",
    description: "Makes a mail folder; a name with / makes it inside another.",
    input: z.object({ folder: z.string().min(1).max(200).describe("E.g. Projects/Budget 2026") }),
    output: z.object({ folder: z.string() }),
    hints: { readOnly: false, idempotent: true },
    run: async ({ folder }) => {
      return await access.run(async ({ maildir }) => {
        const directory = directoryOf(folder);
        const name = directory.slice(1).replaceAll(".", "/");
        const all = await maildir.folders();
        if (all.length > 300) throw new ToolError("There are too many mail folders already.");
        const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase());
        await maildir.make(found ?? { name, directory });
        return {
          text: `The folder ${found?.name ?? name} is there.`,
          data: { folder: found?.name ?? name },
        };
      });
    },
  });
}

function contacts(access: MailAccess): Tool {
  return tool({
    name: "find_contacts",
    title: "Find contacts",
    description: "Looks up mail addresses of people by a part of their name or address.",
    input: z.object({
      query: z.string().max(100).default("").describe('E.g. "ode"; empty for all'),
      offset: z.number().int().min(0).default(0),
    }),
    output: z.object({
      total: z.number(),
      contacts: z.array(z.object({ name: z.string(), email: z.string() })),
      next_offset: z.number().optional(),
    }),
    hints: { readOnly: true },
    run: async ({ query, offset }) => {
      return await access.run(async ({ people }) => {
        const wanted = query.trim().toLowerCase();
        const all = people.all.filter(({ kind, name, email }) => {
          return kind === "person" && `${name} ${email}`.toLowerCase().includes(wanted);
        });
        const shown = all.slice(offset, offset + 100).map(({ name, email }) => ({ name, email }));
        const next = offset + shown.length < all.length ? offset + shown.length : undefined;
        const lines = shown.map(
          ({ name, email }) => `${name} <${email}>${people.isMe(email) ? " (the user)" : ""}`,
        );
        const more = next === undefined ? [] : [`More with offset ${next}.`];
        return {
          text:
            lines.length === 0 ? `Nobody fits.${plainHint(query)}` : [...lines, ...more].join("\n"),
          data: {
            total: all.length,
            contacts: shown,
            ...(next === undefined ? {} : { next_offset: next }),
          },
        };
      });
    },
  });
}
