import * as z from "zod";
import { tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Corpora, Corpus } from "./corpora.ts";
import type { Page } from "./corpus-index.ts";
import { type Fields, type FieldValue, textsOf } from "./fields.ts";
import { fieldName } from "./front-matter.ts";
import { parseQuery } from "./query.ts";

const CORPUS = z
  .string()
  .max(200)
  .optional()
  .describe('Id of the corpus, such as "handbook". May be left out where there is only one.');
const FIELDS = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
);

export function listCorpora(corpora: Corpora) {
  return tool({
    name: "list_corpora",
    title: "List corpora",
    description:
      "Lists the collections of documents that can be searched: what each is, how many documents " +
      "it has, and the fields that a query can filter by, with their most frequent values.",
    input: z.object({}),
    output: z.object({
      corpora: z.array(
        z.object({
          id: z.string(),
          title: z.string(),
          description: z.string(),
          documents: z.number(),
          fields: z.array(
            z.object({ name: z.string(), note: z.string(), examples: z.array(z.string()) }),
          ),
          problems: z.array(z.string()),
        }),
      ),
    }),
    hints: { readOnly: true },
    run: async () => {
      const ids = (await corpora.ids()).slice(0, 20);
      const data = [];
      for (const id of ids) data.push(factsOf(await corpora.corpus(id)));
      const text = data.map(({ id, title, description, documents, fields, problems }) =>
        [
          `${id}: ${title} (${documents} documents)`,
          ...(description === "" ? [] : [`  ${description}`]),
          ...fields.map(({ name, note, examples }) => {
            return `  field ${name}${note && ` (${note})`}: ${examples.join(" | ")}`;
          }),
          ...problems.map((problem) => `  not searchable: ${problem}`),
        ].join("\n"),
      );
      return { text: text.join("\n") || "There is no corpus here.", data: { corpora: data } };
    },
  });
}

function factsOf({ id, title, description, index, fieldNotes, problems }: Corpus) {
  const fields = index.fieldNames.slice(0, 25).map((name) => {
    const { values, distinct } = index.valuesOf(name, 5);
    const examples = values.map((value) => cut(value, 60));
    if (distinct > values.length) examples.push(`… ${distinct} values`);
    return { name, note: fieldNotes[name] ?? "", examples };
  });
  return { id, title, description, documents: index.size, fields, problems: [...problems] };
}

export function searchDocuments(corpora: Corpora) {
  return tool({
    name: "search_documents",
    title: "Search documents",
    description:
      "Finds documents by their words, best first, each with id, title, fields and a passage with " +
      "the found words between **. Words match in all their forms; if no document has all of them, " +
      "those with some are given. An empty query lists all documents.",
    input: z.object({
      query: z
        .string()
        .max(1000)
        .describe(
          'Words (all wanted), "an exact phrase", -without, begin*, a OR b, title:word, ' +
            'and filters by field: author:ruiz, tags:"data protection", year:2024, ' +
            'date:2024-01..2024-06, price:>=100. Example: refund "gift card" -draft year:2024',
        ),
      corpus: CORPUS,
      sort: z
        .string()
        .max(100)
        .default("relevance")
        .describe('"relevance", or a field to order by, with "-" for descending: "-date".'),
      limit: z.number().int().min(1).max(30).default(10).describe("Results in this page."),
      offset: z
        .number()
        .int()
        .min(0)
        .max(1_000_000)
        .default(0)
        .describe("Results to skip: next_offset of the page before."),
    }),
    output: z.object({
      corpus: z.string(),
      total: z.number(),
      matched: z.enum(["all", "any"]),
      results: z.array(
        z.object({ id: z.string(), title: z.string(), snippet: z.string(), fields: FIELDS }),
      ),
      next_offset: z.number().nullable(),
      notes: z.array(z.string()),
    }),
    hints: { readOnly: true },
    run: async ({ query: written, corpus: asked, sort, limit, offset }) => {
      const corpus = await corpora.corpus(asked);
      const { index } = corpus;
      const query = parseQuery(written, new Set(index.fieldNames));
      if (query.clauses.length === 0 && written.trim() !== "") {
        throw new ToolError(`There is no word in the query ${JSON.stringify(cut(written, 80))}.`);
      }
      const order = sortOf(sort, corpus);
      const page = index.search(query, { offset, limit, ...(order && { sort: order }) });
      const notes = [...new Set(query.notes)];
      if (page.matched === "any" && page.total > 0) {
        notes.push("No document has all of these words; these have some of them.");
      }
      return answer(corpus.id, page, { offset, notes });
    },
  });
}

