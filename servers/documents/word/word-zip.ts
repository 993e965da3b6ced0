import { ToolError } from "../../kit/tool-error.ts";
import { Zip, type ZipKind } from "../../kit/zip.ts";
import { LIMITS } from "../limits.ts";

export const WORD_ZIP: ZipKind = {
  what: "document",
  entries: LIMITS.zipEntries,
  packageBytes: LIMITS.packageBytes,
  partBytes: LIMITS.xmlBytes,
};

/** @throws ToolError for what is no sound zip archive, or beyond the limits. */
export function openWordZip(bytes: Buffer): Zip {
  try {
    return Zip.open(bytes, WORD_ZIP);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ToolError(`The file is no readable Word document: ${why}.`, { cause });
  }
}
