import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Document } from "./documents.ts";
import { answers, type Fields, type FieldValue, type Filter, folded, textsOf } from "./fields.ts";
import { type Clause, isUnspaced, type Query, spaced, type Term } from "./query.ts";

export interface Hit {
  readonly id: string;
  readonly title: string;
  readonly fields: Fields;
  /** The passage that answers best, what was found in it between `**`; in one line. */
  readonly snippet: string;
}

export interface Page {
  readonly total: number;
  /** "any": no document had all words, so these have some. */
  readonly matched: "all" | "any";
  readonly hits: readonly Hit[];
}

export interface PageOptions {
  readonly offset: number;
  readonly limit: number;
  /** A field to order by instead of relevance. */
  readonly sort?: { readonly field: string; readonly descending: boolean };
}

// What BM25 counts a word for: in the title, in the body, in a field.
const WEIGHTS = "8.0, 1.0, 3.0";
const SNIPPET_WORDS = 40;
// Of no text's own: a letter for private use.
const MARK = "\ue0f0";
const INDEXES = ["stems", "exact"] as const;

const SCHEMA = `
  CREATE TABLE documents (n INTEGER PRIMARY KEY, id TEXT UNIQUE, title, body, keywords,
    fields TEXT, shown_title, shown_body);
  CREATE TABLE fields (n INTEGER, name TEXT, value);
  CREATE VIRTUAL TABLE stems USING fts5(title, body, keywords, content = 'documents',
    content_rowid = 'n', tokenize = 'porter unicode61 remove_diacritics 2');
  CREATE VIRTUAL TABLE exact USING fts5(title, body, keywords, content = 'documents',
    content_rowid = 'n', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3');
`;

/** The documents of one corpus in memory, to be searched. Filled once, then only read. */
export class CorpusIndex {
  readonly #database = new DatabaseSync(":memory:");
  readonly #insert;
  readonly #insertField;
  readonly #fieldNames = new Set<string>();
  readonly #built = new Set<Term["index"]>();
  #count = 0;

  constructor() {
    this.#database.exec(SCHEMA);
    this.#database.exec("BEGIN");
    this.#insert = this.#database.prepare("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#insertField = this.#database.prepare("INSERT INTO fields VALUES (?, ?, ?)");
  }

  get size(): number {
    return this.#count;
  }

  /** Names of all fields that a document has, in order. */
  get fieldNames(): readonly string[] {
    return [...this.#fieldNames].sort();
  }

  add({ id, title, body, fields }: Document): void {
    this.#count += 1;
    const n = this.#count;
    const keywords = Object.values(fields).flatMap(textsOf).join(" · ");
    // What is searched and what is shown differ only for scripts without blanks.
    const [titleSpaced, bodySpaced] = [isUnspaced(title), isUnspaced(body)];
    this.#insert.run(
      ...[n, id, titleSpaced ? spaced(title) : title, bodySpaced ? spaced(body) : body],
      ...[spaced(keywords), JSON.stringify(fields)],
      ...[titleSpaced ? title : null, bodySpaced ? body : null],
    );
    for (const [name, value] of Object.entries(fields)) {
      this.#fieldNames.add(name);
      for (const each of typeof value === "object" ? value : [value]) {
        this.#insertField.run(n, name, typeof each === "boolean" ? String(each) : each);
      }
    }
  }

  /** After the last document: makes them searchable. */
  finish(): void {
    this.#database.exec("CREATE INDEX fields_by_name ON fields (name, value, n)");
    this.#build("stems");
    this.#database.exec("COMMIT");
  }

  /** The exact index is made for the first query that asks it: most ask for words. */
  #build(index: Term["index"]): void {
    if (this.#built.has(index)) return;
    this.#database.exec(`INSERT INTO ${index} (${index}) VALUES ('rebuild')`);
    this.#built.add(index);
  }

