import type { JobResult } from "./engine.ts";
import {
  editDocumentBlocks,
  editDocumentTable,
  replaceText,
  setHeaderFooter,
} from "./jobs/edit.ts";
import { convertDocument, createDocument } from "./jobs/make.ts";
import { fillPdfForm, readPdfForm, readPdfPage } from "./jobs/pdf.ts";
import { findInDocument, readDocument } from "./jobs/read.ts";
import {
  addDocumentComment,
  closeComment,
  listChanges,
  listComments,
  settleChanges,
} from "./jobs/review.ts";
import { extractTables } from "./jobs/tables.ts";

/** What the child process can do; each is the work of the tool of its name. */
export const JOBS: Readonly<Record<string, (input: never) => Promise<JobResult>>> = {
  read_document: readDocument,
  find_in_document: findInDocument,
  extract_tables: extractTables,
  create_document: createDocument,
  convert_document: convertDocument,
  replace_text: replaceText,
  edit_blocks: editDocumentBlocks,
  edit_table: editDocumentTable,
  set_header_footer: setHeaderFooter,
  list_comments: listComments,
  add_comment: addDocumentComment,
  close_comment: closeComment,
  list_tracked_changes: listChanges,
  settle_tracked_changes: settleChanges,
  read_pdf_page: readPdfPage,
  read_form: readPdfForm,
  fill_form: fillPdfForm,
};
