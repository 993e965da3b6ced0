import { builtInFormat, builtInId, FIRST_CUSTOM } from "./number-formats.ts";
import { Element } from "./xml.ts";

/** What may be changed of how cells look. Colours are RRGGBB. */
export interface StyleChange {
  readonly numberFormat?: string | undefined;
  readonly bold?: boolean | undefined;
  readonly italic?: boolean | undefined;
  readonly underline?: boolean | undefined;
  readonly fontSize?: number | undefined;
  readonly fontColor?: string | undefined;
  /** "none" takes the fill away. */
  readonly fill?: string | undefined;
  readonly horizontal?: string | undefined;
  readonly vertical?: string | undefined;
  readonly wrap?: boolean | undefined;
  readonly border?: string | undefined;
}

/** The styles of a workbook: read by number, extended by adding, never changed in place. */
export class Styles {
  readonly #root: Element;
  readonly #derived = new Map<string, number>();

  /** `root`: the `<styleSheet>` of the book; new styles are added to it. */
  constructor(root: Element) {
    this.#root = root;
  }

  get count(): number {
    return this.#list("cellXfs").elements.length;
  }

  /** The number format of a style, such as "0.00%". */
  format(style: number): string {
    const id = Number(this.#list("cellXfs").elements[style]?.get("numFmtId") ?? 0);
    const own = this.#root.child("numFmts")?.elements.find((e) => e.get("numFmtId") === `${id}`);
    return own?.get("formatCode") ?? builtInFormat(id) ?? "General";
  }

  /** The style that is as `style` but for the change. */
  changed(style: number, change: StyleChange): number {
    const key = `${style} ${JSON.stringify(change)}`;
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const xfs = this.#list("cellXfs");
    const base = xfs.elements[style] ?? xfs.elements[0];
    const xf = base?.clone() ?? new Element('xf numFmtId="0" fontId="0" fillId="0" borderId="0"');
    this.#applyFormat(xf, change);
    this.#applyFont(xf, change);
    this.#applyFill(xf, change);
    this.#applyBorder(xf, change);
    applyAlignment(xf, change);
    const index = add(xfs, xf);
    this.#derived.set(key, index);
    return index;
  }

  /** What differs from plain in a few words, such as "bold, fill FFFF00". */
  describe(style: number): string {
    const xf = this.#list("cellXfs").elements[style];
    if (xf === undefined) return "";
    const font = this.#list("fonts").elements[Number(xf.get("fontId") ?? 0)];
    const fill = this.#list("fills").elements[Number(xf.get("fillId") ?? 0)]?.child("patternFill");
    const flag = (name: string) => {
      const found = font?.child(name);
      return found !== undefined && !["0", "false", "none"].includes(found.get("val") ?? "1");
    };
    const said: string[] = [];
    if (flag("b")) said.push("bold");
    if (flag("i")) said.push("italic");
    if (flag("u")) said.push("underline");
    const rgb = font?.child("color")?.get("rgb")?.slice(-6);
    if (rgb !== undefined && rgb !== "000000") said.push(`font ${rgb}`);
    const colour = fill?.get("patternType") === "solid" && fill.child("fgColor")?.get("rgb");
    if (colour) said.push(`fill ${colour.slice(-6)}`);
    return said.join(", ");
  }

  #applyFormat(xf: Element, { numberFormat }: StyleChange): void {
    if (numberFormat === undefined) return;
    xf.set("numFmtId", this.#formatId(numberFormat)).set("applyNumberFormat", 1);
  }

  #formatId(code: string): number {
    const built = builtInId(code);
    if (built !== undefined) return built;
    const list = this.#list("numFmts");
    const same = list.elements.find((e) => e.get("formatCode") === code);
    if (same !== undefined) return Number(same.get("numFmtId"));
    const used = list.elements.map((e) => Number(e.get("numFmtId")));
    const id = Math.max(FIRST_CUSTOM - 1, ...used) + 1;
    add(list, new Element("numFmt").set("numFmtId", id).set("formatCode", code));
    return id;
  }

