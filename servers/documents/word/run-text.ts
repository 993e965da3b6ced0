import { type Document, type Element, make, setAttr } from "./xml.ts";

const ORDER = (
  "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof " +
  "snapToGrid vanish webHidden color spacing w kern position sz szCs highlight u effect bdr shd " +
  "fitText vertAlign rtl cs em lang eastAsianLayout specVanish oMath"
).split(" ");

/** Properties of a run in the order that the schema asks for. */
export function inOrder(properties: readonly Element[]): Element[] {
  const place = (one: Element) => ORDER.indexOf(one.localName ?? "");
  return [...properties].sort((a, b) => place(a) - place(b));
}

/** `w:t`, `w:tab` and `w:br` for a text. */
export function textElements(document: Document, text: string, name = "w:t"): Element[] {
  return (text.match(/[^\t\n]+|\t|\n/g) ?? []).map((part) => {
    if (part === "\t") return make(document, "w:tab");
    if (part === "\n") return make(document, "w:br");
    const element = make(document, name, {}, [clean(part)]);
    if (/^\s|\s$|\s\s/.test(part)) setAttr(element, "xml:space", "preserve");
    return element;
  });
}

/** Without the letters that XML cannot hold. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "").toWellFormed();
}
