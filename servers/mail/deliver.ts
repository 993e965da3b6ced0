import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { Lock } from "../kit/people/lock.ts";
import type { Person } from "../kit/people/people.ts";
import type { World } from "../kit/surface.ts";
import { type Letter, rawLetter } from "./letter.ts";
import { INBOX, Maildir } from "./maildir.ts";

/** Calendar and mail write mailboxes, one at a time. */
export const mailLock = new Lock();

/** The mailbox of a person of this world. */
export async function mailboxOf(world: World, { email }: Person): Promise<Maildir> {
  const root = await world.stateOf("mail");
  const names = await readdir(root);
  const own = names.find((name) => name.toLowerCase() === email.toLowerCase());
  return new Maildir(`${root}/${own ?? email}`);
}

/**
 * Puts a letter into the inbox of each recipient who is a person; rooms have none. Blind copies
 * are not named in it. Returns the letter as its sender keeps it.
 */
export async function deliver(
  world: World,
  letter: Letter,
  recipients: readonly Person[],
): Promise<Buffer> {
  const sent = await rawLetter(letter, { showBcc: false });
  await deliverRaw(world, sent, recipients);
  return letter.bcc.length === 0 ? sent : await rawLetter(letter, { showBcc: true });
}

/** The same bytes for each recipient. */
export async function deliverRaw(
  world: World,
  raw: Uint8Array,
  recipients: readonly Person[],
): Promise<void> {
  const people = recipients.filter(({ kind }) => kind === "person");
  const once = new Map(people.map((one) => [one.email.toLowerCase(), one]));
  for (const person of once.values()) await (await mailboxOf(world, person)).add(INBOX, raw);
}

/** Nothing random is in it: the same letter from the same mailbox has the same id. */
export async function messageId(
  world: World,
  sender: Person,
  parts: readonly string[],
): Promise<string> {
  const number = await (await mailboxOf(world, sender)).nextNumber();
  const hash = createHash("sha256").update(JSON.stringify([sender.email, number, ...parts]));
  const domain = sender.email.slice(sender.email.lastIndexOf("@") + 1);
  return `<${hash.digest("hex").slice(0, 24)}@${domain}>`;
}
