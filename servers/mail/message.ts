import type { Attachment, Email } from "postal-mime";
import { htmlText } from "./html-text.ts";

export interface Correspondent {
  readonly name: string;
  readonly email: string;
}

export interface MailAttachment {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

/** A message, read; what is broken in it is left out, and said in `problems`. */
export interface Message {
  readonly from: Correspondent | undefined;
  readonly replyTo: readonly Correspondent[];
  readonly to: readonly Correspondent[];
  readonly cc: readonly Correspondent[];
  readonly bcc: readonly Correspondent[];
  readonly subject: string;
  /** In milliseconds; undefined if neither Date nor Received can be read. */
  readonly date: number | undefined;
  readonly messageId: string;
  readonly references: readonly string[];
  readonly text: string;
  readonly attachments: readonly MailAttachment[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Of an invitation, an answer to one, or a cancellation. */
  readonly invitation: { readonly method: string; readonly uid: string } | undefined;
  readonly problems: readonly string[];
}

const MOST_BYTES = 40 * 1024 * 1024;
const MOST_PARTS = 20_000;
const RAW_SHOWN = 100_000;

/** Never throws for what stands in the message. */
export async function readMessage(raw: Buffer): Promise<Message> {
  const { default: PostalMime } = await import("postal-mime");
  const bytes = decodedHead(raw);
  const refused = whyRefused(bytes);
  try {
    if (refused !== undefined) throw new Error(refused);
    const parsed = await PostalMime.parse(bytes, { forceRfc822Attachments: true });
    return await messageOf(parsed, []);
  } catch (error) {
    const why = `the message is broken or too large (${error instanceof Error ? error.message : error}); its raw text is shown`;
    const head = headOf(bytes)
      .subarray(0, 64 * 1024)
      .toString("latin1")
      .replace(/^content-[^\n]*$/gim, "X-Skipped: 1");
    const parsed = await PostalMime.parse(Buffer.from(`${head}\r\n\r\n`, "latin1")).catch(
      () => undefined,
    );
    const text = bytes
      .subarray(headOf(bytes).length, headOf(bytes).length + RAW_SHOWN)
      .toString("utf8");
    const base = parsed ?? { headers: [], headerLines: [], attachments: [] };
    return await messageOf({ ...base, text, attachments: [] }, [why]);
  }
}

/** The texts of messages that are attached, headed by who wrote them. */
async function nestedText(attachment: Attachment): Promise<string> {
  const { default: PostalMime } = await import("postal-mime");
  const bytes = bufferOf(attachment);
  if (whyRefused(bytes) !== undefined || bytes.length > 1_000_000) return "";
  const inner = await PostalMime.parse(bytes, { forceRfc822Attachments: true }).catch(
    () => undefined,
  );
  if (inner === undefined) return "";
  const head = [
    `From: ${flat(inner.from).map(written).join(", ")}`,
    `To: ${flat(inner.to).map(written).join(", ")}`,
    `Date: ${inner.date ?? ""}`,
    `Subject: ${inner.subject ?? ""}`,
  ];
  return `\n\n---------- Attached message ----------\n${head.join("\n")}\n\n${bodyOf(inner)}`;
}

async function messageOf(parsed: Email, problems: readonly string[]): Promise<Message> {
  const nested = parsed.attachments.filter(({ mimeType }) => mimeType === "message/rfc822");
  const inner = await Promise.all(nested.slice(0, 5).map(nestedText));
  const names = (text: string | undefined) => (text ?? "").match(/<[^<>\s]{1,500}>/g) ?? [];
  const calendar = parsed.attachments.find(({ mimeType }) =>
    /^(text\/calendar|application\/ics)$/.test(mimeType),
  );
  const hasNamed = parsed.attachments.some(
    ({ mimeType, filename }) => filename && /calendar|ics/.test(mimeType),
  );
  const shown = parsed.attachments.filter((one) => {
    // The invitation that programs read, where there is a copy to keep.
    return !(one.mimeType === "text/calendar" && one.filename === null && hasNamed);
  });
  return {
    from: flat(parsed.from)[0] ?? flat(parsed.sender)[0],
    replyTo: flat(parsed.replyTo),
    to: flat(parsed.to),
    cc: flat(parsed.cc),
    bcc: flat(parsed.bcc),
    subject: (parsed.subject ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim(),
    date: dateOf(parsed),
    messageId: names(parsed.messageId)[0] ?? "",
    references: [...new Set([...names(parsed.references), ...names(parsed.inReplyTo)])].slice(-100),
    text: `${bodyOf(parsed)}${inner.join("")}`,
    attachments: shown.slice(0, 500).map((one, at) => ({
      name: nameOf(one, at),
      type: one.mimeType,
      content: bufferOf(one),
    })),
    headers: parsed.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    invitation: calendar && invitationOf(calendar),
    problems,
  };
}

function bodyOf({ text, html }: Email): string {
  const plain = text?.replace(/\r\n?/g, "\n").trimEnd() ?? "";
  if (plain.trim() !== "" || html === undefined) return plain;
  return htmlText(html.slice(0, 5_000_000));
}

function dateOf({ date, headers }: Email): number | undefined {
  const received = headers.find(({ key }) => key === "received")?.value;
  for (const text of [date, received?.slice(received.lastIndexOf(";") + 1)]) {
    const time = text === undefined ? Number.NaN : Date.parse(text);
    if (!Number.isNaN(time)) return time;
  }
  return undefined;
}

function flat(addresses: Email["from"] | Email["to"]): Correspondent[] {
  const all = addresses === undefined ? [] : [addresses].flat();
  const each = all.flatMap((one) => (one.group === undefined ? [one] : one.group));
  return each
    .slice(0, 1_000)
    .map(({ name, address }) => ({ name: inOneLine(name), email: inOneLine(address) }));
}

export function written({ name, email }: Correspondent): string {
  return name === "" ? email : `${name} <${email}>`;
}

/** A name for a file: no folders, nothing hidden, never empty. */
function nameOf({ filename, mimeType }: Attachment, at: number): string {
  const last = (filename ?? "").split(/[/\\]/).at(-1) ?? "";
  const plain = last
    .replace(/\p{Cc}+/gu, "")
    .replace(/^\.+/, "")
    .trim()
    .slice(0, 150)
    .toWellFormed();
  if (plain !== "") return plain;
  const endings: Readonly<Record<string, string>> = {
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/plain": "txt",
    "text/html": "html",
  };
  return `attachment-${at + 1}.${endings[mimeType] ?? "bin"}`;
}

function invitationOf(part: Attachment): Message["invitation"] {
  const text = bufferOf(part)
    .subarray(0, 200_000)
    .toString("utf8")
    .replace(/\r?\n[ \t]/g, "");
  const uid = /^UID(?:;[^:\r\n]*)?:(.+?)\r?$/im.exec(text)?.[1]?.trim();
  const method = /^METHOD:([A-Za-z]+)/im.exec(text)?.[1] ?? part.method ?? "PUBLISH";
  return uid === undefined ? undefined : { method: method.toUpperCase(), uid: uid.slice(0, 500) };
}

function bufferOf({ content }: Attachment): Buffer {
  if (typeof content === "string") return Buffer.from(content, "utf8");
  return content instanceof ArrayBuffer
    ? Buffer.from(content)
    : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

function whyRefused(bytes: Buffer): string | undefined {
  if (bytes.length > MOST_BYTES) return `it has ${bytes.length} bytes; ${MOST_BYTES} are read`;
  let marks = 0;
  for (let at = bytes.indexOf("\n--"); at !== -1; at = bytes.indexOf("\n--", at + 3)) {
    if (++marks > MOST_PARTS) return `it has more than ${MOST_PARTS} parts`;
  }
  return undefined;
}

/** Headers in an old 8-bit code, which no standard allows and many programs wrote, as UTF-8. */
function decodedHead(raw: Buffer): Buffer {
  const head = headOf(raw);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head);
    return raw;
  } catch {
    const text = new TextDecoder("windows-1252").decode(head);
    return Buffer.concat([Buffer.from(text, "utf8"), raw.subarray(head.length)]);
  }
}

function headOf(raw: Buffer): Buffer {
  const ends = [raw.indexOf("\n\n"), raw.indexOf("\n\r\n")].filter((at) => at !== -1);
  return ends.length === 0 ? raw : raw.subarray(0, Math.min(...ends));
}

function inOneLine(text: string | undefined): string {
  return (text ?? "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 320);
}
