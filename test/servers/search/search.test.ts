import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type OfficeClient, officeClient } from "../office-client.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

const HANDBOOK: Files = {
  "corpus.json": JSON.stringify({
    title: "Staff handbook",
    description: "How we work at the library.",
    fields: { author: "who keeps it", "Last updated": "day of the last change" },
  }),
  "guides/returns.md":
    '---\ntitle: Returning a damaged book\nauthor: "Ana Ruiz"\ntags: [returns, "lost & found"]\n' +
    "Last updated: 2024-03-15\nyear: 2024\n---\n# Returns\n\nA reader who returns a damaged book " +
    "pays half of its price. Staff are running the returns desk daily.\n",
  "guides/renewals.md":
    "---\nauthor: Jörg Müller\nyear: 2023\ntags:\n  - loans\n  - returns\nLast updated: 2023-11-02\n" +
    "---\n# Renewing a loan\n\nLoans run for three weeks. A loan is renewed twice at most.\n",
  "notes/café.txt": "The café on the ground floor\n\nOpening hours: 09:00 to 17:00. No refunds.",
  "pages/rooms.html":
    '<!doctype html><html><head><title>Meeting rooms</title><meta name="author" content="Ana Ruiz">' +
    '<meta name="year" content="2024"><style>h1{color:red}</style></head><body><h1>Rooms</h1>' +
    "<ul><li>Maple seats 8</li><li>Oak seats 20</li></ul><script>alert('zebra')</script>" +
    "<table><tr><td>Price</td><td>free</td></tr></table></body></html>",
  "faq.json": JSON.stringify([
    { id: "faq-1", question: "May I eat here?", text: "Only in the café.", price: 0 },
    { title: "Fines", text: "Ten cents a day.", price: 120, extra: { deep: "walrus" } },
  ]),
  "data/one.json": JSON.stringify({ name: "東京図書館", body: "東京の図書館は月曜日に休みます。" }),
};

