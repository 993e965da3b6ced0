/** What each job gets beside what the tool was called with. */
export interface FileInput {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** ISO, of the sandbox's clock. */
  readonly now: string;
  /** Whom the agent acts for. */
  readonly author: string;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Where the next page of lines begins, from a cursor such as "L120". */
export function lineOfCursor(cursor: string | undefined): number {
  return cursor === undefined ? 0 : Number(/\d+/.exec(cursor)?.[0] ?? 0);
}
