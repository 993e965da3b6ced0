import assert from "node:assert/strict";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { openTestApi } from "./test-api.ts";

/** A small disk of its own, gone afterwards; undefined where this process may not mount one. */
async function smallDisk() {
  const path = await mkdtemp(join(tmpdir(), "cloche-disk-"));
  const mounted = await execa("mount", ["-t", "tmpfs", "-o", "size=24m", "none", path], {
    reject: false,
  });
  if (mounted.exitCode !== 0) {
    await rm(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await execa("umount", ["-l", path]);
      await rm(path, { recursive: true });
    },
  };
}

it("a full disk is not ready and takes no rollout, and is and does once there is room", async (t) => {
  await using disk = await smallDisk();
  if (disk === undefined) return t.skip("only root may mount a small disk");
  await using api = await openTestApi({ runtime: { folder: join(disk.path, "data") } });
  const request = { json: { task: "test/note" } };
  assert.equal((await api.ask("GET", "/readyz", { key: null })).status, 200);
  const early = await api.ask("POST", "/v1/rollouts", request);
  assert.equal(early.status, 201, early.text);
  await api.ask("POST", `/v1/rollouts/${early.json.id}/cancel`);

  const { bavail, bsize } = await statfs(disk.path);
  await writeFile(join(disk.path, "filler"), Buffer.alloc(bavail * bsize - 100_000));
  await sleep(1_100); // What was found is believed for a second.
  const unready = await api.ask("GET", "/readyz", { key: null });
  assert.equal(unready.status, 503);
  assert.equal(unready.json.code, "api/not-ready");
  assert.match(unready.json.detail, /data folder .* takes no megabyte more.*ENOSPC/);
  const refused = await api.ask("POST", "/v1/rollouts", request);
  assert.equal(refused.status, 507);
  assert.equal(refused.json.code, "store/no-room");
  assert.match(refused.json.detail, /free space there/);

  await rm(join(disk.path, "filler"));
  await sleep(1_100);
  assert.equal((await api.ask("GET", "/readyz", { key: null })).status, 200);
  const late = await api.ask("POST", "/v1/rollouts", request);
  assert.equal(late.status, 201, late.text);
  await api.ask("POST", `/v1/rollouts/${late.json.id}/cancel`);
});
