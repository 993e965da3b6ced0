import PostalMime, { type Address } from "postal-mime";
import type { Block, Reading } from "./blocks.ts";
import { readHtml } from "./read-html.ts";
import { readText } from "./read-text.ts";

/** A message in a file (.eml): who, when, about what, its text, and the names of attachments. */
export async function readMail(bytes: Buffer): Promise<Reading> {
  const mail = await PostalMime.parse(bytes, { maxNestingDepth: 20 });
  const heads = [
    ["From", people(mail.from === undefined ? [] : [mail.from])],
    ["To", people(mail.to ?? [])],
    ["Cc", people(mail.cc ?? [])],
    ["Date", mail.date ?? ""],
    ["Subject", mail.subject ?? ""],
  ].filter(([, value]) => value !== "");
  const head: Block = {
    kind: "paragraph",
    verbatim: true,
    inlines: [{ text: heads.map(([name, value]) => `${name}: ${value}`).join("\n") }],
  };
  const body = mail.text?.trim()
    ? readText(mail.text.replaceAll("\r\n", "\n"))
    : readHtml(mail.html ?? "");
  const names = mail.attachments.map(({ filename, mimeType }) => filename ?? mimeType);
  const notes = names.length > 0 ? [`Attachments, not read here: ${names.join(", ")}.`] : [];
  return {
    blocks: [head, ...body.blocks],
    ...(mail.subject !== undefined && { title: mail.subject }),
    notes,
  };
}

function people(all: readonly Address[]): string {
  return all
    .flatMap((one) => one.group ?? [one])
    .map(({ name, address }) => (name ? `${name} <${address}>` : (address ?? "")))
    .join(", ");
}
