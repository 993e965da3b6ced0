import { wallTime } from "../calendar/moment.ts";
import { wallToUtc, type Zone } from "../calendar/zones.ts";
import { ToolError } from "../kit/tool-error.ts";
import { folderKey } from "./folder-names.ts";
import type { MailEntry } from "./mailbox.ts";
import { type Correspondent, written } from "./message.ts";

/** Whether a message fits. `text` gives all of its text, which may have to be read. */
export type Condition = (
  entry: MailEntry,
  text: () => Promise<string>,
) => boolean | Promise<boolean>;

const OPERATORS = "from to cc subject body in filename has is before after".split(" ");

/**
 * The conditions of a search, all of which must hold: from:ana subject:"budget 2026" has:attachment
 * after:2026-03-01 -draft. Throws `ToolError` for one that can't be read.
 */
export function parseQuery(query: string, zone: Zone): Condition[] {
  const terms = query.match(/-?(?:[A-Za-z]+:)?"[^"]*"?|\S+/g) ?? [];
  if (terms.length > 50) throw new ToolError("The search has more than 50 words. Use fewer.");
  return terms.map((term) => {
    const isNot = term.startsWith("-") && term.length > 1;
    const plain = isNot ? term.slice(1) : term;
    const parts = /^([A-Za-z]+):(.*)$/s.exec(plain);
    const name = parts?.[1]?.toLowerCase() ?? "";
    const isKnown = OPERATORS.includes(name);
    const value = unquoted(isKnown ? (parts?.[2] ?? "") : plain).toLowerCase();
    const condition = isKnown ? operator(name, value, zone) : anywhere(value);
    if (!isNot) return condition;
    return async (entry, text) => !(await condition(entry, text));
  });
}

function operator(name: string, value: string, zone: Zone): Condition {
  if (value === "")
    throw new ToolError(
      `${name}: needs a word right after it, such as ${name}:${EXAMPLES[name] ?? "x"}.`,
    );
  switch (name) {
    case "from":
      return ({ summary }) => holds(summary.from === undefined ? [] : [summary.from], value);
    case "to":
      return ({ summary }) => holds([...summary.to, ...summary.cc, ...summary.bcc], value);
    case "cc":
      return ({ summary }) => holds(summary.cc, value);
    case "subject":
      return ({ summary }) => summary.subject.toLowerCase().includes(value);
    case "body":
      return async (_, text) => (await text()).toLowerCase().includes(value);
    case "in":
      return ({ file }) => folderKey(file.folder.name) === folderKey(value);
    case "filename":
      return ({ summary }) =>
        summary.attachments.some((one) => one.name.toLowerCase().includes(value));
    case "has":
      if (value !== "attachment") throw new ToolError("has: knows only has:attachment.");
      return ({ summary }) => summary.attachments.length > 0;
    case "is":
      return stateIs(value);
    default: {
      const limit = dayOf(name, value, zone);
      const isBefore = name === "before";
      return ({ summary: { date } }) =>
        date !== undefined && (isBefore ? date < limit : date >= limit);
    }
  }
}

const EXAMPLES: Readonly<Record<string, string>> = {
  before: "2026-03-05",
  after: "2026-03-01",
  has: "attachment",
  is: "unread",
};

function stateIs(value: string): Condition {
  const flags: Readonly<Record<string, (flags: string) => boolean>> = {
    unread: (all) => !all.includes("S"),
    read: (all) => all.includes("S"),
    flagged: (all) => all.includes("F"),
    starred: (all) => all.includes("F"),
    replied: (all) => all.includes("R"),
  };
  const fits = Object.hasOwn(flags, value) ? flags[value] : undefined;
  if (fits === undefined) {
    throw new ToolError("is: knows is:unread, is:read, is:flagged and is:replied.");
  }
  return ({ file }) => fits(file.flags);
}

function anywhere(value: string): Condition {
  return async ({ summary }, text) => {
    const people = [...(summary.from ? [summary.from] : []), ...summary.to, ...summary.cc];
    if (summary.subject.toLowerCase().includes(value) || holds(people, value)) return true;
    if (summary.attachments.some(({ name }) => name.toLowerCase().includes(value))) return true;
    return (await text()).toLowerCase().includes(value);
  };
}

function holds(people: readonly Correspondent[], value: string): boolean {
  return people.some((one) => written(one).toLowerCase().includes(value));
}

function dayOf(name: string, value: string, zone: Zone): number {
  const parts = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(value);
  const wall = parts && wallTime(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (wall === null || wall === undefined) {
    throw new ToolError(
      `${name}: takes a date that exists, such as ${name}:2026-03-05, not ${JSON.stringify(value.slice(0, 40))}.`,
    );
  }
  return wallToUtc(zone, wall);
}

function unquoted(text: string): string {
  return text.replace(/^"/, "").replace(/"$/, "");
}