  document(id: string): Document | undefined {
    const row = this.#database
      .prepare(
        `SELECT id, coalesce(shown_title, title) AS title, coalesce(shown_body, body) AS body, fields
         FROM documents WHERE id = ?`,
      )
      .get(id);
    if (row === undefined) return undefined;
    const { title, body, fields } = row;
    return { id, title: String(title), body: String(body), fields: JSON.parse(String(fields)) };
  }

  /** Ids that look like a wrong one, best first, at most five. */
  idsLike(id: string): readonly string[] {
    const words = folded(id.replace(/\.\w+$/, ""));
    const rows = this.#database.prepare("SELECT id FROM documents ORDER BY n").all();
    const ids = rows.map((row) => String(row["id"]));
    return ids
      .filter((each) => folded(each).includes(words) || words.includes(folded(each)))
      .slice(0, 5);
  }

  /** The most frequent values of a field, most frequent first. */
  valuesOf(field: string, most: number): { readonly values: string[]; readonly distinct: number } {
    const rows = this.#database
      .prepare(
        `SELECT value, count(*) OVER () AS distinct_values FROM fields WHERE name = ?
         GROUP BY value ORDER BY count(*) DESC, value LIMIT ?`,
      )
      .all(field, most);
    const distinct = Number(rows[0]?.["distinct_values"] ?? 0);
    return { values: rows.map((row) => String(row["value"])), distinct };
  }

  /**
   * The documents that answer the query: best first, equals in the order of the corpus. Where no
   * document has all of the words, those with any of them.
   */
  search(query: Query, options: PageOptions): Page {
    const terms = query.clauses.flatMap(({ kind, anyOf }) => (kind === "terms" ? anyOf : []));
    if (terms.some((term) => term.index === "exact")) this.#build("exact");
    const all = this.#page(query, "all", options);
    const positive = query.clauses.filter(({ kind, negated }) => kind === "terms" && !negated);
    if (all.total > 0 || positive.length < 2) return all;
    return this.#page(query, "any", options);
  }

  #page(query: Query, matched: "all" | "any", { offset, limit, sort }: PageOptions): Page {
    const values: SQLInputValue[] = [];
    const hits = hitsOf(query.clauses, matched, values);
    const conditions = query.clauses.flatMap((clause) => this.#condition(clause, values));
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const found = `${hits} SELECT n, score, count(*) OVER () AS total FROM hits ${where}`;
    const by = "(SELECT min(value) FROM fields WHERE fields.n = hits.n AND name = ?)";
    const order = sort && `${by} ${sort.descending ? "DESC" : "ASC"} NULLS LAST,`;
    const paged = this.#database.prepare(
      `${found} ORDER BY ${order ?? ""} score, n LIMIT ? OFFSET ?`,
    );
    const sorted = sort === undefined ? [] : [sort.field];
    const rows = paged.all(...values, ...sorted, limit, offset);
    const first = rows[0] ?? (offset > 0 ? paged.get(...values, ...sorted, 1, 0) : undefined);
    return {
      total: Number(first?.["total"] ?? 0),
      matched,
      hits: rows.map((row) => this.#hit(Number(row["n"]), query)),
    };
  }

  #condition(clause: Clause, values: SQLInputValue[]): string[] {
    if (clause.kind === "filters") {
      const any = clause.anyOf.map((filter) => {
        values.push(filter.field, JSON.stringify(this.#valuesAnswering(filter)));
        return "SELECT n FROM fields WHERE name = ? AND value IN (SELECT value FROM json_each(?))";
      });
      return [`n ${clause.negated ? "NOT " : ""}IN (${any.join(" UNION ALL ")})`];
    }
    if (!clause.negated) return [];
    return clause.anyOf.map(({ index, expression }) => {
      values.push(expression);
      return `n NOT IN (SELECT rowid FROM ${index} WHERE ${index} MATCH ?)`;
    });
  }

  #valuesAnswering({ field, value }: Filter): (string | number)[] {
    const rows = this.#database
      .prepare("SELECT DISTINCT value FROM fields WHERE name = ?")
      .all(field);
    return rows
      .map((row) => row["value"] as string | number)
      .filter((stored) => answers(stored, value));
  }

