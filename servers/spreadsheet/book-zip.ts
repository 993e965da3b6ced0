import { ToolError } from "../kit/tool-error.ts";
import { Zip, type ZipKind } from "../kit/zip.ts";
import { LIMITS } from "./limits.ts";

export const BOOK_ZIP: ZipKind = {
  what: "workbook",
  entries: LIMITS.entries,
  packageBytes: LIMITS.packageBytes,
  partBytes: LIMITS.partBytes,
};

const OLE = Buffer.from("d0cf11e0a1b11ae1", "hex");

/** @throws ToolError for what is no sound zip archive, or beyond the limits. */
export function openBookZip(bytes: Buffer, path: string): Zip {
  if (bytes.subarray(0, 8).equals(OLE)) {
    throw new ToolError(
      `${path} is an encrypted workbook or one of the old .xls kind; neither can be opened here. ` +
        "Ask for a copy saved as .xlsx without a password.",
    );
  }
  try {
    return Zip.open(bytes, BOOK_ZIP);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError(
      `${path} is no readable .xlsx file: ${why}. If it is text, use import_csv or a text tool.`,
      { cause },
    );
  }
}
