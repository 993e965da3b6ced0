import type { WordFile } from "./word-file.ts";
import { attr, childOf, childrenOf, type Element, valOf } from "./xml.ts";

export interface Style {
  readonly id: string;
  /** As people see it: "heading 1", "List Bullet". */
  readonly name: string;
  readonly type: string;
  readonly base: string | undefined;
  readonly element: Element;
}

/** Of styles for tables only the names are asked for; in many files they are nine tenths of all. */
function withoutTableLooks(xml: string): string {
  const table = /(<w:style\b[^>]*w:type="table"[^>]*>)([\s\S]*?)(<\/w:style>)/g;
  return xml.replace(table, (_, open: string, inner: string, close: string) => {
    return open + (/<w:name\b[^>]*\/>/.exec(inner)?.[0] ?? "") + close;
  });
}

/** The styles of a Word file, by id and by name. */
export class Styles {
  readonly #byId = new Map<string, Style>();
  readonly usual: string | undefined;

  constructor(file: WordFile) {
    const part = file.related("styles");
    const root = part === undefined ? null : file.glance(part, withoutTableLooks).documentElement;
    let usual: string | undefined;
    for (const element of root === null ? [] : childrenOf(root, "w:style")) {
      const id = attr(element, "w:styleId") ?? "";
      const type = attr(element, "w:type") ?? "paragraph";
      const style = { id, type, element, base: valOf(element, "w:basedOn") };
      this.#byId.set(id, { ...style, name: valOf(element, "w:name") ?? id });
      if (type === "paragraph" && attr(element, "w:default") === "1") usual = id;
    }
    this.usual = usual;
  }

  get(id: string | undefined): Style | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** By name or id, however its letters are cased. */
  named(name: string, type = "paragraph"): Style | undefined {
    const wanted = name.trim().toLowerCase();
    const all = [...this.#byId.values()].filter((style) => style.type === type);
    return (
      all.find((style) => style.name.toLowerCase() === wanted) ??
      all.find((style) => style.id.toLowerCase() === wanted)
    );
  }

  names(type = "paragraph"): string[] {
    return [...this.#byId.values()].filter((s) => s.type === type).map((s) => s.name);
  }

  /** The style and those that it is based on, itself first. */
  chain(id: string | undefined): Style[] {
    const found: Style[] = [];
    for (let style = this.get(id); style !== undefined; style = this.get(style.base)) {
      if (found.includes(style) || found.length > 20) break;
      found.push(style);
    }
    return found;
  }

  /** 1 to 9 for a heading, 0 for a title, undefined for all else. */
  level(paragraph: Element): number | undefined {
    const properties = childOf(paragraph, "w:pPr");
    for (const style of this.chain(valOf(properties, "w:pStyle"))) {
      const name = style.name.toLowerCase();
      const number = /^heading (\d)$/.exec(name)?.[1];
      if (number !== undefined) return Number(number);
      if (name === "title") return 0;
      const outline = valOf(childOf(style.element, "w:pPr"), "w:outlineLvl");
      if (outline !== undefined && Number(outline) < 9) return Number(outline) + 1;
    }
    const own = valOf(properties, "w:outlineLvl");
    return own !== undefined && Number(own) < 9 ? Number(own) + 1 : undefined;
  }

  /** A property of a paragraph: its own, or its style's. */
  paragraphProperty(paragraph: Element, name: string): Element | undefined {
    const properties = childOf(paragraph, "w:pPr");
    const own = childOf(properties, name);
    if (own !== undefined) return own;
    for (const style of this.chain(valOf(properties, "w:pStyle") ?? this.usual)) {
      const found = childOf(childOf(style.element, "w:pPr"), name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
