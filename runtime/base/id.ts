import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const NAMED_LETTERS = 16;

/** A rollout's id: `r` and 19 letters (95 random bits), fit for a container name, a path and a URL. */
export function rolloutId(): string {
  return `r${randomLetters(19)}`;
}

/** An id with a word in front, for what is no rollout: `generate-…`, `check-…`. */
export function namedId(word: string): string {
  return `${word}-${randomLetters(NAMED_LETTERS)}`;
}

/** Whether a text has the shape of an id that `namedId` gives for this word. */
export function isNamedId(word: string, text: string): boolean {
  const letters = text.slice(word.length + 1);
  if (!text.startsWith(`${word}-`) || letters.length !== NAMED_LETTERS) return false;
  return [...letters].every((letter) => ALPHABET.includes(letter));
}

/** A secret of 256 bits for a bearer token or a nonce. */
export function secret(): string {
  return randomBytes(32).toString("base64url");
}

function randomLetters(count: number): string {
  return Array.from(randomBytes(count), (byte) => ALPHABET[byte % 32]).join("");
}
