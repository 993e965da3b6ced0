import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";

const EIGHT = Array.from({ length: 8 }, (_, at) => at);

describe("files, when several calls come at once", () => {
  let office: OfficeClient;
  beforeEach(async () => {
    office = await officeClient("filesystem");
  });
  afterEach(() => office?.[Symbol.asyncDispose]());
  const at = (name: string) => join(office.workspace, name);

  it("keep every edit that was answered, by whichever path it came", async () => {
    await writeFile(at("f.txt"), EIGHT.map((n) => `line ${n}\n`).join(""));
    await symlink("f.txt", at("same.txt"));
    await symlink(".", at("here"));
    const paths = ["f.txt", "same.txt", "./f.txt", "here/f.txt", at("f.txt")];
    await Promise.all(
      EIGHT.map(async (n) => {
        const edits = [{ oldText: `line ${n}`, newText: `edited ${n}` }];
        await office.text("edit_file", { path: paths[n % paths.length], edits });
      }),
    );
    assert.equal(await readFile(at("f.txt"), "utf8"), EIGHT.map((n) => `edited ${n}\n`).join(""));
    assert.equal(await readlink(at("same.txt")), "f.txt");
  });

  it("show whole files only, while others write them", async () => {
    const texts = EIGHT.map((n) => `${n}`.repeat(200_000));
    await writeFile(at("f.txt"), texts[0] ?? "");
    const reads = EIGHT.map(() => office.text("read_text_file", { path: "f.txt" }));
    const writes = texts.map((content) => office.text("write_file", { path: "f.txt", content }));
    for (const read of await Promise.all(reads)) assert.ok(texts.includes(read));
    await Promise.all(writes);
    assert.ok(texts.includes(await readFile(at("f.txt"), "utf8")));
    assert.deepEqual(await readdir(office.workspace), ["f.txt"]);
  });

  it("move one file to a place, and tell the others that it is taken", async () => {
    for (const n of EIGHT) await writeFile(at(`${n}.txt`), `${n}`);
    const answers = await Promise.all(
      EIGHT.map((n) => office.call("move_file", { source: `${n}.txt`, destination: "to.txt" })),
    );
    const done = EIGHT.filter((n) => answers[n]?.isError !== true);
    assert.equal(done.length, 1);
    assert.equal(await readFile(at("to.txt"), "utf8"), `${done[0]}`);
    assert.equal((await readdir(office.workspace)).length, 8);
  });

  it("move a file once, though eight ask for it, each to a place of its own", async () => {
    await writeFile(at("f.txt"), "it");
    const answers = await Promise.all(
      EIGHT.map((n) => office.call("move_file", { source: "f.txt", destination: `to-${n}.txt` })),
    );
    const done = EIGHT.filter((n) => answers[n]?.isError !== true);
    assert.deepEqual(
      await readdir(office.workspace),
      done.map((n) => `to-${n}.txt`),
    );
    assert.equal(done.length, 1);
  });

  it("make the folders that were asked for, though they share all but their ends", async () => {
    await Promise.all(
      EIGHT.map((n) => office.text("create_directory", { path: `a/b/c/${n % 4}/${n}` })),
    );
    for (const n of EIGHT) assert.deepEqual(await readdir(at(`a/b/c/${n % 4}/${n}`)), []);
  });

  it("lose nothing of what is edited while its folder is moved: it is done, or refused", async () => {
    await mkdir(at("a"));
    await writeFile(at("a/f.txt"), EIGHT.map((n) => `line ${n}\n`).join(""));
    const edits = EIGHT.map(async (n) => {
      const edit = [{ oldText: `line ${n}`, newText: `edited ${n}` }];
      return await office.call("edit_file", { path: "a/f.txt", edits: edit });
    });
    await office.text("move_file", { source: "a", destination: "b" });
    const answers = await Promise.all(edits);
    const wanted = EIGHT.map((n) => `${answers[n]?.isError ? "line" : "edited"} ${n}\n`).join("");
    assert.equal(await readFile(at("b/f.txt"), "utf8"), wanted);
    assert.deepEqual(await readdir(office.workspace), ["b"]);
  });
});

