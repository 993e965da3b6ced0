import type { Block } from "../model/blocks.ts";
import type { WordFile } from "./word-file.ts";
import { attr, childrenOf, type Document, type Element, make, W } from "./xml.ts";

const BULLETS = ["•", "◦", "▪"];

/** Makes the numbering that lists of new paragraphs hang on; each list counts on its own. */
export class ListMaker {
  readonly #part: string;
  readonly #file: WordFile;
  readonly #root: Element;
  readonly #document: Document;
  /** Of the list that is being written: its `w:numId`, for bullets and for numbers. */
  #open = new Map<string, string>();
  readonly #templates = new Map<string, string>();

  constructor(file: WordFile) {
    this.#file = file;
    this.#part = file.requirePart("numbering", {
      name: "numbering.xml",
      content: "numbering",
      xml: `<w:numbering xmlns:w="${W}"/>`,
    });
    this.#document = file.part(this.#part);
    const root = this.#document.documentElement;
    if (root === null) throw new Error("numbering without a root");
    this.#root = root;
  }

  /** What comes next is a list of its own. */
  end(): void {
    this.#open = new Map();
  }

  /** `w:numPr` for an item. */
  properties(document: Document, { ordered, level, label }: Block & { kind: "item" }): Element {
    const depth = Math.min(8, level);
    const key = `${ordered ? "number" : "bullet"} ${ordered ? depth : ""}`;
    // Items of a lower level end the count of those above it.
    for (const other of this.#open.keys()) {
      if (other.startsWith("number") && Number(other.slice(7)) > depth) this.#open.delete(other);
    }
    const start = Number(/\d+/.exec(label)?.[0] ?? 1);
    const id = this.#open.get(key) ?? this.#newList(ordered, depth, start);
    this.#open.set(key, id);
    return make(document, "w:numPr", {}, [
      make(document, "w:ilvl", { "w:val": String(depth) }),
      make(document, "w:numId", { "w:val": id }),
    ]);
  }

  #newList(ordered: boolean, level: number, start: number): string {
    const template = this.#template(ordered);
    const id = String(this.#highest("w:num", "w:numId") + 1);
    const num = this.#make("w:num", { "w:numId": id }, [
      this.#make("w:abstractNumId", { "w:val": template }),
    ]);
    if (ordered) {
      const first = this.#make("w:startOverride", { "w:val": String(start) });
      num.appendChild(this.#make("w:lvlOverride", { "w:ilvl": String(level) }, [first]));
    }
    this.#root.appendChild(num);
    this.#file.touch(this.#part);
    return id;
  }

  #template(ordered: boolean): string {
    const kind = ordered ? "number" : "bullet";
    const known = this.#templates.get(kind);
    if (known !== undefined) return known;
    const id = String(this.#highest("w:abstractNum", "w:abstractNumId") + 1);
    const levels = Array.from({ length: 9 }, (_, n) => this.#level(n, ordered));
    const type = this.#make("w:multiLevelType", { "w:val": "hybridMultilevel" });
    const one = this.#make("w:abstractNum", { "w:abstractNumId": id }, [type, ...levels]);
    // The schema wants all of these before the first w:num.
    this.#root.insertBefore(one, childrenOf(this.#root, "w:num")[0] ?? null);
    this.#templates.set(kind, id);
    return id;
  }

  #level(n: number, ordered: boolean): Element {
    const format = ordered ? "decimal" : "bullet";
    const text = ordered ? `%${n + 1}.` : (BULLETS[n % 3] ?? "•");
    const left = String(720 * (n + 1));
    const ind = this.#make("w:ind", { "w:left": left, "w:hanging": "360" });
    return this.#make("w:lvl", { "w:ilvl": String(n) }, [
      this.#make("w:start", { "w:val": "1" }),
      this.#make("w:numFmt", { "w:val": format }),
      this.#make("w:lvlText", { "w:val": text }),
      this.#make("w:lvlJc", { "w:val": "left" }),
      this.#make("w:pPr", {}, [ind]),
    ]);
  }

  #highest(name: string, id: string): number {
    const numbers = childrenOf(this.#root, name).map((one) => Number(attr(one, id)) || 0);
    return numbers.reduce((most, n) => Math.max(most, n), 0);
  }

  #make(
    name: string,
    attributes: Readonly<Record<string, string>> = {},
    children: readonly Element[] = [],
  ): Element {
    return make(this.#document, name, attributes, children);
  }
}
