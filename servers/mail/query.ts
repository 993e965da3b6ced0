import { wallTime } from "../calendar/moment.ts";
import { wallToUtc, type Zone } from "../calendar/zones.ts";
import { ToolError } from "../kit/tool-error.ts";
import { folderKey } from "./folder-names.ts";
import type { MailEntry } from "./mailbox.ts";
import { type Correspondent, written } from "./message.ts";

/** What of a message may have to be read first: all of its text, and how long its file is. */
export interface Source {
  readonly text: () => Promise<string>;
  readonly bytes: () => number;
}

/** Whether a message fits. */
export type Condition = (entry: MailEntry, source: Source) => boolean | Promise<boolean>;

const OPERATORS =
  "from to cc bcc subject body in filename has is before after date larger smaller".split(" ");
/** Other names of them that mail programs have. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{ folder: "in", label: "in", since: "after", newer: "after", older: "before", on: "date" },
  ...{ sent: "date", received: "date", size: "larger", attachment: "filename", text: "body" },
};
/** Those that mail programs know and this search does not. */
const FOREIGN =
  "newer_than older_than category list deliveredto rfc822msgid around importance participants recipients kind header keyword hasattachment hasattachments messagesize until".split(
    " ",
  );

/**
 * The conditions of a search, all of which must hold: from:ana subject:"budget 2026" has:attachment
 * after:2026-03-01 -draft; of terms with OR between them, one. Throws `ToolError` for one that
 * can't be read, and for an operator that is not known.
 */
export function parseQuery(query: string, zone: Zone): Condition[] {
  const terms = query.match(/-?(?:[A-Za-z]+:)?"[^"]*"?|\S+/g) ?? [];
  if (terms.length > 50) throw new ToolError("The search has more than 50 words. Use fewer.");
  const groups: Condition[][] = [];
  let [isOr, isNot] = [false, false];
  for (const term of terms) {
    if (["AND", "&", "&&", "+"].includes(term)) continue;
    if (["OR", "|", "||"].includes(term)) isOr = groups.length > 0;
    else if (term === "NOT") isNot = true;
    else {
      const condition = conditionOf(term, isNot, zone);
      if (isOr) groups.at(-1)?.push(condition);
      else groups.push([condition]);
      [isOr, isNot] = [false, false];
    }
  }
  return groups.map(anyOf);
}

function anyOf(group: readonly Condition[]): Condition {
  return async (entry, source) => {
    for (const condition of group) if (await condition(entry, source)) return true;
    return false;
  };
}

function conditionOf(term: string, negated: boolean, zone: Zone): Condition {
  if (/^-?[({]/.test(term) && !/[)}]$/.test(term)) {
    throw new ToolError(
      "Brackets are not known here. OR joins the terms beside it: a OR b c means (a or b) and c. " +
        "Put a text with brackets in quotes.",
    );
  }
  const isNot = term.startsWith("-") && term.length > 1;
  const plain = isNot ? term.slice(1) : term;
  const parts = /^([A-Za-z][A-Za-z0-9_]*):(.*)$/s.exec(plain);
  const said = parts?.[1]?.toLowerCase() ?? "";
  const name = Object.hasOwn(ALIASES, said) ? (ALIASES[said] ?? said) : said;
  const isKnown = OPERATORS.includes(name);
  const rest = parts?.[2] ?? "";
  if (FOREIGN.includes(said) && rest !== "") {
    throw new ToolError(
      `The operator ${said}: is not known here. Known are ${OPERATORS.map((one) => `${one}:`).join(" ")}, ` +
        `OR and -. To look for the text ${plain.slice(0, 60)} put it in quotes.`,
    );
  }
  const value = unquoted(isKnown ? rest : plain).toLowerCase();
  const condition = isKnown ? operator(name, value, zone) : anywhere(value);
  if (isNot === negated) return condition;
  return async (entry, source) => !(await condition(entry, source));
}

/** Words before a colon that are no operators, and were looked for as text. */
export function readAsText(query: string): string[] {
  const terms =
    query.replaceAll(/"[^"]*"?/g, " ").match(/(?<=^|\s)-?[A-Za-z]\w*:(?=[^\s/])/g) ?? [];
  const names = terms.map((term) => term.replace(/^-/, "").toLowerCase());
  return names.filter((name) => {
    const word = name.slice(0, -1);
    return !OPERATORS.includes(word) && !Object.hasOwn(ALIASES, word);
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
    case "bcc":
      return ({ summary }) => holds(summary.bcc, value);
    case "subject":
      return ({ summary }) => summary.subject.toLowerCase().includes(value);
    case "body":
      return async (_, { text }) => (await text()).toLowerCase().includes(value);
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
    case "larger":
    case "smaller":
      return bySize(name, value);
    case "date": {
      const [first = "", last = first] = value.split("..");
      const [from, to] = [dayOf(name, first, zone), dayOf(name, last, zone, 1)];
      return ({ summary: { date } }) => date !== undefined && date >= from && date < to;
    }
    default: {
      const limit = dayOf(name, value, zone);
      const isBefore = name === "before";
      return ({ summary: { date } }) =>
        date !== undefined && (isBefore ? date < limit : date >= limit);
    }
  }
}

const EXAMPLES: Readonly<Record<string, string>> = {
  ...{ date: "2026-03-05", larger: "2M", smaller: "100K", in: "Sent", from: "ben" },
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

/** Of the whole message, as it is kept. */
function bySize(name: string, value: string): Condition {
  const parts = /^>?(\d{1,12}(?:\.\d{1,3})?)\s*([kmg]?)b?$/.exec(value);
  if (parts === null) {
    throw new ToolError(`${name}: takes a size such as ${name}:500K or ${name}:2M.`);
  }
  const limit = Number(parts[1]) * 1024 ** " kmg".indexOf(parts[2] || " ");
  return (_, { bytes }) => (name === "larger" ? bytes() > limit : bytes() < limit);
}

function anywhere(value: string): Condition {
  return async ({ summary }, { text }) => {
    const people = [...(summary.from ? [summary.from] : []), ...summary.to, ...summary.cc];
    if (summary.subject.toLowerCase().includes(value) || holds(people, value)) return true;
    if (summary.attachments.some(({ name }) => name.toLowerCase().includes(value))) return true;
    return (await text()).toLowerCase().includes(value);
  };
}

function holds(people: readonly Correspondent[], value: string): boolean {
  return people.some((one) => written(one).toLowerCase().includes(value));
}

function dayOf(name: string, value: string, zone: Zone, later = 0): number {
  const parts = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(value);
  const wall = parts && wallTime(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  if (wall === null || wall === undefined) {
    throw new ToolError(
      `${name}: takes a date that exists, such as ${name}:2026-03-05, not ${JSON.stringify(value.slice(0, 40))}.`,
    );
  }
  return wallToUtc(zone, wall + later * 86_400_000);
}

function unquoted(text: string): string {
  return text.replace(/^"/, "").replace(/"$/, "");
}
