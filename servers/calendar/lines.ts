// iCalendar files as trees of lines (RFC 5545, section 3.1). Every line keeps its bytes, so what an
// edit does not touch is written back as it was, whoever wrote it.

/** One property, folded or not. */
export interface Line {
  /** With its folds and its end. */
  readonly raw: string;
  /** In capitals. */
  readonly name: string;
  readonly params: ReadonlyMap<string, string>;
  /** As it stands, still escaped. */
  readonly value: string;
}

export interface Component {
  /** In capitals: VCALENDAR, VEVENT, VTIMEZONE, … */
  readonly name: string;
  readonly begin: string;
  end: string;
  items: (Line | Component)[];
}

/** What is wrong with a file as a whole. */
export class BrokenCalendar extends Error {}

/** The components of a file's top level, and the lines around them. Linear in its length. */
export function parseTree(text: string): (Line | Component)[] {
  const top: (Line | Component)[] = [];
  const open: Component[] = [];
  for (const raw of logicalLines(text)) {
    const into = open.at(-1)?.items ?? top;
    const mark = /^(BEGIN|END):([A-Za-z0-9-]+)[ \t]*\r?\n?$/i.exec(raw.slice(0, 200));
    if (mark === null) {
      into.push(parseLine(raw));
      continue;
    }
    const name = (mark[2] ?? "").toUpperCase();
    if (mark[1]?.toUpperCase() === "BEGIN") {
      if (open.length >= 8) throw new BrokenCalendar(`BEGIN:${name} is nested too deeply`);
      const component: Component = { name, begin: raw, end: "", items: [] };
      into.push(component);
      open.push(component);
      continue;
    }
    const closed = open.pop();
    if (closed?.name !== name) {
      throw new BrokenCalendar(`END:${name} stands where ${closed?.name ?? "nothing"} is open`);
    }
    closed.end = raw;
  }
  const left = open.at(-1);
  if (left !== undefined) throw new BrokenCalendar(`the file ends inside ${left.name}`);
  return top;
}

export function serialize(items: readonly (Line | Component)[]): string {
  const parts: string[] = [];
  const add = (item: Line | Component): void => {
    if ("raw" in item) {
      parts.push(item.raw);
      return;
    }
    parts.push(item.begin);
    item.items.forEach(add);
    parts.push(item.end);
  };
  items.forEach(add);
  return parts.join("");
}

/** A property of our own making: parameters quoted, the line folded. The value is written as given. */
export function line(
  name: string,
  value: string,
  params: Readonly<Record<string, string | undefined>> = {},
): Line {
  const given = Object.entries(params).filter(([, text]) => text !== undefined && text !== "");
  const written = given.map(([key, text]) => `;${key}=${parameterText(text ?? "")}`);
  // Whatever came here: a line break in it would start a property of its own.
  const plain = `${name}${written.join("")}:${value}`.replace(/[\r\n]+/g, " ");
  return { ...parseLine(fold(plain)), raw: `${fold(plain)}\r\n` };
}

/** A TEXT value, escaped. */
export function escaped(text: string): string {
  return text
    .replace(/[\\;,]/g, "\\$&")
    .replace(/\r\n?|\n/g, "\\n")
    .replace(/[^\P{Cc}\t]/gu, "");
}

/** What a TEXT value says. */
export function unescaped(value: string): string {
  return value.replace(/\\([\\;,nN])/g, (_, letter: string) => {
    return letter === "n" || letter === "N" ? "\n" : letter;
  });
}

export function component(name: string, items: (Line | Component)[]): Component {
  return { name, begin: `BEGIN:${name}\r\n`, end: `END:${name}\r\n`, items };
}

/** The first property of a name. */
export function property(of: Component, name: string): Line | undefined {
  return properties(of, name)[0];
}

export function properties(of: Component, name: string): Line[] {
  return of.items.filter((item): item is Line => "raw" in item && item.name === name);
}

export function children(of: Component, name: string): Component[] {
  return of.items.filter((item): item is Component => !("raw" in item) && item.name === name);
}

/** A component with other properties of these names; they stand where the first of each stood. */
export function withLines(
  of: Component,
  changes: Readonly<Record<string, readonly Line[]>>,
): Component {
  const left = new Map(Object.entries(changes));
  const items = of.items.flatMap((item): (Line | Component)[] => {
    if (!("raw" in item) || !(item.name in changes)) return [item];
    const now = left.get(item.name) ?? [];
    left.delete(item.name);
    return [...now];
  });
  const place = items.findIndex((item) => !("raw" in item));
  items.splice(place === -1 ? items.length : place, 0, ...[...left.values()].flat());
  return { ...of, items };
}

function* logicalLines(text: string): Generator<string> {
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    at = newline === -1 ? text.length : newline + 1;
    const next = text[at];
    if (at < text.length && (next === " " || next === "\t")) continue;
    yield text.slice(start, at);
    start = at;
  }
}

function parseLine(raw: string): Line {
  const text = raw.replace(/\r?\n[ \t]/g, "").replace(/\r?\n$/, "");
  const colon = endOfHead(text);
  const head = text.slice(0, colon).replace(/^\uFEFF/, "");
  const [name = "", ...rest] = splitOutsideQuotes(head, ";");
  const params = new Map<string, string>();
  for (const part of rest.slice(0, 50)) {
    const equals = part.indexOf("=");
    if (equals > 0)
      params.set(part.slice(0, equals).toUpperCase(), unquoted(part.slice(equals + 1)));
  }
  // GROUP.NAME is vCard's habit; some calendars took it over.
  return {
    raw,
    name: name.slice(name.indexOf(".") + 1).toUpperCase(),
    params,
    value: text.slice(colon + 1),
  };
}

function endOfHead(text: string): number {
  let inQuotes = false;
  for (let at = 0; at < text.length && at < 65_536; at++) {
    if (text[at] === '"') inQuotes = !inQuotes;
    else if (text[at] === ":" && !inQuotes) return at;
  }
  const plain = text.indexOf(":");
  return plain === -1 ? text.length : plain;
}

function splitOutsideQuotes(text: string, mark: string): string[] {
  const parts: string[] = [];
  let [start, inQuotes] = [0, false];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') inQuotes = !inQuotes;
    else if (text[at] === mark && !inQuotes) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquoted(text: string): string {
  const plain = text.replace(/^"([^"]*)"$/, "$1");
  return plain.replace(/\^([n'^])/g, (_, letter: string) => {
    return letter === "n" ? "\n" : letter === "'" ? '"' : "^";
  });
}

function parameterText(text: string): string {
  const plain = text.replace(/["\p{Cc}]+/gu, " ").trim();
  return /[;:,]/.test(plain) ? `"${plain}"` : plain;
}

/** Lines of at most 75 octets; a letter is never cut in two. */
function fold(text: string): string {
  if (Buffer.byteLength(text) <= 75) return text;
  const lines: string[] = [];
  let [line, octets] = ["", 0];
  for (const letter of text) {
    const more = Buffer.byteLength(letter);
    if (octets + more > 75) {
      lines.push(line);
      [line, octets] = [" ", 1];
    }
    line += letter;
    octets += more;
  }
  return [...lines, line].join("\r\n");
}
