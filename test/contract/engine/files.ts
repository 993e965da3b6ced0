import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { entriesOf, faultOf, MIB, sh, type TarEntry, tarOf } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

const HOSTILE_NAMES = [
  "-rf",
  "--help",
  " leading and trailing ",
  "new\nline",
  "tab\tquote'\"`$(id)",
  "back\\slash",
  "*?[x]",
  "...",
  ".hidden",
  "grüße-☕-漢字",
  "e\u0301-nfd",
  "\u00e9-nfc",
  "\u202etxt.exe",
  "x".repeat(200),
  "%2e%2e%2f",
];

/** Files that go in and come out. */
export const filesContract: Readonly<Record<string, ContractBody>> = {
  "an archive for a directory that is not there is refused": async ({ shared }) => {
    const put = (path: string) => shared.putArchive(tarOf([{ name: "a", content: "b" }]), path);
    await faultOf(put("/workspace/nope"), "engine/archive-refused");
    await faultOf(put("/etc"), "engine/archive-refused");
  },

  "an archive that does not fit is refused": async ({ fresh, spec }) => {
    const workspace = { ...spec().workspace, bytes: 2 * MIB, files: 20 };
    await using box = await fresh({ workspace });
    const large = tarOf([{ name: "large", content: Buffer.alloc(12 * MIB) }]);
    await faultOf(box.putArchive(large, "/workspace"), "engine/archive-refused");
    await sh(box, "rm -rf /workspace/*");
    const names = Array.from({ length: 50 }, (_, n) => ({ name: `f${n}` }));
    await faultOf(box.putArchive(tarOf(names), "/workspace"), "engine/archive-refused");
  },

  "what is no archive, and one that breaks off, is refused": async ({ shared }) => {
    const noise = Readable.from([Buffer.alloc(4_096, "x")], { objectMode: false });
    await faultOf(shared.putArchive(noise, "/workspace"), "engine/archive-refused");
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.alloc(512);
        throw new Error("the disk is gone");
      })(),
      { objectMode: false },
    );
    const fault = await faultOf(
      shared.putArchive(breaking, "/workspace"),
      "engine/archive-refused",
    );
    assert.match(fault.message, /the disk is gone/);
  },

  "a path that is not there cannot be read": async ({ shared }) => {
    await faultOf(shared.getArchive("/workspace/nope"), "engine/path-missing");
    await faultOf(shared.getArchive("/nope/nope"), "engine/path-missing");
  },

  "a path that no archive can show is refused instead of shown empty": async ({ shared }) => {
    for (const path of ["/tmp", "/tmp/x", "/home/agent", "/dev/shm", "/proc/1", "/tmp/../tmp"]) {
      await faultOf(shared.getArchive(path), "engine/path-missing");
    }
  },

  "a file of 50 MiB goes in and comes out byte for byte": async ({ fresh }) => {
    await using box = await fresh();
    const content = randomBytes(50 * MIB);
    await box.putArchive(tarOf([{ name: "large", content }]), "/workspace");
    const [entry] = await entriesOf(await box.getArchive("/workspace/large"));
    assert.equal(entry?.name, "large");
    assert(entry?.content.equals(content));
  },

  "a file of zero bytes goes in and comes out": async ({ shared }) => {
    await shared.putArchive(tarOf([{ name: "empty", content: "" }]), "/workspace");
    assert.equal(await sh(shared, "stat -c %s /workspace/empty"), "0\n");
    const [entry] = await entriesOf(await shared.getArchive("/workspace/empty"));
    assert.equal(entry?.content.length, 0);
    await sh(shared, "rm -f /workspace/empty");
  },

  "hostile and foreign names go in and come out as they are": async ({ fresh }) => {
    await using box = await fresh();
    const files = HOSTILE_NAMES.map((name) => ({ name: `d/${name}`, content: `<${name}>` }));
    await box.putArchive(tarOf([{ name: "d", type: "directory" }, ...files]), "/workspace");
    const there = await sh(
      box,
      "cd /workspace/d && for f in * .hidden ...; do printf '%s\\0' \"$f\"; done",
    );
    assert.deepEqual(there.split("\0").slice(0, -1).sort(), [...HOSTILE_NAMES].sort());
    const entries = await entriesOf(await box.getArchive("/workspace/d"));
    const back = new Map(entries.map(({ name, content }) => [name, content.toString()]));
    for (const { name, content } of files) assert.equal(back.get(name), content);
    assert.equal(back.size, files.length + 1);
  },

  "owner, mode and time are taken from the archive": async ({ fresh }) => {
    await using box = await fresh();
    const { uids, gid } = box.identity;
    const uid = uids["server"] ?? 0;
    const mtime = new Date("2026-03-02T09:00:00Z");
    const owned = { uid, gid, mtime };
    const tar = tarOf([
      { name: "./", type: "directory", mode: 0o700, uid: 0, gid: 0 },
      { name: "d/", type: "directory", mode: 0o2770, ...owned },
      { name: "d/tool", content: "#!/bin/sh\necho ran\n", mode: 0o750, ...owned },
    ]);
    await box.putArchive(tar, "/workspace");
    const seen = await sh(box, "stat -c '%u %g %a %Y' /workspace/d/tool; /workspace/d/tool");
    assert.equal(seen, `${uid} ${gid} 750 ${mtime.getTime() / 1_000}\nran\n`);
    const [entry] = await entriesOf(await box.getArchive("/workspace/d/tool"));
    assert.equal(idOf(entry), uid);
    assert.equal((entry?.header.mode ?? 0) & 0o7777, 0o750);
    assert.equal(await sh(box, "touch /workspace/mine && rm /workspace/mine && echo ok"), "ok\n");
  },

  "links come out as links and nothing is followed": async ({ fresh }) => {
    await using box = await fresh();
    const make =
      "ln -s /etc/passwd a; ln -s ../../.. b; ln -s b/etc c; mkfifo p; echo x > f; ln f g";
    await sh(box, `cd /workspace; ${make}`);
    const entries = await entriesOf(await box.getArchive("/workspace"));
    const links = entries.filter(({ header }) => header.type === "symlink");
    assert.deepEqual(links.map(({ name, header }) => [name, header.linkname]).sort(), [
      ["workspace/a", "/etc/passwd"],
      ["workspace/b", "../../.."],
      ["workspace/c", "b/etc"],
    ]);
    const [link] = await entriesOf(await box.getArchive("/workspace/a"));
    assert.deepEqual([link?.header.type, link?.content.length], ["symlink", 0]);
  },

  "the workspace holds its bytes and its files and no more": async ({ fresh, spec }) => {
    const workspace = { ...spec().workspace, bytes: 4 * MIB, files: 50 };
    await using box = await fresh({ workspace });
    const full = await sh(
      box,
      "head -c 9000000 /dev/zero > /workspace/f || stat -c %s /workspace/f",
    );
    assert(Number(full) <= 4 * MIB && Number(full) > 3 * MIB);
    await sh(box, "rm /workspace/f");
    const many = "cd /workspace; i=0; while [ $i -lt 99 ] && : > f$i; do i=$((i + 1)); done";
    const count = await sh(box, `(${many}) 2>/dev/null; ls /workspace | wc -l`);
    assert(Number(count) <= 50 && Number(count) > 40);
  },

  "no file grows beyond its limit, however sparse": async ({ fresh, spec }) => {
    await using box = await fresh({ limits: { ...spec().limits, fileBytes: 100_000 } });
    const grow = await box.exec(["truncate", "-s", "1G", "/workspace/f"], { user: "agent" });
    assert.notEqual(grow.exitCode, 0);
    const written = "head -c 200000 /dev/zero > /workspace/f; stat -c %s /workspace/f";
    const { stdout } = await box.exec(["/bin/sh", "-c", written], { user: "agent" });
    assert.equal(stdout.toString(), "100000\n");
  },

  "what users of a sandbox make in the workspace belongs to all of them": async ({ fresh }) => {
    await using box = await fresh();
    await sh(box, "mkdir /workspace/d && echo 1 > /workspace/d/f", "server");
    await sh(box, "echo 2 >> /workspace/d/f && echo 3 > /workspace/d/g && rm /workspace/d/g");
    assert.equal(await sh(box, "stat -c %g /workspace/d/f"), `${box.identity.gid}\n`);
  },
};

/** Ids beyond six octal digits stand apart in the archive. */
function idOf(entry: TarEntry | undefined): number | undefined {
  const apart = entry?.header.pax as Readonly<Record<string, string>> | undefined;
  return apart?.["uid"] === undefined ? entry?.header.uid : Number(apart["uid"]);
}
