import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A rollout's id: `r` and 19 letters (95 random bits), fit for a container name, a path and a URL. */
export function rolloutId(): string {
  return `r${randomLetters(19)}`;
}

/** An id with a word in front, for what is no rollout: `generate-…`, `check-…`. */
export function namedId(word: string): string {
  return `${word}-${randomLetters(16)}`;
}

/** A secret of 256 bits for a bearer token or a nonce. */
export function secret(): string {
  return randomBytes(32).toString("base64url");
}

function randomLetters(count: number): string {
  return Array.from(randomBytes(count), (byte) => ALPHABET[byte % 32]).join("");
}
