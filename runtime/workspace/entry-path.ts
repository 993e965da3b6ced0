/** What is wrong with a path for a snapshot, as the end of a sentence; undefined if nothing is. */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.includes("\0")) return "has a NUL in it";
  if (path.startsWith("/")) return "is absolute";
  if (!path.isWellFormed()) return "is not valid Unicode";
  for (const segment of path.split("/")) {
    if (segment === "") return "has an empty segment";
    if (segment === "." || segment === "..") return `has a segment "${segment}"`;
  }
  return undefined;
}

/** The order of a snapshot: by the bytes of the paths' UTF-8, so a parent comes before its children. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

/** The path of the directory that holds `path`; empty if that is the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** A path for a message: quoted, at most some 200 letters, what a terminal would obey escaped. */
export function shown(path: string): string {
  const short = path.length > 200 ? `${path.slice(0, 90)} … ${path.slice(-90)}` : path;
  return `"${short.toWellFormed().replace(UNPRINTABLE, escaped).replaceAll('"', '\\"')}"`;
}

/** Control and format characters (bidirectional overrides are of these) and line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(letter: string): string {
  return `\\u{${letter.codePointAt(0)?.toString(16)}}`;
}

/** UTF-16 sorts surrogates before U+E000 to U+FFFF, UTF-8 sorts what they stand for after it. */
function utf8Rank(codeUnit: number): number {
  if (codeUnit >= 0xe000) return codeUnit - 0x800;
  return codeUnit >= 0xd800 ? codeUnit + 0x2000 : codeUnit;
}
