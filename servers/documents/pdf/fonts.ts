import { existsSync, readFileSync } from "node:fs";
import type { PDFDocument, PDFFont } from "pdf-lib";

const FOLDER = "/usr/share/fonts/truetype/dejavu";

export interface Fonts {
  readonly usual: PDFFont;
  readonly bold: PDFFont;
  readonly mono: PDFFont;
  /** What can be written; all else becomes "?". */
  has(letter: string): boolean;
  /** Letters that were not there. */
  readonly missing: Set<string>;
}

/**
 * The fonts for a text: those that every PDF reader has, if they have all its letters (they know
 * Windows-1252); else DejaVu, embedded, if this machine has it.
 */
export async function fontsFor(file: PDFDocument, text: string): Promise<Fonts> {
  const { StandardFonts } = await import("pdf-lib");
  const [usual, bold, mono] = await Promise.all([
    file.embedFont(StandardFonts.Helvetica),
    file.embedFont(StandardFonts.HelveticaBold),
    file.embedFont(StandardFonts.Courier),
  ]);
  const missing = new Set<string>();
  const known = new Set(usual.getCharacterSet());
  const simple = { usual, bold, mono, missing, has: knows(known) };
  if ([...new Set(text)].every((letter) => simple.has(letter))) return simple;
  const paths = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"];
  if (!paths.every((path) => existsSync(`${FOLDER}/${path}`))) return simple;
  const { default: fontkit } = await import("@pdf-lib/fontkit");
  file.registerFontkit(fontkit);
  const embed = (name: string) =>
    file.embedFont(readFileSync(`${FOLDER}/${name}.ttf`), { subset: true, customName: name });
  const [wide, wideBold, wideMono] = [
    await embed("DejaVuSans"),
    await embed("DejaVuSans-Bold"),
    await embed("DejaVuSansMono"),
  ];
  const has = knows(new Set(wide.getCharacterSet()));
  return { usual: wide, bold: wideBold, mono: wideMono, missing, has };
}

function knows(codes: ReadonlySet<number>): (letter: string) => boolean {
  return (letter) => letter === "\n" || codes.has(letter.codePointAt(0) ?? 0);
}