function answer(
  corpus: string,
  { total, matched, hits }: Page,
  { offset, notes }: { readonly offset: number; readonly notes: readonly string[] },
) {
  const results = hits.map(({ id, title, snippet, fields }) => {
    return { id, title: cut(title, 200), snippet, fields: briefly(fields) };
  });
  const end = offset + results.length;
  const next = results.length > 0 && end < total ? end : null;
  const shown = results.map(({ id, title, snippet, fields }, at) => {
    const said = Object.entries(fields).map(
      ([name, value]) => `${name}: ${textsOf(value).join(", ")}`,
    );
    const lines = [
      `${offset + at + 1}. ${title} [${id}]`,
      ...(said.length ? [said.join("; ")] : []),
    ];
    return [...lines, ...(snippet === "" ? [] : [snippet])].join("\n   ");
  });
  const found = total === 1 ? "1 document" : `${total} documents`;
  const head =
    results.length > 0
      ? `${found}; ${offset + 1} to ${end}:`
      : `${found}${total > 0 ? `, none after ${offset}` : ". Try fewer or other words, or begin*"}.`;
  const tail = next === null ? [] : [`More with offset ${next}.`];
  return {
    text: [...notes, head, ...shown, ...tail].join("\n"),
    data: { corpus, total, matched, results, next_offset: next, notes: [...notes] },
  };
}

function sortOf(sort: string, { index }: Corpus) {
  if (sort === "relevance" || sort === "") return undefined;
  const descending = sort.startsWith("-");
  const field = fieldName(sort.replace(/^[-+]/, ""));
  if (index.fieldNames.includes(field)) return { field, descending };
  const known = ["relevance", ...index.fieldNames].join(", ");
  throw new ToolError(`Documents cannot be ordered by "${sort}". Use one of: ${known}.`);
}

export function fetchDocument(corpora: Corpora) {
  return tool({
    name: "fetch_document",
    title: "Read document",
    description:
      "Reads one document by the id that search_documents gave: its title, fields and text. A long " +
      "document comes in parts; go on with offset = next_offset.",
    input: z.object({
      id: z.string().min(1).max(1000).describe('Such as "guides/returns.md".'),
      corpus: CORPUS,
      offset: z.number().int().min(0).default(0).describe("Characters of the text to skip."),
      length: z
        .number()
        .int()
        .min(100)
        .max(30_000)
        .default(12_000)
        .describe("Characters to read at most."),
    }),
    output: z.object({
      corpus: z.string(),
      id: z.string(),
      title: z.string(),
      fields: FIELDS,
      text: z.string(),
      characters: z.number(),
      next_offset: z.number().nullable(),
    }),
    hints: { readOnly: true },
    run: async ({ id, corpus: asked, offset, length }) => {
      const { id: corpus, index } = await corpora.corpus(asked);
      const document = index.document(id);
      if (document === undefined) {
        const like = index.idsLike(id).join(", ");
        const hint = like === "" ? "Find its id with search_documents." : `Did you mean: ${like}?`;
        throw new ToolError(`There is no document "${cut(id, 200)}" in ${corpus}. ${hint}`);
      }
      const { title, body } = document;
      if (offset > 0 && offset >= body.length) {
        throw new ToolError(
          `${id} has ${body.length} characters; offset ${offset} is after its end.`,
        );
      }
      const start = wholeCharacter(body, offset);
      const end = wholeCharacter(body, Math.min(body.length, start + length));
      const next = end < body.length ? end : null;
      const fields = briefly(document.fields);
      const text = body.slice(start, end);
      const said = Object.entries(fields).map(
        ([name, value]) => `${name}: ${textsOf(value).join(", ")}`,
      );
      const more =
        next === null ? "" : `\n\n[${end} of ${body.length} characters; go on with offset ${next}]`;
      const head = [`${title} [${id}]`, ...said].join("\n");
      return {
        text: `${head}\n\n${text}${more}`,
        data: { corpus, id, title, fields, text, characters: body.length, next_offset: next },
      };
    },
  });
}

/** The same place, or one before it where it would cut a character in two. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

/** Fields within bounds: a page of results must not grow by what documents say of themselves. */
function briefly(fields: Fields): Record<string, string | number | boolean | string[]> {
  const entries = Object.entries(fields).slice(0, 12);
  return Object.fromEntries(entries.map(([name, value]) => [cut(name, 60), brief(value)]));
}

function brief(value: FieldValue): string | number | boolean | string[] {
  if (typeof value === "object") return value.slice(0, 10).map((each) => cut(each, 60));
  return typeof value === "string" ? cut(value, 120) : value;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
