import { ToolError } from "../kit/tool-error.ts";

/** Folders of one name: however it is capitalised, "Projects/2026" or "Projects.2026". */
export function folderKey(name: string): string {
  const plain = name.trim().toLowerCase().replace(/\./g, "/");
  return plain === "" ? "inbox" : plain;
}

/** The directory of a new folder. Throws `ToolError` for a name that can't be one. */
export function directoryOf(name: string): string {
  const parts = name
    .trim()
    .split(/[/.]/)
    .map((part) => part.trim());
  const fits = parts.every((part) => /^[\p{L}\p{N}][\p{L}\p{N} _&'()+-]*$/u.test(part));
  const directory = `.${parts.join(".")}`;
  if (!fits || parts.length > 5 || Buffer.byteLength(directory) > 200) {
    throw new ToolError(
      `${JSON.stringify(name.slice(0, 80))} can't be the name of a folder. ` +
        "Use letters, digits, blanks and dashes, and / for a folder in a folder: Projects/Budget 2026.",
    );
  }
  return directory;
}

/** ".Projects.2026" is Projects/2026; names of IMAP servers are in modified UTF-7. */
export function decodedName(directory: string): string {
  return directory.slice(1).split(".").map(decodedPart).join("/");
}

function decodedPart(part: string): string {
  return part.replace(/&([A-Za-z0-9+,]*)-/g, (whole, code: string) => {
    if (code === "") return "&";
    const bytes = Buffer.from(code.replace(/,/g, "/"), "base64");
    if (bytes.length < 2 || bytes.length % 2 !== 0) return whole;
    return bytes.swap16().toString("utf16le");
  });
}
