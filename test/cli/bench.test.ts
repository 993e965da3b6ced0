import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openEngine } from "../../runtime/engine/engines.ts";
import { IS_SLOW } from "../support/slow.ts";

const SLOW = ["sustained", "memory", "surfaces", "regrade", "files"];
const SUITES = ["start", "call", "store", ...(IS_SLOW ? SLOW : [])];

describe("cloche bench", () => {
  let data: string;

  before(async () => {
    data = await mkdtemp(join(tmpdir(), "cloche-bench-"));
  });

  after(async () => {
    await rm(data, { recursive: true, force: true });
  });

  it("refuses a suite that is not there, and names those that are", async () => {
    const { code, err } = await finished(bench("--only", "strat"));
    assert.equal(code, 2);
    assert.match(err, /"strat".*start, call, sustained, memory, store, regrade, surfaces, files/);
  });

  it("leaves nothing after Ctrl-C", async () => {
    const child = bench("--only", "start");
    await said(child, "start: turn 1");
    const files = globSync(join(data, "bench-*", "*", "owner"));
    const owners = files.map((file) => readFileSync(file, "utf8").trim());
    child.kill("SIGINT");
    const { code, err } = await finished(child);
    assert.equal(code, 130, err);
    assert.equal(owners.length, 3);
    await using engine = await openEngine("docker", { env: process.env });
    for (const owner of owners) assert.deepEqual(await engine.find(owner), []);
    assert.deepEqual(await readdir(data), []);
  });

  it("prints one document with every figure beside its anchor, and leaves nothing", async () => {
    const { code, out, err } = await finished(bench("--quick", "--json", "--only", String(SUITES)));
    assert.equal(code, 0, err);
    const { bench: run, figures, failed } = JSON.parse(out);
    assert.deepEqual(failed, []);
    assert.equal(run.quick, true);
    assert.ok(run.machine.cpus > 0 && run.engine !== "");
    const names = new Set(figures.map(({ name }: { name: string }) => name));
    for (const suite of SUITES) {
      assert.ok(
        [...names].some((name) => String(name).startsWith(`${suite}.`)),
        suite,
      );
    }
    for (const { name, unit, n, p10, p50, p90, anchor, ratio } of figures) {
      assert.ok(["ms", "MB", "per second"].includes(unit), name);
      assert.ok(n > 0 && p10 <= p50 && p50 <= p90, name);
      assert.equal(ratio === null, anchor === null, name);
      assert.ok(anchor === null || names.has(anchor), name);
    }
    assert.deepEqual(await readdir(data), []);
  });

  function bench(...words: string[]): ChildProcess {
    const argv = ["runtime/cli/main.ts", "bench", "--data", data, ...words];
    return spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  }
});

async function said(child: ChildProcess, text: string): Promise<void> {
  let all = "";
  for await (const chunk of child.stderr?.iterator({ destroyOnReturn: false }) ?? []) {
    all += chunk;
    if (all.includes(text)) return;
  }
  assert.fail(`it never said "${text}" but: ${all}`);
}

async function finished(child: ChildProcess) {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, "close");
  return { code: code as number | null, out, err };
}
