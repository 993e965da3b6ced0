/** For an option that may be given again: what has come so far. */
export function add(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** The option --root, of every command that looks for tasks. */
export const ROOT = [
  "--root <folder>",
  "where tasks/ and fixtures/ lie (default: this repository); may be repeated",
  add,
] as const;
