import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import type { Header } from "tar-stream";
import { entriesOf, type TarEntry, tarOf } from "../support/engine.ts";
import { openTestApi, type TestApi } from "./test-api.ts";

const TAR = { "content-type": "application/x-tar" };
type Entry = Partial<Header> & { name: string; content?: Buffer | string };

describe("an uploaded bundle", () => {
  let api: TestApi;
  let entries: readonly TarEntry[];
  before(async () => {
    api = await openTestApi();
    const id = await api.serving();
    await api.ask("POST", `/v1/rollouts/${id}/finish`);
    const headers = { authorization: "Bearer key-of-mine" };
    const response = await api.app.request(`/v1/rollouts/${id}/bundle`, { headers });
    entries = await entriesOf(Readable.from(Buffer.from(await response.arrayBuffer())));
  });
  after(async () => {
    assert.deepEqual(await readdir(api.runtime.data.cache).then(drafts), []);
    await api[Symbol.asyncDispose]();
  });

  const drafts = (names: string[]) => names.filter((name) => name.startsWith(".draft"));
  const plain = (): Entry[] => entries.map(({ name, content }) => ({ name, content }));
  const bytesOf = async (of: readonly Entry[]) => Buffer.concat(await Array.fromAsync(tarOf(of)));
  const grade = async (raw: Buffer) => api.ask("POST", "/v1/grade", { headers: TAR, raw });

  async function refused(raw: Buffer, what: RegExp): Promise<void> {
    const answer = await grade(raw);
    assert.deepEqual([answer.status, answer.json.code], [422, "api/upload-refused"], answer.text);
    assert.match(answer.json.detail, what);
    assert(!answer.json.detail.includes(api.runtime.data.path), answer.json.detail);
  }

  it("is refused if it names a path outside, a link, a device or what no bundle has", async () => {
    const top = entries[0]?.name.split("/")[0] ?? "";
    const traps: Entry[] = [
      { name: "../evil", content: "x" },
      { name: "/etc/cron.d/evil", content: "x" },
      { name: `${top}/../../evil`, content: "x" },
      { name: `${top}/task/../../evil.py`, content: "x" },
      { name: `${top}/blobs/aa/../../../evil`, content: "x" },
      { name: `${top}/steps.jsonl`, type: "symlink", linkname: "/etc/passwd" },
      { name: `${top}/steps.jsonl`, type: "link", linkname: "/etc/passwd" },
      { name: `${top}/steps.jsonl`, type: "fifo" },
      { name: `${top}/extra.txt`, content: "x" },
      { name: `${top}/task/grader.pyc`, content: "x" },
      { name: "elsewhere/manifest.json", content: "x" },
    ];
    for (const trap of traps) {
      await refused(await bytesOf([trap]), /no bundle|no file|not a bundle|cannot be read/);
      await refused(await bytesOf([...plain(), trap]), /no file|another directory|twice/);
    }
  });

  it("is refused if a file is there twice, missing, or altered by one byte", async () => {
    const all = plain();
    await refused(await bytesOf([...all, ...all.slice(0, 1)]), /twice/);
    for (const [at, { name }] of all.entries()) {
      await refused(await bytesOf(all.toSpliced(at, 1)), /missing|not a bundle|cannot be read/);
      const { content: sound = Buffer.alloc(0) } = entries[at] ?? {};
      const content = sound.length > 0 ? Buffer.from(sound) : Buffer.alloc(1);
      content[0] = (content[0] ?? 0) ^ 1;
      await refused(await bytesOf(all.toSpliced(at, 1, { name, content })), /altered/);
    }
  });

  it("is taken with and without a folder around its files", async () => {
    for (const top of ["", "./", "bundle/"]) {
      const all = plain().map(({ name, ...rest }) => {
        return { ...rest, name: `${top}${name.slice(name.indexOf("/") + 1)}` };
      });
      const answer = await grade(await bytesOf(all));
      assert.equal(answer.status, 200, answer.text);
    }
  });

  it("is refused if it was cut short, or is no archive at all", async () => {
    const whole = await bytesOf(plain());
    for (const length of [0, 1, 511, 512, 5000, whole.length - 512, whole.length - 1024]) {
      await refused(whole.subarray(0, length), /ended early|empty blocks/);
    }
    await refused(Buffer.from("no archive".repeat(100)), /checksum|header/);
    await refused(Buffer.concat([whole, Buffer.from("x".repeat(512))]), /follows the end/);
  });

  it("is graded with or without the directory that it came in", async () => {
    const bare = plain().map(({ name, ...rest }) => ({
      ...rest,
      name: name.slice(name.indexOf("/") + 1),
    }));
    for (const kind of [plain(), bare]) {
      const answer = await grade(await bytesOf(kind));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.same, true);
    }
  });
});