describe("files outside the workspace", () => {
  let office: OfficeClient;
  beforeEach(async () => {
    office = await officeClient("filesystem");
    await writeFile(join(office.state, "secret.txt"), "secret");
    await symlink(office.state, join(office.workspace, "out"));
    await symlink(join(office.state, "secret.txt"), join(office.workspace, "file"));
    await symlink(join(office.state, "new.txt"), join(office.workspace, "dangling"));
    await symlink("loop", join(office.workspace, "loop"));
  });
  afterEach(() => office?.[Symbol.asyncDispose]());

  it("are reached by no tool, by no link, and by no climbing", async () => {
    const { state } = office;
    const paths = [
      "out/secret.txt",
      "file",
      "dangling",
      "out/more/new.txt",
      "loop",
      `${state}/secret.txt`,
      "../state/secret.txt",
      "~/x",
      "a\0b",
    ];
    for (const path of paths) {
      const edits = [{ oldText: "secret", newText: "x" }];
      const calls = [
        ["read_text_file", { path }],
        ["read_media_file", { path }],
        ["write_file", { path, content: "x" }],
        ["edit_file", { path, edits }],
        ["create_directory", { path }],
        ["list_directory", { path }],
        ["directory_tree", { path }],
        ["search_files", { path, pattern: "**" }],
        ["get_file_info", { path }],
      ] as const;
      for (const [tool, args] of calls) {
        const said = await office.refusal(tool, args);
        assert.match(
          said,
          /Access denied|ELOOP|not there|does not exist|NUL|ENOENT/,
          `${tool} ${path}: ${said}`,
        );
      }
    }
    await writeFile(join(office.workspace, "mine.txt"), "mine");
    for (const destination of ["out/mine.txt", "../mine.txt"]) {
      await office.refusal("move_file", { source: "mine.txt", destination });
    }
    await office.refusal("move_file", { source: "out/secret.txt", destination: "got.txt" });
    const listed = await office.text("read_multiple_files", { paths: ["file", "mine.txt"] });
    assert.match(listed, /^file: Error - Access denied/);
    assert.doesNotMatch(listed, /:\nsecret/);
    assert.deepEqual(await readdir(state), ["secret.txt"]);
    assert.equal(await readFile(join(state, "secret.txt"), "utf8"), "secret");
  });

  it("are not listed through a link: a link is a file that is moved as itself", async () => {
    const tree = JSON.parse(await office.text("directory_tree", { path: "." }));
    assert.ok(tree.every((one: { type: string }) => one.type === "file"));
    assert.equal(
      await office.text("search_files", { path: ".", pattern: "**/secret*" }),
      "No matches found",
    );
    await office.text("move_file", { source: "out", destination: "elsewhere" });
    assert.equal(await readlink(join(office.workspace, "elsewhere")), office.state);
    assert.deepEqual(await readdir(office.state), ["secret.txt"]);
  });

  it("hold up nobody: a pipe or a folder where a file should be is refused at once", async () => {
    await rm(join(office.workspace, "loop"));
    execFileSync("/usr/bin/mkfifo", [join(office.workspace, "pipe")]);
    await mkdir(join(office.workspace, "folder"));
    for (const path of ["pipe", "folder"]) {
      await office.refusal("read_text_file", { path });
      await office.refusal("write_file", { path, content: "x" });
      await office.refusal("edit_file", { path, edits: [{ oldText: "a", newText: "b" }] });
    }
    assert.match(
      await office.refusal("move_file", { source: "folder", destination: "folder/in" }),
      /EINVAL|moved into itself/,
    );
    assert.match(
      await office.refusal("write_file", { path: "no/where.txt", content: "x" }),
      /Parent directory does not exist/,
    );
  });
});
