import type { Book } from "./book.ts";
import { DECLARATION } from "./opc.ts";

const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const DYNAMIC = "http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheetMetadata+xml";

/** The attribute that makes an array formula one that fills as many cells as it needs. */
export function dynamicMark(book: Book): string {
  const { opc, part } = book;
  const found = opc.relations(part).find(({ type }) => type === "sheetMetadata");
  if (found === undefined) {
    const name = opc.freeName("xl/metadata", ".xml").replace("metadata1.xml", "metadata.xml");
    opc.add(name, METADATA, TYPE);
    opc.relate(part, "sheetMetadata", name);
    return ' cm="1"';
  }
  const { root } = opc.xml(found.target);
  const types = root.child("metadataTypes")?.all("metadataType") ?? [];
  const own = types.findIndex((type) => type.get("name") === "XLDAPR") + 1;
  const marks = root.child("cellMetadata")?.all("bk") ?? [];
  const at = marks.findIndex((mark) => mark.child("rc")?.get("t") === String(own));
  if (own > 0 && at >= 0) return ` cm="${at + 1}"`;
  // Other marks are there, and none for this: the formula stays one of a fixed size.
  return "";
}

const METADATA =
  `${DECLARATION}<metadata xmlns="${MAIN}" xmlns:xda="${DYNAMIC}"><metadataTypes count="1">` +
  '<metadataType name="XLDAPR" minSupportedVersion="120000" copy="1" pasteAll="1" ' +
  'pasteValues="1" merge="1" splitFirst="1" rowColShift="1" clearFormats="1" clearComments="1" ' +
  'assign="1" coerce="1" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1">' +
  '<bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}">' +
  '<xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk>' +
  '</futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>';
