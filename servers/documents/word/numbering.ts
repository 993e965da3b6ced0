import type { Styles } from "./styles.ts";
import type { WordFile } from "./word-file.ts";
import { attr, childOf, childrenOf, type Element, valOf } from "./xml.ts";

interface Level {
  readonly format: string;
  readonly text: string;
  readonly start: number;
}

interface List {
  readonly abstract: string;
  readonly levels: ReadonlyMap<number, Level>;
  /** Levels that this list counts anew. */
  readonly restarts: ReadonlyMap<number, number>;
}

export interface Label {
  readonly level: number;
  /** As printed: "2.1", "•", "c)". */
  readonly text: string;
  readonly ordered: boolean;
}

/** Counts the numbered paragraphs of a Word file as they are met, from the first to the last. */
export class Numbering {
  readonly #lists = new Map<string, List>();
  readonly #counts = new Map<string, number[]>();
  readonly #begun = new Set<string>();
  readonly #styles: Styles;

  constructor(file: WordFile, styles: Styles) {
    this.#styles = styles;
    const part = file.related("numbering");
    const root = part === undefined ? null : file.part(part).documentElement;
    if (root === null) return;
    const abstracts = new Map(
      childrenOf(root, "w:abstractNum").map((one) => [attr(one, "w:abstractNumId") ?? "", one]),
    );
    for (const num of childrenOf(root, "w:num")) {
      const abstract = valOf(num, "w:abstractNumId") ?? "";
      this.#lists.set(attr(num, "w:numId") ?? "", listOf(num, abstract, abstracts.get(abstract)));
    }
  }

  /** The label of a paragraph, if it is numbered or bulleted. Call it once for each, in order. */
  next(paragraph: Element): Label | undefined {
    const properties = this.#styles.paragraphProperty(paragraph, "w:numPr");
    const id = valOf(properties, "w:numId");
    const list = id === undefined ? undefined : this.#lists.get(id);
    if (id === undefined || id === "0" || list === undefined) return undefined;
    const asked = Number(valOf(properties, "w:ilvl") ?? 0);
    const level = Math.min(8, Math.max(0, Number.isInteger(asked) ? asked : 0));
    const facts = list.levels.get(level);
    if (facts === undefined || facts.format === "none") return undefined;
    if (facts.format === "bullet") return { level, text: "•", ordered: false };
    const counts = this.#counted(id, list, level);
    const text = facts.text.replace(/%(\d)/g, (_, digit: string) => {
      const at = Number(digit) - 1;
      const other = list.levels.get(at);
      return spelled(counts[at] ?? other?.start ?? 1, other?.format ?? "decimal");
    });
    return { level, text: text.trim(), ordered: true };
  }

  #counted(id: string, list: List, level: number): number[] {
    const counts = this.#counts.get(list.abstract) ?? [];
    this.#counts.set(list.abstract, counts);
    if (!this.#begun.has(id)) {
      this.#begun.add(id);
      for (const at of list.restarts.keys()) counts.length = Math.min(counts.length, at);
    }
    const start = (at: number) => list.restarts.get(at) ?? list.levels.get(at)?.start ?? 1;
    for (let at = 0; at < level; at++) counts[at] ??= start(at);
    const before = counts[level];
    counts[level] = before === undefined ? start(level) : before + 1;
    counts.length = level + 1;
    return counts;
  }
}

function listOf(num: Element, abstract: string, element: Element | undefined): List {
  const levels = new Map<number, Level>();
  const restarts = new Map<number, number>();
  for (const level of element === undefined ? [] : childrenOf(element, "w:lvl")) {
    levels.set(Number(attr(level, "w:ilvl")), levelOf(level));
  }
  for (const override of childrenOf(num, "w:lvlOverride")) {
    const at = Number(attr(override, "w:ilvl"));
    const level = childOf(override, "w:lvl");
    if (level !== undefined) levels.set(at, levelOf(level));
    const start = valOf(override, "w:startOverride");
    if (start !== undefined) restarts.set(at, Number(start));
  }
  return { abstract, levels, restarts };
}

function levelOf(level: Element): Level {
  return {
    format: valOf(level, "w:numFmt") ?? "decimal",
    text: valOf(level, "w:lvlText") ?? "",
    start: Number(valOf(level, "w:start") ?? 1),
  };
}

const ROMAN = [
  ...([
    ["m", 1000],
    ["cm", 900],
    ["d", 500],
    ["cd", 400],
    ["c", 100],
    ["xc", 90],
  ] as const),
  ...([
    ["l", 50],
    ["xl", 40],
    ["x", 10],
    ["ix", 9],
    ["v", 5],
    ["iv", 4],
    ["i", 1],
  ] as const),
];

/** A number as a list writes it. */
function spelled(value: number, format: string): string {
  if (format === "lowerLetter" || format === "upperLetter") {
    const letter = String.fromCharCode(97 + ((value - 1) % 26));
    const text = letter.repeat(Math.min(10, Math.floor((value - 1) / 26) + 1));
    return format === "lowerLetter" ? text : text.toUpperCase();
  }
  if (format === "lowerRoman" || format === "upperRoman") {
    let [left, text] = [Math.min(value, 4999), ""];
    for (const [letters, worth] of ROMAN) {
      for (; left >= worth; left -= worth) text += letters;
    }
    return format === "lowerRoman" ? text : text.toUpperCase();
  }
  if (format === "decimalZero") return String(value).padStart(2, "0");
  return String(value);
}
