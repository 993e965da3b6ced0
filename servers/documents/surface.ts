import type { Surface } from "../kit/surface.ts";
import { Engine } from "./engine.ts";
import { readingTools } from "./tools/reading.ts";
import { reviewTools } from "./tools/review.ts";
import { writingTools } from "./tools/writing.ts";

/** Word documents, PDFs, Markdown, HTML and text: read, searched, made, edited, converted. */
export const documentsSurface: Surface = (world) => {
  const parts = { world, engine: new Engine() };
  return {
    name: "documents",
    title: "Documents",
    instructions:
      "Works on documents in the workspace: Word (.docx), PDF, Markdown, HTML, e-mail and text. " +
      "read_document shows a document as blocks with ids; edit_blocks, edit_table and add_comment " +
      "take these ids. An id stays good while its block is unchanged. Edits of a .docx keep all " +
      "that they do not touch.",
    tools: [...readingTools(parts), ...writingTools(parts), ...reviewTools(parts)],
  };
};
