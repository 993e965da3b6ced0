import type { Element } from "./xml.ts";

/** The order in which the standard wants the parts of a worksheet. */
const ORDER = (
  "sheetPr dimension sheetViews sheetFormatPr cols sheetData sheetCalcPr sheetProtection " +
  "protectedRanges scenarios autoFilter sortState dataConsolidate customSheetViews mergeCells " +
  "phoneticPr conditionalFormatting dataValidations hyperlinks printOptions pageMargins pageSetup " +
  "headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags drawing " +
  "legacyDrawing legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts " +
  "extLst"
).split(" ");

/** Puts a part into a worksheet where it belongs. */
export function placeInOrder(root: Element, part: Element): void {
  const rank = ORDER.indexOf(part.local);
  const at = root.children.findIndex((child) => {
    return typeof child !== "string" && ORDER.indexOf(child.local) > rank;
  });
  root.children.splice(at < 0 ? root.children.length : at, 0, part);
}
