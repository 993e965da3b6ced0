import * as z from "zod";
import type { Tool } from "../../kit/tool.ts";
import {
  cursorField,
  type DocumentParts,
  documentTool,
  pathField,
  shared,
} from "./document-tool.ts";

const reads = { readOnly: true };
const edits = { readOnly: false, destructive: true };

export function reviewTools(parts: DocumentParts): Tool[] {
  return [
    listComments(parts),
    addComment(parts),
    closeComment(parts),
    listChanges(parts),
    settleChanges(parts),
    readForm(parts),
    fillForm(parts),
  ];
}

function listComments(parts: DocumentParts): Tool {
  const spec = {
    name: "list_comments",
    title: "List comments",
    description:
      "Lists the comments of a .docx: who wrote them, when, on which words, and what they answer.",
    input: z.object({ path: pathField("draft.docx"), cursor: cursorField }),
    output: z.object({
      ...shared,
      total: z.number(),
      comments: z.array(
        z.object({
          id: z.string(),
          author: z.string(),
          date: z.string(),
          text: z.string(),
          about: z.string(),
          block: z.string(),
          answers: z.string().optional(),
          resolved: z.boolean(),
        }),
      ),
    }),
    hints: reads,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function addComment(parts: DocumentParts): Tool {
  const spec = {
    name: "add_comment",
    title: "Add a comment",
    description:
      "Adds a comment to words of a .docx or to a whole block, or answers a comment. " +
      "Its author is the person that you work for.",
    input: z.object({
      path: pathField("draft.docx"),
      text: z.string().min(1).max(10_000),
      block: z.string().min(3).max(30).optional().describe("Id of the block, such as 12-k3f9"),
      quote: z
        .string()
        .min(1)
        .max(2_000)
        .optional()
        .describe("The words in it. Default: all of it"),
      answers: z
        .string()
        .max(20)
        .optional()
        .describe("Id of the comment to answer, instead of a block"),
    }),
    output: z.object({ ...shared, id: z.string() }),
    hints: { readOnly: false },
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

function closeComment(parts: DocumentParts): Tool {
  const spec = {
    name: "close_comment",
    title: "Resolve or delete a comment",
    description: "Marks a comment of a .docx as resolved, or deletes it with its answers.",
    input: z.object({
      path: pathField("draft.docx"),
      comment: z.string().max(20).describe("Its id, from list_comments"),
      action: z.enum(["resolve", "delete"]),
    }),
    output: z.object({ ...shared, left: z.number() }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

function listChanges(parts: DocumentParts): Tool {
  const spec = {
    name: "list_tracked_changes",
    title: "List tracked changes",
    description:
      "Lists the tracked changes of a .docx with numbers: what was added, removed, moved or " +
      "restyled, by whom and when.",
    input: z.object({ path: pathField("draft.docx"), cursor: cursorField }),
    output: z.object({
      ...shared,
      total: z.number(),
      changes: z.array(
        z.object({
          number: z.number(),
          kind: z.string(),
          text: z.string(),
          author: z.string(),
          date: z.string(),
          place: z.string(),
        }),
      ),
    }),
    hints: reads,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function settleChanges(parts: DocumentParts): Tool {
  const spec = {
    name: "settle_tracked_changes",
    title: "Accept or reject tracked changes",
    description:
      "Accepts or rejects the tracked changes of a .docx: all of them, those of some numbers, or " +
      "those of one author.",
    input: z.object({
      path: pathField("draft.docx"),
      decision: z.enum(["accept", "reject"]),
      changes: z
        .array(z.int().min(1))
        .min(1)
        .max(2_000)
        .optional()
        .describe("Numbers from list_tracked_changes. Default: all"),
      author_is: z.string().max(200).optional().describe("Only changes by this author"),
    }),
    output: z.object({ ...shared, settled: z.number(), left: z.number() }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path, to: path }));
}

const field = z.object({
  name: z.string(),
  kind: z.string(),
  value: z.string(),
  options: z.array(z.string()).optional(),
  readOnly: z.boolean().optional(),
  required: z.boolean().optional(),
});

function readForm(parts: DocumentParts): Tool {
  const spec = {
    name: "read_form",
    title: "Read a PDF form",
    description:
      "Lists the fields of a PDF form: names, kinds, values, and what choices they take.",
    input: z.object({ path: pathField("application.pdf") }),
    output: z.object({ ...shared, fields: z.array(field) }),
    hints: reads,
  };
  return documentTool(parts, spec, ({ path }) => ({ from: path }));
}

function fillForm(parts: DocumentParts): Tool {
  const spec = {
    name: "fill_form",
    title: "Fill in a PDF form",
    description:
      "Fills fields of a PDF form, all or none, and writes it to a file. Checkboxes take " +
      '"yes" or "no"; choices take one of their options.',
    input: z.object({
      path: pathField("application.pdf"),
      values: z
        .record(z.string().max(500), z.string().max(20_000))
        .describe('By field name, such as {"surname": "Novak", "member": "yes"}'),
      to: z
        .string()
        .max(1_000)
        .optional()
        .describe("Where to write it, also over a file that is there. Default: the same file"),
      flatten: z.boolean().default(false).describe("Turn fields into plain text, for good"),
    }),
    output: z.object({ ...shared, fields: z.array(field) }),
    hints: edits,
  };
  return documentTool(parts, spec, ({ path, to }) => ({ from: path, to: to ?? path }));
}
