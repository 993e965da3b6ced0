import assert from "node:assert/strict";
import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Client } from "@modelcontextprotocol/client";
import { type OfficeClient, officeClient, textOf } from "../office-client.ts";
import { gist, publishedClient } from "../published-client.ts";

type Call = readonly [tool: string, args: Readonly<Record<string, unknown>>];

describe("the tools of files, beside those of @modelcontextprotocol/server-filesystem", () => {
  let ours: OfficeClient;
  let theirs: Client & AsyncDisposable;

  before(async () => {
    ours = await officeClient("filesystem");
    theirs = await publishedClient("server-filesystem", { args: [ours.workspace] });
  });
  after(async () => {
    await theirs?.[Symbol.asyncDispose]();
    await ours?.[Symbol.asyncDispose]();
  });

  /** The same folder again, whatever a call did to it. */
  async function fresh(): Promise<void> {
    const { workspace } = ours;
    for (const name of ["a.txt", "b.md", "sub", "pic.png", "new.txt", "run.sh", "link", "made"]) {
      await rm(join(workspace, name), { recursive: true, force: true });
    }
    await mkdir(join(workspace, "sub", "deep"), { recursive: true });
    await writeFile(join(workspace, "a.txt"), "one\ntwo\nthree\nfour\nfive");
    await writeFile(join(workspace, "b.md"), "# Head\n\n```js\nx\n```\n");
    await writeFile(join(workspace, "sub", "c.txt"), "see");
    await writeFile(join(workspace, "sub", "deep", "d.csv"), "a,b\n1,2\n");
    await writeFile(join(workspace, "pic.png"), Buffer.from("89504e47", "hex"));
    await writeFile(join(workspace, "run.sh"), "#!/bin/sh\nexit 1\n");
    await chmod(join(workspace, "run.sh"), 0o750);
    await symlink("a.txt", join(workspace, "link"));
  }

  it("have the same names, descriptions, parameters and hints", async () => {
    const [mine, reference] = [await ours.client.listTools(), await theirs.listTools()];
    const named = (tools: typeof mine.tools) => new Map(tools.map((tool) => [tool.name, tool]));
    const [my, their] = [named(mine.tools), named(reference.tools)];
    assert.deepEqual([...my.keys()].sort(), [...their.keys()].sort());
    for (const [name, tool] of their) {
      const { title, description } = my.get(name) ?? {};
      assert.deepEqual(
        { title, description },
        { title: tool.title, description: tool.description },
      );
      assert.deepEqual(gist(my.get(name) ?? tool), gist(tool), name);
    }
  });

  const calls: readonly Call[] = [
    ["read_file", { path: "a.txt" }],
    ["read_text_file", { path: "a.txt", head: 2 }],
    ["read_text_file", { path: "a.txt", tail: 2 }],
    ["read_text_file", { path: "link" }],
    ["read_media_file", { path: "pic.png" }],
    ["read_media_file", { path: "sub/c.txt" }],
    ["read_multiple_files", { paths: ["a.txt", "sub/c.txt"] }],
    ["write_file", { path: "new.txt", content: "héllo\n" }],
    ["write_file", { path: "run.sh", content: "#!/bin/sh\n" }],
    ["write_file", { path: "link", content: "through the link\n" }],
    ["edit_file", { path: "a.txt", edits: [{ oldText: "two", newText: "2" }] }],
    ["edit_file", { path: "b.md", edits: [{ oldText: "x", newText: "y" }], dryRun: true }],
    ["edit_file", { path: "b.md", edits: [{ oldText: "# Head", newText: "# A\n# B" }] }],
    ["edit_file", { path: "run.sh", edits: [{ oldText: "  exit 1  ", newText: "  exit 0" }] }],
    ["edit_file", { path: "a.txt", edits: [] }],
    ["create_directory", { path: "made/deep/er" }],
    ["create_directory", { path: "sub" }],
    ["list_directory", { path: "." }],
    ["list_directory", { path: "sub" }],
    ["list_directory_with_sizes", { path: "sub" }],
    ["list_directory_with_sizes", { path: "sub", sortBy: "size" }],
    ["directory_tree", { path: "sub" }],
    ["move_file", { source: "a.txt", destination: "sub/moved.txt" }],
    ["move_file", { source: "sub", destination: "made" }],
    ["search_files", { path: ".", pattern: "**/*.txt" }],
    ["search_files", { path: ".", pattern: "*.zip" }],
    ["search_files", { path: ".", pattern: "**/*", excludePatterns: ["sub/**"] }],
    ["list_allowed_directories", {}],
  ];

  for (const [tool, args] of calls) {
    it(`${tool} ${JSON.stringify(args)} says and does the same`, async () => {
      await fresh();
      const [said, isIn] = [
        await ours.client.callTool({ name: tool, arguments: args }),
        await tree(),
      ];
      await fresh();
      const [meant, isInTheirs] = [
        await theirs.callTool({ name: tool, arguments: args }),
        await tree(),
      ];
      assert.equal(meant.isError ?? false, false, textOf(meant));
      assert.deepEqual(unordered(tool, said.content), unordered(tool, meant.content));
      assert.deepEqual(
        unordered(tool, said.structuredContent),
        unordered(tool, meant.structuredContent),
      );
      assert.deepEqual(isIn, isInTheirs);
    });
  }

  it("say a file's facts in the same lines", async () => {
    await fresh();
    const [said, meant] = [
      await ours.text("get_file_info", { path: "run.sh" }),
      textOf(await theirs.callTool({ name: "get_file_info", arguments: { path: "run.sh" } })),
    ];
    const lines = (text: string) => text.split("\n").filter((line) => !line.startsWith("accessed"));
    assert.deepEqual(lines(said), lines(meant));
  });

  it("refuse what is outside, not there or already there, with the same words in front", async () => {
    await fresh();
    const refused: readonly Call[] = [
      ["read_text_file", { path: "/etc/passwd" }],
      ["write_file", { path: "../out.txt", content: "x" }],
      ["read_text_file", { path: "C:\\Users\\x" }],
      ["edit_file", { path: "a.txt", edits: [{ oldText: "nowhere", newText: "x" }] }],
      ["move_file", { source: "a.txt", destination: "b.md" }],
      ["read_text_file", { path: "a.txt", head: 1, tail: 1 }],
    ];
    for (const [tool, args] of refused) {
      const said = await ours.refusal(tool, args);
      const meant = textOf(await theirs.callTool({ name: tool, arguments: args }));
      assert.ok(said.startsWith(meant), `${tool}: ${said}\n${meant}`);
    }
  });

  async function tree(): Promise<readonly (readonly [string, number, string])[]> {
    const names = (await readdir(ours.workspace, { recursive: true })).sort();
    return await Promise.all(
      names.map(async (name) => {
        const path = join(ours.workspace, name);
        const found = await lstat(path);
        const text = found.isFile() ? await readFile(path, "latin1") : "";
        // Folders are made for the rollout's group.
        return [name, found.isDirectory() ? 0 : found.mode, text] as const;
      }),
    );
  }
});

/** Lists come in the order of the file system there, and sorted here. */
function unordered(tool: string, said: unknown): unknown {
  if (!/^(list_directory|search_files|directory_tree)$/.test(tool)) return said;
  return JSON.parse(JSON.stringify(said), (key, value) => {
    const isText = (key === "text" || key === "content") && typeof value === "string";
    return isText ? value.split("\n").sort().join("\n") : value;
  });
}
