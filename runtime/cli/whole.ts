import { InvalidArgumentError } from "commander";

/** An option that is a whole number, at least 1. Throws for any other text. */
export function whole(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError("give a whole number from 1 to 99999");
}
