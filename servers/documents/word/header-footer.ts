import { ToolError } from "../../kit/tool-error.ts";
import { textElements } from "./run-text.ts";
import type { WordFile } from "./word-file.ts";
import { WordWriter } from "./write-word.ts";
import {
  attr,
  childrenOf,
  descendants,
  type Element,
  elements,
  make,
  nameOf,
  R,
  remove,
  W,
} from "./xml.ts";

export interface AroundPage {
  readonly where: "header" | "footer";
  readonly pages: "default" | "first" | "even";
  /** Tabs part left, middle and right; {page} and {pages} are numbers. Empty: none. */
  readonly text: string;
  /** Whether images and tables that are there may go. */
  readonly replace: boolean;
}

/** Sets the header or footer of all sections; how many sections there are. */
export function setAroundPage(file: WordFile, wanted: AroundPage): number {
  const { where, pages, text } = wanted;
  const sections = sectionsOf(file);
  requireReplaceable(file, sections, wanted);
  const id = text === "" && pages === "default" ? undefined : newPart(file, where, text);
  for (const section of sections) {
    for (const old of childrenOf(section, `w:${where}Reference`)) {
      if ((attr(old, "w:type") ?? "default") === pages) remove(old);
    }
    if (id === undefined) continue;
    const facts = { "w:type": pages, "r:id": id };
    const reference = make(file.document, `w:${where}Reference`, facts);
    section.insertBefore(reference, section.firstChild);
    if (pages === "first") requireTitlePage(file, section);
  }
  if (pages === "even") requireEvenPages(file);
  file.touch(file.main);
  return sections.length;
}

function sectionsOf(file: WordFile): Element[] {
  const found = descendants(file.body, "w:sectPr").filter((one) => {
    return one.parentNode === null || nameOf(one.parentNode) !== "w:sectPrChange";
  });
  if (found.length > 0) return found;
  const made = make(file.document, "w:sectPr");
  file.body.appendChild(made);
  return [made];
}

function requireReplaceable(
  file: WordFile,
  sections: readonly Element[],
  { where, pages, replace }: AroundPage,
): void {
  const relations = file.relations(file.main);
  for (const section of replace ? [] : sections) {
    for (const one of childrenOf(section, `w:${where}Reference`)) {
      if ((attr(one, "w:type") ?? "default") !== pages) continue;
      const target = relations.find(({ id }) => id === attr(one, "r:id"))?.target;
      if (target === undefined || !file.has(target)) continue;
      const precious = descendants(file.part(target), "w:drawing", "w:pict", "w:tbl", "w:object");
      if (precious.length === 0) continue;
      throw new ToolError(
        `The ${where} has an image or a table, which would be lost. Change words in it with ` +
          `replace_text, or set "replace": true to put the new text in its place.`,
      );
    }
  }
}

function newPart(file: WordFile, where: "header" | "footer", text: string): string {
  const root = where === "header" ? "w:hdr" : "w:ftr";
  const xml = `<${root} xmlns:w="${W}" xmlns:r="${R}"/>`;
  const { name, id } = file.addPart(where, { name: `${where}1.xml`, content: where, xml });
  const document = file.part(name);
  const lines = text.split("\n").map((line) => {
    const [paragraph] = new WordWriter(file, { style: where }, name).elements([
      { kind: "paragraph", inlines: [], style: where },
    ]);
    const made = paragraph ?? make(document, "w:p");
    for (const run of fieldRuns(file, name, line)) made.appendChild(run);
    return made;
  });
  for (const line of lines) document.documentElement?.appendChild(line);
  return id;
}

const FIELDS: Readonly<Record<string, string>> = { "{page}": "PAGE", "{pages}": "NUMPAGES" };

function fieldRuns(file: WordFile, part: string, line: string): Element[] {
  const document = file.part(part);
  return line
    .split(/(\{pages?\})/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const code = FIELDS[piece];
      if (code === undefined) return make(document, "w:r", {}, textElements(document, piece));
      const shown = make(document, "w:r", {}, textElements(document, "1"));
      return make(document, "w:fldSimple", { "w:instr": ` ${code} ` }, [shown]);
    });
}

const AFTER_TITLE_PAGE = new Set(
  ["textDirection", "bidi", "rtlGutter", "docGrid", "printerSettings", "sectPrChange"].map(
    (name) => `w:${name}`,
  ),
);

function requireTitlePage(file: WordFile, section: Element): void {
  for (const old of childrenOf(section, "w:titlePg")) remove(old);
  const later = elements(section).find((one) => AFTER_TITLE_PAGE.has(nameOf(one)));
  section.insertBefore(make(file.document, "w:titlePg"), later ?? null);
}

/** What comes before `w:evenAndOddHeaders` in the settings; the schema wants an order. */
const BEFORE_EVEN = new Set(
  (
    "writeProtection view zoom removePersonalInformation removeDateAndTime " +
    "doNotDisplayPageBoundaries displayBackgroundShape printPostScriptOverText " +
    "printFractionalCharacterWidth printFormsData embedTrueTypeFonts embedSystemFonts " +
    "saveSubsetFonts saveFormsData mirrorMargins alignBordersAndEdges " +
    "bordersDoNotSurroundHeader bordersDoNotSurroundFooter gutterAtTop hideSpellingErrors " +
    "hideGrammaticalErrors activeWritingStyle proofState formsDesign attachedTemplate linkStyles " +
    "stylePaneFormatFilter stylePaneSortMethod documentType mailMerge revisionView " +
    "trackRevisions doNotTrackMoves doNotTrackFormatting documentProtection autoFormatOverride " +
    "styleLockTheme styleLockQFSet defaultTabStop autoHyphenation consecutiveHyphenLimit " +
    "hyphenationZone doNotHyphenateCaps showEnvelope summaryLength clickAndTypeStyle " +
    "defaultTableStyle"
  )
    .split(" ")
    .map((name) => `w:${name}`),
);

function requireEvenPages(file: WordFile): void {
  if (file.setting("w:evenAndOddHeaders")) return;
  const xml = `<w:settings xmlns:w="${W}"/>`;
  const part = file.requirePart("settings", { name: "settings.xml", content: "settings", xml });
  const root = file.part(part).documentElement;
  if (root === null) return;
  for (const old of childrenOf(root, "w:evenAndOddHeaders")) remove(old);
  const later = elements(root).find((one) => !BEFORE_EVEN.has(nameOf(one)));
  root.insertBefore(make(file.part(part), "w:evenAndOddHeaders"), later ?? null);
  file.touch(part);
}