  #hit(n: number, query: Query): Hit {
    const row = this.#database
      .prepare(
        `SELECT id, coalesce(shown_title, title) AS title, fields, substr(body, 1, 400) AS head
         FROM documents WHERE n = ?`,
      )
      .get(n);
    const fields: Readonly<Record<string, FieldValue>> = JSON.parse(String(row?.["fields"]));
    const snippet = this.#snippet(n, query) ?? inOneLine(String(row?.["head"]));
    return { id: String(row?.["id"]), title: String(row?.["title"]), fields, snippet };
  }

  #snippet(n: number, { clauses }: Query): string | undefined {
    const terms = clauses.flatMap((clause) =>
      clause.kind === "terms" && !clause.negated ? clause.anyOf : [],
    );
    if (terms.length === 0) return undefined;
    // Only the exact index finds beginnings fast; where it is asked, its finds are marked.
    const index = terms.some((term) => term.index === "exact") ? "exact" : "stems";
    const row = this.#database
      .prepare(
        `SELECT snippet(${index}, 1, '${MARK}', '${MARK}', '…', ${SNIPPET_WORDS}) AS snippet
         FROM ${index} WHERE ${index} MATCH ? AND rowid = ?`,
      )
      // A number is bound as a real, and FTS5 does not hold a rowid against one.
      .get(terms.map(({ mark }) => mark).join(" OR "), BigInt(n));
    return row === undefined ? undefined : marked(String(row["snippet"]));
  }
}

/**
 * What begins a statement: the documents that the positive words find, as `hits(n, score)`; what
 * is better has the smaller score. Materialized, for SQLite has BM25 only beside the match.
 */
function hitsOf(
  clauses: readonly Clause[],
  matched: "all" | "any",
  values: SQLInputValue[],
): string {
  const sides = INDEXES.flatMap((index) => {
    const expression = expressionFor(index, clauses, matched);
    if (expression === undefined) return [];
    values.push(expression);
    const score = `bm25(${index}, ${WEIGHTS})`;
    const select = `SELECT rowid AS n, ${score} AS score FROM ${index} WHERE ${index} MATCH ?`;
    return [{ name: `in_${index}`, table: `in_${index} AS MATERIALIZED (${select})` }];
  });
  if (sides.length === 0) return "WITH hits AS (SELECT n, 0 AS score FROM documents)";
  const both = sides.map(({ name }) => `SELECT n, score FROM ${name}`).join(" UNION ALL ");
  const having = matched === "all" ? ` HAVING count(*) = ${sides.length}` : "";
  const hits =
    sides.length === 1 ? both : `SELECT n, sum(score) AS score FROM (${both}) GROUP BY n${having}`;
  return `WITH ${sides.map(({ table }) => table).join(", ")}, hits AS (${hits})`;
}

/** Words joined by OR are asked of one index: of the exact one if any of them needs it. */
function expressionFor(
  index: Term["index"],
  clauses: readonly Clause[],
  matched: "all" | "any",
): string | undefined {
  const parts = clauses.flatMap((clause) => {
    if (clause.kind !== "terms" || clause.negated) return [];
    const side = clause.anyOf.some((term) => term.index === "exact") ? "exact" : "stems";
    return side === index
      ? [`(${clause.anyOf.map(({ expression }) => expression).join(" OR ")})`]
      : [];
  });
  return parts.length === 0 ? undefined : parts.join(matched === "all" ? " AND " : " OR ");
}

function marked(snippet: string): string {
  return inOneLine(snippet).replaceAll(MARK, "**").replaceAll("****", "");
}

const BETWEEN =
  /(?<=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}*]) +(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}*])/gu;

function inOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const close = isUnspaced(line) ? line.replaceAll(BETWEEN, "") : line;
  return close.length > 600 ? `${close.slice(0, 600).toWellFormed()}…` : close;
}
