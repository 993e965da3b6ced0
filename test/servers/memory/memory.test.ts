import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient, textOf } from "../office-client.ts";
import { gist, publishedClient } from "../published-client.ts";

const EIGHT = Array.from({ length: 8 }, (_, at) => at);
const person = (name: string, ...observations: string[]) => ({
  name,
  entityType: "person",
  observations,
});
const knows = (from: string, to: string) => ({ from, to, relationType: "knows" });

describe("a memory", () => {
  let office: OfficeClient;
  let file: string;
  beforeEach(async () => {
    office = await officeClient("memory");
    file = join(office.state, "memory", "memory.jsonl");
  });
  afterEach(() => office?.[Symbol.asyncDispose]());

  async function seeded(...lines: readonly string[]): Promise<void> {
    await mkdir(join(office.state, "memory"), { recursive: true });
    await writeFile(file, lines.join("\n"));
  }

  it("keeps what each of several calls at once has made, added and deleted", async () => {
    const make = (n: number) =>
      office.text("create_entities", { entities: [person(`p${n}`), person(`gone${n}`)] });
    await Promise.all(EIGHT.map(make));
    await office.text("create_entities", { entities: [person("shared")] });
    await Promise.all(
      EIGHT.flatMap((n) => [
        office.text("add_observations", {
          observations: [{ entityName: "shared", contents: [`seen ${n}`, "once"] }],
        }),
        office.text("create_relations", { relations: [knows("shared", `p${n}`)] }),
        office.text("delete_entities", { entityNames: [`gone${n}`] }),
      ]),
    );
    const { entities, relations } = JSON.parse(await office.text("read_graph"));
    const names = entities.map(({ name }: { name: string }) => name);
    assert.deepEqual(names.sort(), [...EIGHT.map((n) => `p${n}`), "shared"]);
    const { observations } = entities.find(({ name }: { name: string }) => name === "shared");
    assert.deepEqual(observations.sort(), ["once", ...EIGHT.map((n) => `seen ${n}`)]);
    assert.equal(relations.length, 8);
    await Promise.all(
      EIGHT.map((n) =>
        office.text("delete_observations", {
          deletions: [{ entityName: "shared", observations: [`seen ${n}`] }],
        }),
      ),
    );
    await Promise.all(
      EIGHT.map((n) => office.text("delete_relations", { relations: [knows("shared", `p${n}`)] })),
    );
    const left = JSON.parse(await office.text("open_nodes", { names: ["shared"] }));
    assert.deepEqual(left, { entities: [person("shared", "once")], relations: [] });
    assert.deepEqual(await readdir(join(office.state, "memory")), ["memory.jsonl"]);
  });

  it("tells one of eight that its entity is new, and the others that it is there", async () => {
    const answers = await Promise.all(
      EIGHT.map((n) => office.text("create_entities", { entities: [person("Ana", `${n}`)] })),
    );
    assert.equal(answers.filter((answer) => answer !== "[]").length, 1);
    const twice = { entities: [person("Bo"), person("Bo")] };
    assert.deepEqual(await office.data("create_entities", twice), { entities: [person("Bo")] });
  });

  it("says what was not there to be deleted", async () => {
    await office.text("create_entities", { entities: [person("Ana", "likes tea")] });
    const missing = [
      ["delete_entities", { entityNames: ["Anna"] }, "Anna"],
      ["delete_observations", { deletions: [{ entityName: "Anna", observations: ["x"] }] }, "Anna"],
      ["delete_observations", { deletions: [{ entityName: "Ana", observations: ["tea"] }] }, "tea"],
      ["delete_relations", { relations: [knows("Ana", "Bo")] }, "Ana knows Bo"],
    ] as const;
    for (const [tool, args, what] of missing) {
      assert.match(await office.text(tool, args), new RegExp(`; there was no "${what}"$`));
    }
    assert.match(await office.text("read_graph"), /likes tea/);
  });

  it("adds nothing at all if one of the entities is unknown", async () => {
    await office.text("create_entities", { entities: [person("Ana")] });
    const observations = ["Ana", "Bo"].map((entityName) => ({ entityName, contents: ["new"] }));
    const said = await office.refusal("add_observations", { observations });
    assert.match(said, /Entity with name Bo not found/);
    assert.doesNotMatch(await office.text("read_graph"), /new/);
  });

  it("keeps members and lines that it does not know", async () => {
    const odd = JSON.stringify({ type: "entity", ...person("Ana"), since: 2019 });
    await seeded(
      odd,
      '{"type":"note","text":"by hand"}',
      JSON.stringify({ type: "relation", ...knows("Ana", "Bo"), weight: 2 }),
    );
    const observations = [{ entityName: "Ana", contents: ["likes tea"] }];
    await office.text("add_observations", { observations });
    const lines = (await readFile(file, "utf8")).split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines, [
      { type: "entity", ...person("Ana", "likes tea"), since: 2019 },
      { type: "relation", ...knows("Ana", "Bo"), weight: 2 },
      { type: "note", text: "by hand" },
    ]);
    const graph = { entities: [person("Ana", "likes tea")], relations: [knows("Ana", "Bo")] };
    assert.deepEqual(await office.data("read_graph"), graph);
  });

  it("leaves a damaged file as it is, and says which line it is", async () => {
    await seeded(JSON.stringify({ type: "entity", ...person("Ana") }), "{oops");
    const said = await office.refusal("create_entities", { entities: [person("Bo")] });
    assert.match(said, /line 2 is not JSON/);
    assert.match(await readFile(file, "utf8"), /oops$/);
  });
});

