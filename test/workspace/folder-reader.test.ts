import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, link, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { snapshotOfFolder } from "../../runtime/workspace/folder-reader.ts";
import type { Snapshot } from "../../runtime/workspace/snapshot.ts";
import { faultOf } from "../support/engine.ts";
import { tempFolder } from "../support/temp-folder.ts";

const LIMITS = { bytes: 100_000, files: 10 };
const run = promisify(execFile);

for (const [title, says, make] of [
  [
    "a link to an absolute path",
    /"l" leads out .*\/etc\/passwd.*copy/,
    (dir) => symlink("/etc/passwd", join(dir, "l")),
  ],
  ["a link that climbs out", /"l" leads out/, (dir) => symlink("d/../../x", join(dir, "l"))],
  [
    "a link that leads out by way of another link",
    /"d\/x" leads out/,
    async (dir) => {
      await mkdir(join(dir, "d"));
      await symlink("..", join(dir, "d", "up"));
      await symlink("up/../secret", join(dir, "d", "x"));
    },
  ],
  ["a pipe", /"p" is a pipe; remove it/, (dir) => run("mkfifo", [join(dir, "p")])],
  [
    "a control character in a name",
    /"a\\u\{a\}b" has a control/,
    (dir) => writeFile(join(dir, "a\nb"), ""),
  ],
  [
    "a name that is not UTF-8",
    /not UTF-8; rename/,
    (dir) => writeFile(Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff)]), ""),
  ],
  [
    "too many bytes",
    /more than 100000 bytes/,
    (dir) => writeFile(join(dir, "big"), Buffer.alloc(100_001)),
  ],
  [
    "too many files",
    /more than 10 (files|entries)/,
    async (dir) => {
      for (let index = 0; index < 11; index++) await writeFile(join(dir, `f${index}`), "");
    },
  ],
] as const satisfies readonly (readonly [string, RegExp, (dir: string) => Promise<unknown>])[]) {
  test(`a fixture folder with ${title} is refused by name and with a remedy`, async () => {
    await using folder = await tempFolder();
    await make(folder.path);
    const fault = await faultOf(read(folder.path), "workspace/fixture-refused");
    assert.equal(fault.blame, "task");
    assert.match(fault.message, says);
    assert.ok(fault.message.includes(folder.path));
  });
}

test("a fixture folder with a socket is refused", async () => {
  await using folder = await tempFolder();
  const server = createServer().listen(join(folder.path, "s"));
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    const fault = await faultOf(read(folder.path), "workspace/fixture-refused");
    assert.match(fault.message, /"s" is a socket/);
  } finally {
    server.close();
  }
});

test("a fixture folder that is not there is refused", async () => {
  await faultOf(read("/nowhere/at/all"), "workspace/fixture-refused");
});

test("files, directories and links inside are read, of the modes only whether a file runs", async () => {
  await using folder = await tempFolder();
  await mkdir(join(folder.path, "d/empty"), { recursive: true, mode: 0o700 });
  await writeFile(join(folder.path, "d", "tool"), "#!", { mode: 0o700 });
  await writeFile(join(folder.path, "d", "text"), "text", { mode: 0o600 });
  await chmod(join(folder.path, "d", "tool"), 0o4700);
  await link(join(folder.path, "d", "text"), join(folder.path, "twin"));
  await symlink("d/text", join(folder.path, "in"));
  await symlink("round", join(folder.path, "round"));
  await writeFile(join(folder.path, "d", ".DS_Store"), "left out");
  const ignore = (path: string) => path.endsWith(".DS_Store");
  const { entries, bytes } = await read(folder.path, ignore);
  assert.deepEqual(
    entries.map((entry) => [entry.path, "mode" in entry ? entry.mode.toString(8) : entry.target]),
    [
      ["d", "775"],
      ["d/empty", "775"],
      ["d/text", "664"],
      ["d/tool", "775"],
      ["in", "d/text"],
      ["round", "round"],
      ["twin", "664"],
    ],
  );
  assert.equal(bytes, 10);
});

async function read(path: string, ignore?: (path: string) => boolean): Promise<Snapshot> {
  await using blobs = await tempFolder();
  return await snapshotOfFolder(path, new BlobFolder(blobs.path), LIMITS, ignore ? { ignore } : {});
}