describe("search", () => {
  it("says so when there is no corpus, an unknown one, or several to choose from", async () => {
    await using search = await officeClient("search");
    assert.match(await search.refusal("search_documents", { query: "x" }), /no corpus here/);
    assert.match(await search.text("list_corpora"), /no corpus/);
    await seed(search, "handbook", HANDBOOK);
    await seed(search, "news", { "a.txt": "One" });
    const both = await search.refusal("search_documents", { query: "x" });
    assert.match(both, /2 corpora: handbook, news.*"corpus"/);
    const wrong = await search.refusal("search_documents", { query: "x", corpus: "../news" });
    assert.match(wrong, /no corpus "..\/news".*handbook, news/);
    const missing = { corpus: "handbook", id: "guides/returns" };
    assert.match(await search.refusal("fetch_document", missing), /mean: guides\/returns\.md\?/);
    const after = { corpus: "news", id: "a.txt", offset: 99 };
    assert.match(await search.refusal("fetch_document", after), /has 3 characters/);
    const order = { corpus: "news", query: "", sort: "colour" };
    assert.match(await search.refusal("search_documents", order), /relevance/);
    const signs = { corpus: "news", query: "!!! …" };
    assert.match(await search.refusal("search_documents", signs), /no word in the query/);
  });

  it("shows of each document a passage of its own", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", {
      "a.md": "# Being absent\n\nWrite a mail with the first day of your absence.",
      "b.md": "# Cover for absent staff\n\nWhen somebody is absent, others take over.",
      "c.md": "# Cover (2024)\n\nWho was absent was covered by nobody.",
    });
    const asked = { query: "absent" };
    const data = await search.data("search_documents", asked);
    const results = data["results"] as { id: string; snippet: string }[];
    const shown = Object.fromEntries(results.map(({ id, snippet }) => [id, snippet]));
    assert.match(shown["a.md"] ?? "", /first day of your \*\*absence\*\*|mail with the first day/);
    assert.match(shown["b.md"] ?? "", /somebody is \*\*absent\*\*, others take over/);
    assert.match(shown["c.md"] ?? "", /Who was \*\*absent\*\* was covered/);
  });

  it("names files that it cannot read, and searches the rest", async () => {
    await using search = await officeClient("search");
    await seed(search, "broken", {
      "corpus.json": "{",
      "good.md": "# Good\n\nThe one that is found.",
      "bad.json": '{"title": "cut o',
      "list.json": "[1, 2]",
      "latin.txt": Buffer.from("caf\xe9", "latin1"),
      "empty.jsonl": "",
      "picture.png": "no document at all",
      "front.md": "---\n: : :\n\tbroken: [\n---\nStill a text that is found.",
      "deep.html": `${"<div>".repeat(100_000)}found at the bottom`,
    });
    await symlink("/etc/passwd", join(search.state, "search/broken/link.txt"));
    const { corpora } = (await search.data("list_corpora")) as { corpora: Corpus[] };
    assert.equal(corpora[0]?.documents, 3);
    const problems = corpora[0]?.problems.join("\n") ?? "";
    for (const name of ["corpus.json", "bad.json", "list.json", "latin.txt", "empty.jsonl"]) {
      assert.match(problems, new RegExp(name.replace(".", "\\.")));
    }
    assert.deepEqual(
      await ids(search, "found"),
      ["deep.html", "front.md", "good.md"].sort(),
      "all",
    );
  });

  it("takes any text for a query", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", HANDBOOK);
    const nasty = [
      '"',
      "a:b",
      "NEAR(",
      "title:",
      "^x",
      "-",
      "* *",
      "a OR",
      "OR",
      "x'; DROP",
      "(()",
    ];
    const piece = fc.oneof(
      fc.constantFrom(...nasty, "book*", "-loan", "author:ana", "{"),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const query = pieces.join(" ").slice(0, 1000);
        const result = await search.call("search_documents", { query });
        if (result.isError) assert.match(JSON.stringify(result.content), /There is no word in/);
      }),
      { numRuns: 150 },
    );
    const long = "word ".repeat(100);
    assert.match(await search.refusal("search_documents", { query: long }), /at most 40/);
  });

  it("finds words in all forms, phrases, prefixes and exclusions", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", HANDBOOK);
    assert.deepEqual(await ids(search, "renewing"), ["guides/renewals.md"]);
    assert.deepEqual(await ids(search, "damaged books"), ["guides/returns.md"]);
    assert.deepEqual(await ids(search, '"damaged books"'), []);
    assert.deepEqual(await ids(search, '"damaged book"'), ["guides/returns.md"]);
    assert.deepEqual(await ids(search, "runn*"), ["guides/returns.md"], "not what has only “run”");
    assert.deepEqual(await ids(search, "CAFE"), ["notes/café.txt", "faq-1"]);
    assert.deepEqual(await ids(search, "cafe -refunds"), ["faq-1"]);
    assert.deepEqual(await ids(search, "cafe NOT refunds"), ["faq-1"]);
    assert.deepEqual(await ids(search, "title:fines"), ["faq.json#2"]);
    assert.deepEqual(await ids(search, "maple OR walrus"), ["faq.json#2", "pages/rooms.html"]);
    assert.deepEqual(await ids(search, "zebra"), [], "a script is no text");
    assert.deepEqual(await ids(search, "図書館"), ["data/one.json"]);
    assert.deepEqual(await ids(search, "月曜"), ["data/one.json"]);
  });

  it("filters by fields, by words, values and ranges", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", HANDBOOK);
    assert.deepEqual(await ids(search, "author:ruiz"), ["guides/returns.md", "pages/rooms.html"]);
    assert.deepEqual(await ids(search, 'author:"jorg muller"'), ["guides/renewals.md"]);
    assert.deepEqual(await ids(search, "tags:returns -year:2024"), ["guides/renewals.md"]);
    assert.deepEqual(await ids(search, 'tags:"lost & found"'), ["guides/returns.md"]);
    assert.deepEqual(await ids(search, "last_updated:2024-03"), ["guides/returns.md"]);
    assert.deepEqual(await ids(search, "last_updated:..2023-11"), ["guides/renewals.md"]);
    assert.deepEqual(await ids(search, "last_updated:>2023-11"), ["guides/returns.md"]);
    assert.deepEqual(await ids(search, "price:>=100"), ["faq.json#2"]);
    assert.deepEqual(await ids(search, "price:-5..9"), ["faq-1"]);
    assert.deepEqual(await ids(search, "year:2023 OR year:2024 seats"), ["pages/rooms.html"]);
    const { notes } = await search.data("search_documents", { query: "writer:ruiz" });
    assert.match(String(notes), /no field "writer".*author/);
  });

  it("gives what has some of the words where nothing has all, and says so", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", HANDBOOK);
    const found = await search.data("search_documents", {
      query: "how do I renew a zeppelin loan",
    });
    assert.equal(found["matched"], "any");
    assert.match(String(found["notes"]), /No document has all/);
    assert.equal((found["results"] as Hit[])[0]?.id, "guides/renewals.md");
  });

  it("marks what it found, pages, orders by a field, and reads documents in parts", async () => {
    await using search = await officeClient("search");
    await seed(search, "handbook", HANDBOOK);
    const text = await search.text("search_documents", { query: "damaged author:ruiz" });
    assert.match(text, /1 document; 1 to 1:/);
    assert.match(text, /\*\*damaged\*\* book pays/);
    assert.match(text, /author: Ana Ruiz/);
    const first = await search.data("search_documents", { query: "", limit: 3 });
    assert.equal(first["total"], 7);
    assert.equal(first["next_offset"], 3);
    const rest = await search.data("search_documents", { query: "", limit: 30, offset: 3 });
    assert.equal((rest["results"] as Hit[]).length, 4);
    assert.equal(rest["next_offset"], null);
    const sorted = await search.data("search_documents", { query: "year:2000..", sort: "-year" });
    const years = (sorted["results"] as Hit[]).map(({ fields }) => fields["year"]);
    assert.deepEqual(years, [2024, 2024, 2023]);
    const beyond = await search.text("search_documents", { query: "loan", offset: 50 });
    assert.match(beyond, /none after 50/);
    const page = await search.data("fetch_document", { id: "pages/rooms.html" });
    assert.equal(page["text"], "# Rooms\n- Maple seats 8\n- Oak seats 20\nPrice | free");
    assert.equal(page["title"], "Meeting rooms");
    const tokyo = await search.data("fetch_document", { id: "data/one.json" });
    assert.equal(tokyo["text"], "東京の図書館は月曜日に休みます。");
    await seed(search, "long", { "long.txt": `Long\n${"🦉".repeat(20_000)}` });
    let [whole, offset] = ["", 0 as number | null];
    while (offset !== null) {
      const args = { id: "long.txt", corpus: "long", offset, length: 9_999 };
      const part = await search.data("fetch_document", args);
      whole += part["text"];
      offset = part["next_offset"] as number | null;
    }
    assert.equal(whole, `Long\n${"🦉".repeat(20_000)}`);
  });

  it("gives the same order in every process, equals in the order of their paths", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, n) => [
        `d/${String(n).padStart(3, "0")}.txt`,
        `Note ${n % 7}\nledger ${"audit ".repeat(n % 3)} common words`,
      ]),
    );
    const orders: string[] = [];
    for (const _ of [1, 2]) {
      await using search = await officeClient("search");
      await seed(search, "notes", files);
      orders.push(JSON.stringify(await search.data("search_documents", page("ledger audit"))));
      orders.push(JSON.stringify(await search.data("search_documents", page("ledger audit"))));
    }
    assert.equal(new Set(orders).size, 1);
    const { results } = JSON.parse(orders[0] ?? "") as { results: Hit[] };
    assert.equal(results[0]?.id, "d/002.txt");
  });

  it("finds among ten thousand documents, and takes no more than its bounds", async (context) => {
    await using search = await officeClient("search");
    const lines = Array.from({ length: 20_010 }, (_, n) => {
      const text = Array.from({ length: 60 }, (_, at) => `w${(n * 31 + at * at * 7) % 5000}`);
      return JSON.stringify({ id: `n-${n}`, title: `Note ${n}`, text: text.join(" "), n });
    });
    await seed(search, "many", { "many.jsonl": lines.slice(0, 10_000).join("\n") });
    await seed(search, "more", { "more.jsonl": lines.join("\n") });
    const started = performance.now();
    const found = await search.data("search_documents", { query: "w31 w7", corpus: "many" });
    context.diagnostic(`first query: ${Math.round(performance.now() - started)} ms`);
    assert.ok(Number(found["total"]) > 0);
    const { corpora } = (await search.data("list_corpora")) as { corpora: Corpus[] };
    assert.equal(corpora[1]?.documents, 20_000);
    assert.match(corpora[1]?.problems.join() ?? "", /first 20000 documents/);
  });
});

interface Corpus {
  readonly documents: number;
  readonly problems: readonly string[];
}

interface Hit {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function ids(search: OfficeClient, query: string): Promise<string[]> {
  const { matched, results } = await search.data("search_documents", { query, limit: 30 });
  return matched === "any" ? [] : (results as Hit[]).map(({ id }) => id);
}

function page(query: string) {
  return { query, limit: 30 };
}

async function seed({ state }: OfficeClient, corpus: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(state, "search", corpus, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
