import { createHash } from "node:crypto";

export interface Address {
  readonly name: string;
  readonly address: string;
}

export interface LetterFile {
  readonly name: string;
  readonly content: Buffer;
  readonly type?: string | undefined;
}

/** A message to be written. Everything in it was checked before. */
export interface Letter {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly subject: string;
  readonly text: string;
  readonly date: Date;
  readonly messageId: string;
  readonly inReplyTo?: string | undefined;
  readonly references?: readonly string[] | undefined;
  readonly files: readonly LetterFile[];
  /** An invitation, an answer to one, or its end. */
  readonly calendar?: { readonly method: string; readonly ics: string } | undefined;
}

/** As bytes, the same each time: boundaries come from the Message-ID. */
export async function rawLetter(
  letter: Letter,
  { showBcc }: { readonly showBcc: boolean },
): Promise<Buffer> {
  // It takes 50 ms to load, which only who writes pays.
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  const { calendar } = letter;
  const { from, to, cc, bcc, subject, text, date, messageId } = letter;
  const composer = new MailComposer({
    ...{ from, subject, text, date, messageId },
    to: [...to],
    cc: [...cc],
    bcc: [...bcc],
    ...(letter.inReplyTo === undefined ? {} : { inReplyTo: letter.inReplyTo }),
    ...(letter.references === undefined ? {} : { references: [...letter.references] }),
    attachments: letter.files.map(({ name, content, type }) => {
      return { filename: name, content, ...(type === undefined ? {} : { contentType: type }) };
    }),
    ...(calendar === undefined
      ? {}
      : { icalEvent: { method: calendar.method, content: calendar.ics, filename: "invite.ics" } }),
    baseBoundary: createHash("sha256").update(messageId).digest("hex").slice(0, 24),
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: "\r\n",
  });
  const message = composer.compile();
  message.keepBcc = showBcc;
  return await message.build();
}
