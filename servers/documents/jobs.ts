import type { JobResult } from "./engine.ts";

type Work = (input: never) => Promise<JobResult>;

const edit = async () => await import("./jobs/edit.ts");
const make = async () => await import("./jobs/make.ts");
const pdf = async () => await import("./jobs/pdf.ts");
const read = async () => await import("./jobs/read.ts");
const review = async () => await import("./jobs/review.ts");
const tables = async () => await import("./jobs/tables.ts");

/**
 * What the child process can do; each is the work of the tool of its name, loaded with the first
 * that asks for it: most children are asked for one thing.
 */
export const JOBS: Readonly<Record<string, () => Promise<Work>>> = {
  read_document: async () => (await read()).readDocument,
  find_in_document: async () => (await read()).findInDocument,
  extract_tables: async () => (await tables()).extractTables,
  create_document: async () => (await make()).createDocument,
  convert_document: async () => (await make()).convertDocument,
  replace_text: async () => (await edit()).replaceText,
  edit_blocks: async () => (await edit()).editDocumentBlocks,
  edit_table: async () => (await edit()).editDocumentTable,
  set_header_footer: async () => (await edit()).setHeaderFooter,
  list_comments: async () => (await review()).listComments,
  add_comment: async () => (await review()).addDocumentComment,
  close_comment: async () => (await review()).closeComment,
  list_tracked_changes: async () => (await review()).listChanges,
  settle_tracked_changes: async () => (await review()).settleChanges,
  read_pdf_page: async () => (await pdf()).readPdfPage,
  read_form: async () => (await pdf()).readPdfForm,
  fill_form: async () => (await pdf()).fillPdfForm,
};