  #applyFont(xf: Element, change: StyleChange): void {
    const { bold, italic, underline, fontSize, fontColor } = change;
    if ([bold, italic, underline, fontSize, fontColor].every((c) => c === undefined)) return;
    const fonts = this.#list("fonts");
    const old = fonts.elements[Number(xf.get("fontId") ?? 0)];
    const font = old?.clone() ?? new Element("font");
    toggle(font, "b", bold);
    toggle(font, "i", italic);
    toggle(font, "u", underline);
    if (fontSize !== undefined) replace(font, new Element("sz").set("val", fontSize));
    if (fontColor !== undefined) replace(font, new Element("color").set("rgb", `FF${fontColor}`));
    order(font, FONT_ORDER);
    xf.set("fontId", add(fonts, font)).set("applyFont", 1);
  }

  #applyFill(xf: Element, { fill }: StyleChange): void {
    if (fill === undefined) return;
    const colours = [
      new Element("fgColor").set("rgb", `FF${fill}`),
      new Element("bgColor").set("indexed", 64),
    ];
    const pattern = new Element("patternFill", colours).set("patternType", "solid");
    const none = new Element('patternFill patternType="none"');
    const made = new Element("fill", [fill === "none" ? none : pattern]);
    xf.set("fillId", add(this.#list("fills"), made)).set("applyFill", 1);
  }

  #applyBorder(xf: Element, { border }: StyleChange): void {
    if (border === undefined) return;
    const sides = ["left", "right", "top", "bottom"].map((side) => {
      if (border === "none") return new Element(side);
      return new Element(`${side} style="${border}"`, [new Element('color auto="1"')]);
    });
    const made = new Element("border", [...sides, new Element("diagonal")]);
    xf.set("borderId", add(this.#list("borders"), made)).set("applyBorder", 1);
  }

  #list(name: string): Element {
    const found = this.#root.child(name);
    if (found !== undefined) return found;
    const made = new Element(name, [], false);
    this.#root.children.push(made);
    order(this.#root, ["numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs"]);
    return made;
  }
}

function applyAlignment(xf: Element, { horizontal, vertical, wrap }: StyleChange): void {
  if (horizontal === undefined && vertical === undefined && wrap === undefined) return;
  const alignment = xf.child("alignment") ?? new Element("alignment");
  if (horizontal !== undefined) alignment.set("horizontal", horizontal);
  if (vertical !== undefined) alignment.set("vertical", vertical);
  if (wrap !== undefined) alignment.set("wrapText", wrap ? 1 : 0);
  xf.children = [alignment, ...xf.elements.filter((e) => e.local !== "alignment")];
  xf.set("applyAlignment", 1);
}

/** The place of `item` in a counted list, at whose end it is put if it is not there yet. */
function add(list: Element, item: Element): number {
  const text = item.toString();
  const at = list.elements.findIndex((other) => other.toString() === text);
  if (at >= 0) return at;
  list.children.push(item);
  list.set("count", list.elements.length);
  return list.elements.length - 1;
}

function toggle(font: Element, name: string, on: boolean | undefined): void {
  if (on === undefined) return;
  font.children = font.elements.filter((e) => e.local !== name);
  if (on) font.children.push(new Element(name));
}

function replace(parent: Element, child: Element): void {
  parent.children = [...parent.elements.filter((e) => e.local !== child.local), child];
}

/** The standard wants the children of some elements in an order: those named first, as named. */
function order(parent: Element, first: readonly string[]): void {
  const place = (e: Element) => (first.includes(e.local) ? first.indexOf(e.local) : first.length);
  parent.children = parent.elements
    .map((element, n) => ({ element, n }))
    .sort((a, b) => place(a.element) - place(b.element) || a.n - b.n)
    .map(({ element }) => element);
}

const FONT_ORDER = [
  ...["b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign"],
  ...["sz", "color", "name", "family", "charset", "scheme"],
];