describe("a memory, beside @modelcontextprotocol/server-memory", () => {
  it("has the same tools, and says and stores the same for the same calls", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloche-memory-"));
    const stored = join(folder, "memory.jsonl");
    await using theirs = await publishedClient("server-memory", {
      env: { MEMORY_FILE_PATH: stored },
    });
    await using ours = await officeClient("memory");
    const [mine, reference] = [await ours.client.listTools(), await theirs.listTools()];
    const my = new Map(mine.tools.map((tool) => [tool.name, tool]));
    assert.deepEqual([...my.keys()].sort(), reference.tools.map(({ name }) => name).sort());
    for (const tool of reference.tools) {
      const { title, description, ...rest } = my.get(tool.name) ?? tool;
      assert.deepEqual(
        { title, description },
        { title: tool.title, description: tool.description },
      );
      assert.deepEqual(gist(rest), gist(tool), tool.name);
    }
    for (const [name, args] of CALLS) {
      const said = await ours.call(name, args);
      const meant = await theirs.callTool({ name, arguments: args });
      assert.equal(textOf(said), textOf(meant), name);
      assert.deepEqual(said.structuredContent, meant.structuredContent, name);
      assert.equal(said.isError ?? false, meant.isError ?? false);
      const [own, other] = [join(ours.state, "memory", "memory.jsonl"), stored];
      const text = (path: string) => readFile(path, "utf8").catch(() => "");
      assert.equal(await text(own), await text(other), name);
    }
    await rm(folder, { recursive: true, force: true });
  });
});

const CALLS: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ["read_graph", {}],
  [
    "create_entities",
    { entities: [person("Ana", "likes tea"), person("Bo"), person("Cy", "naïve")] },
  ],
  ["create_entities", { entities: [person("Ana", "again"), person("Di")] }],
  [
    "create_relations",
    { relations: [knows("Ana", "Bo"), knows("Bo", "Cy"), knows("Di", "Nobody")] },
  ],
  ["create_relations", { relations: [knows("Ana", "Bo")] }],
  ["add_observations", { observations: [{ entityName: "Bo", contents: ["late", "tall"] }] }],
  ["add_observations", { observations: [{ entityName: "Bo", contents: ["late"] }] }],
  ["search_nodes", { query: "LIKES" }],
  ["search_nodes", { query: "person" }],
  ["search_nodes", { query: "nothing like it" }],
  ["open_nodes", { names: ["Bo", "Unknown"] }],
  ["delete_observations", { deletions: [{ entityName: "Bo", observations: ["tall"] }] }],
  ["delete_relations", { relations: [knows("Bo", "Cy")] }],
  ["delete_entities", { entityNames: ["Ana"] }],
  ["read_graph", {}],
];
