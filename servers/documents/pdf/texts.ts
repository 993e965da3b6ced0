import { OPS, Util } from "pdfjs-dist/legacy/build/pdf.mjs";
import type { PDFPageProxy } from "./open.ts";

/** A stretch of text on a page; points from the page's top left corner. */
export interface PdfText {
  readonly text: string;
  readonly x: number;
  /** Of the line that the letters stand on. */
  readonly y: number;
  readonly width: number;
  readonly size: number;
}

/** A drawn line, or a rectangle as thin as one. */
export interface Ruling {
  readonly upright: boolean;
  /** x of an upright one, y of a level one. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export interface PdfSheet {
  readonly width: number;
  readonly height: number;
  readonly texts: readonly PdfText[];
  readonly rulings: readonly Ruling[];
  readonly images: number;
}

type Matrix = readonly number[];

const MAX_TEXTS = 60_000;
const MAX_RULINGS = 6_000;
const THIN = 3;

/** What a page has, as drawn: texts, lines, how many images. */
export async function sheetOf(page: PDFPageProxy): Promise<PdfSheet> {
  const view = page.getViewport({ scale: 1 });
  const { items } = await page.getTextContent();
  const texts: PdfText[] = [];
  for (const item of items) {
    if (!("str" in item) || item.str.trim() === "" || texts.length >= MAX_TEXTS) continue;
    const [, , c = 0, d = 0, x = 0, y = 0] = Util.transform(view.transform, item.transform);
    const size = Math.hypot(c, d) || item.height || 1;
    texts.push({ text: letters(item.str), x, y, width: item.width, size });
  }
  return {
    width: view.width,
    height: view.height,
    texts,
    ...(await drawings(page, view.transform)),
  };
}

async function drawings(page: PDFPageProxy, base: Matrix) {
  const rulings: Ruling[] = [];
  let images = 0;
  const { fnArray, argsArray } = await page.getOperatorList();
  const saved: Matrix[] = [];
  let matrix = base;
  for (let n = 0; n < fnArray.length; n++) {
    const [code, args] = [fnArray[n], argsArray[n]];
    if (code === OPS.save || code === OPS.paintFormXObjectBegin) {
      saved.push(matrix);
      const own = code === OPS.save ? undefined : args?.[0];
      if (Array.isArray(own)) matrix = Util.transform([...matrix], [...own]);
    } else if (code === OPS.restore || code === OPS.paintFormXObjectEnd) {
      matrix = saved.pop() ?? base;
    } else if (code === OPS.transform) matrix = Util.transform([...matrix], [...args]);
    else if (code === OPS.paintImageXObject || code === OPS.paintInlineImageXObject) images++;
    else if (code === OPS.constructPath && args[0] !== OPS.endPath) {
      if (rulings.length < MAX_RULINGS) rulings.push(...rulingsOf(args[1]?.[0], matrix));
    }
  }
  return { rulings, images };
}

/** The level and upright lines of a path: numbers, each step led by its kind. */
function rulingsOf(path: ArrayLike<number> | null | undefined, matrix: Matrix): Ruling[] {
  if (path === null || path === undefined || path.length > 2_000) return [];
  const outlines: [number, number][][] = [];
  let at = 0;
  const next = () => path[at++] ?? 0;
  while (at < path.length) {
    const step = next();
    if (step === 0) outlines.push([]);
    if (step === 2) at += 4;
    if (step === 3) at += 2;
    const outline = outlines.at(-1);
    if (step === 4) {
      const first = outline?.[0];
      if (first !== undefined) outline?.push(first);
    } else outline?.push(placed(next(), next(), matrix));
  }
  return outlines.flatMap(linesOfOutline);
}

function placed(
  x: number,
  y: number,
  [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: Matrix,
): [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

function linesOfOutline(points: readonly [number, number][]): Ruling[] {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, right, top, bottom] = [
    Math.min(...xs),
    Math.max(...xs),
    Math.min(...ys),
    Math.max(...ys),
  ];
  if (points.length < 2) return [];
  if (bottom - top <= THIN || right - left <= THIN) {
    const upright = bottom - top > right - left;
    const range = upright ? { from: top, to: bottom } : { from: left, to: right };
    if (range.to - range.from < 4) return [];
    return [{ upright, at: upright ? (left + right) / 2 : (top + bottom) / 2, ...range }];
  }
  return points.slice(1).flatMap(([x, y], n): Ruling[] => {
    const [fromX, fromY] = points[n] ?? [x, y];
    if (Math.abs(x - fromX) < 0.5 && Math.abs(y - fromY) > 4) {
      return [{ upright: true, at: x, from: Math.min(y, fromY), to: Math.max(y, fromY) }];
    }
    if (Math.abs(y - fromY) < 0.5 && Math.abs(x - fromX) > 4) {
      return [{ upright: false, at: y, from: Math.min(x, fromX), to: Math.max(x, fromX) }];
    }
    return [];
  });
}

/** Letters that fonts draw as one ("ﬁ") are two to a reader. */
function letters(text: string): string {
  return text.replace(/[\ufb00-\ufb06]/g, (one) => one.normalize("NFKC")).replace(/\s+/g, " ");
}
