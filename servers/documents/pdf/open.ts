import "pdfjs-dist/legacy/build/pdf.worker.mjs";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  getDocument,
  type PDFDocumentProxy,
  type PDFPageProxy,
  VerbosityLevel,
} from "pdfjs-dist/legacy/build/pdf.mjs";
import { ToolError } from "../../kit/tool-error.ts";
import { LIMITS } from "../limits.ts";

export type { PDFDocumentProxy, PDFPageProxy };

/**
 * Opens a PDF with pdf.js, in this process: written in JavaScript, it cannot be made to run what a
 * hostile file brings, as programs in C++ can. Neither scripts nor functions of the file are run.
 */
export async function openPdf(bytes: Uint8Array): Promise<PDFDocumentProxy> {
  const data = packageFolder();
  const loading = getDocument({
    data: new Uint8Array(bytes),
    useSystemFonts: false,
    disableFontFace: true,
    stopAtErrors: false,
    enableXfa: false,
    useWorkerFetch: false,
    maxImageSize: 64 * 1024 * 1024,
    verbosity: VerbosityLevel.ERRORS,
    ...(data !== undefined && {
      cMapUrl: `${data}cmaps/`,
      cMapPacked: true,
      standardFontDataUrl: `${data}standard_fonts/`,
      wasmUrl: `${data}wasm/`,
    }),
  });
  try {
    const file = await loading.promise;
    if (file.numPages <= LIMITS.pdfPages) return file;
    await loading.destroy();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "PasswordException") {
      throw new ToolError(
        "The PDF is protected by a password and cannot be opened here. Ask for a copy without.",
        { cause: error },
      );
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new ToolError(`The file is no readable PDF: ${why} It may be damaged or cut short.`, {
      cause: error,
    });
  }
  throw new ToolError(
    `The PDF has more than ${LIMITS.pdfPages} pages. Split it with pdfseparate in the terminal.`,
  );
}

/** The package's data, which Asian fonts and some images need: beside this bundle, or the package's own. */
function packageFolder(): string | undefined {
  const places = ["./", "../../../"].map((up) => `${up}node_modules/pdfjs-dist/`);
  const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return paths.find((path) => existsSync(`${path}cmaps`));
}

/** A page by its number from 1. @throws ToolError if there is none, or it is damaged. */
export async function pageOfPdf(file: PDFDocumentProxy, number: number): Promise<PDFPageProxy> {
  if (number > file.numPages) {
    const pages = file.numPages === 1 ? "1 page" : `${file.numPages} pages`;
    throw new ToolError(`The PDF has ${pages}; there is no page ${number}.`);
  }
  return await ofPage(number, file.getPage(number));
}

/** What pdf.js says of a page that it cannot make sense of, as a mistake in the file. */
export async function ofPage<T>(number: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    throw new ToolError(`Page ${number} of the PDF is damaged and cannot be read.`, { cause });
  }
}
