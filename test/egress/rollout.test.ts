import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { reap } from "../../runtime/rollout/reaper.ts";
import { resumeRollout } from "../../runtime/rollout/resume.ts";
import { openBundle } from "../../runtime/store/bundle-reader.ts";
import { prepareVariant } from "../../runtime/task/prepare.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { BlobFolder } from "../../runtime/workspace/blobs.ts";
import { faultOf, openTestEngine, sandboxImage } from "../support/engine.ts";
import { openTestRuntime, play, type TestRuntime } from "../support/runtime.ts";
import { ME, NEVER, openServiceBench } from "../support/service.ts";
import { ofNote, smallTask, type TestRoot } from "../support/small-task.ts";
import { docker, type Outside, openOutside } from "./outside.ts";

const ASKING = {
  "task.toml": `${ofNote("task.toml")}
[cloche.egress]
hosts = ["api.example.test:80", "API.example.test:9003", "api.example.test:80"]
`,
  "grader.py": `from cloche import check, criterion, grade


@criterion("the page was asked for, and nothing else was reached")
def asked(run):
    seen = [(one.method, one.host, one.port, one.outcome) for one in run.egress]
    check(("GET", "api.example.test", 80, "allowed") in seen, f"it asked for {seen}")
    check(all(o == "refused" for m, h, p, o in seen if h != "api.example.test"), f"{seen}")
    return "hello from" in run.workspace.file("note.txt").text()


grade()
`,
};

const FETCH =
  "python3 -c \"import urllib.request as u; open('/workspace/note.txt','w').write(" +
  "u.urlopen('http://api.example.test/page').read().decode())\"; " +
  "python3 -c \"import urllib.request as u; u.urlopen('http://evil.example.test/')\" 2>&1 | tail -1; " +
  "node -e \"fetch('http://api.example.test/node').then((r) => r.text()).then(console.log)\"; " +
  "env | grep -i proxy | sort";

describe("a task that asks for hosts outside", () => {
  let runtime: TestRuntime;
  let outside: Outside;
  let root: TestRoot;
  let said = "";

  const fetcher: Policy = {
    name: "fetcher",
    play: async (input, signal) => {
      await using client = await connectClient(input.url, input.token, signal);
      const result = await client.callTool("run_command", { command: FETCH });
      said = JSON.stringify(result);
      return { answer: "done" };
    },
  };

  before(async () => {
    const first = await openTestEngine();
    outside = openOutside(await sandboxImage(first));
    await first[Symbol.asyncDispose]();
    const engine = await openTestEngine({ outletNetwork: outside.network });
    runtime = await openTestRuntime({ engine });
    root = await smallTask(ASKING);
  });

  after(async () => {
    await runtime?.assertNothingLeft();
    await runtime?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
    await outside?.[Symbol.asyncDispose]();
  });

  it("is refused where nobody has allowed it, before anything is made, with what to do", async () => {
    await using bench = await openServiceBench(ASKING);
    await using service = await bench.open({ pool: { max: 0 } });
    const fault = await faultOf(
      service.request({ task: "test/note" }, ME),
      "rollout/egress-not-allowed",
    );
    assert.match(fault.message, /api\.example\.test:80, api\.example\.test:9003.*--allow-egress/);
    assert.deepEqual((await service.list({}, ME)).records, []);
    await bench.runtime.assertNothingLeft();
    const record = await play(runtime, root.path, "test/note", fetcher);
    assert.equal(record.fault?.code, "rollout/egress-not-allowed");
    assert.equal(record.sandbox, null);
    for (const command of [["run"], ["task", "play"], ["task", "prove"]]) {
      const { code, err } = await cloche([...command, "test/note", "--root", root.path]);
      assert.notEqual(code, 0);
      assert.match(err, /asks for hosts outside/, command.join(" "));
    }
  });

  it("reaches them and nothing else, and its grader and its bundle have each request", async () => {
    const allowed = { ...runtime, allowEgress: true };
    const record = await play(allowed, root.path, "test/note", fetcher);
    assert.equal(record.reward?.sparse, 1, JSON.stringify([record.fault, record.criteria, said]));
    assert.match(said, /403: Forbidden/);
    assert.match(said, /hello from api\.example\.test\/node/);
    assert.match(said, /HTTPS_PROXY=http:\/\/127\.0\.0\.1:3128/);
    assert.match(said, /no_proxy=localhost,127\.0\.0\.1/);
    await runtime.assertNothingLeft();
    const path = join(runtime.data.bundles, record.bundle ?? "");
    const text = await readFile(join(path, "egress.jsonl"), "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ request, outcome, host }) => [request, outcome, host]),
      [
        [1, "begun", "api.example.test"],
        [1, "allowed", "api.example.test"],
        [2, "refused", "evil.example.test"],
        [3, "begun", "api.example.test"],
        [3, "allowed", "api.example.test"],
      ],
    );
    assert.equal(lines[0].address, outside.address);
    await openBundle(path);
    await alteredIsRefused(path, text);
  });

  it("shows its pages in the browser too, and follows no page to where nobody may go", async () => {
    const toml = ASKING["task.toml"].replace("memory_mb = 512", "memory_mb = 2048");
    const withBrowser = toml.replace('name = "terminal"', 'name = "browser"');
    await using pages = await smallTask({ ...ASKING, "task.toml": withBrowser });
    const seen: string[] = [];
    const reader: Policy = {
      name: "reader",
      play: async (input, signal) => {
        await using client = await connectClient(input.url, input.token, signal);
        for (const place of [
          "api.example.test/page",
          "api.example.test/away",
          "evil.example.test/",
        ]) {
          const went = await client.callTool("browser_navigate", { url: `http://${place}` });
          seen.push(JSON.stringify([went, await client.callTool("browser_snapshot", {})]));
        }
        const content = /hello from api\.example\.test\/page/.exec(seen[0] ?? "")?.[0] ?? "nothing";
        await client.callTool("write_file", { path: "/workspace/note.txt", content });
        return { answer: "done" };
      },
    };
    const record = await play({ ...runtime, allowEgress: true }, pages.path, "test/note", reader);
    assert.equal(record.reward?.sparse, 1, JSON.stringify([record.fault, record.criteria, seen]));
    // The redirection to a link-local address is never asked of the proxy: Chromium goes there by
    // itself, which is nowhere.
    assert.match(seen[1] ?? "", /chrome-error|ERR_|"isError":true/);
    const text = await readFile(
      join(runtime.data.bundles, record.bundle ?? "", "egress.jsonl"),
      "utf8",
    );
    const asked = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ host, outcome }) => `${host} ${outcome}`);
    assert.deepEqual(
      [...new Set(asked)].sort(),
      ["api.example.test allowed", "api.example.test begun", "evil.example.test refused"],
      "nothing of the browser's own accord",
    );
    await runtime.assertNothingLeft();
  });

  it("is served by prepared sandboxes as well, and no request can name a host", async () => {
    await using bench = await openServiceBench(ASKING);
    const parts = { engine: runtime.engine, allowEgress: true };
    await using service = await bench.open({}, parts);
    const request = { task: "test/note", egress: { hosts: ["evil.example.test:80"] } };
    for (let turn = 0; turn < 2; turn++) {
      const { id } = await service.request(request, ME);
      await service.untilServing(id, ME, new AbortController().signal);
      const [answer] = await service.call(
        id,
        [{ name: "run_command", arguments: { command: FETCH } }],
        ME,
      );
      assert.match(JSON.stringify(answer), /403: Forbidden[\s\S]*api\.example\.test\/node/);
      assert.equal((await service.finish(id, "done", ME)).reward?.sparse, 1);
      if (turn === 0) await sleep(3_000); // One is made ready meanwhile.
    }
    await service.drain(0, AbortSignal.abort());
    await bench.runtime.assertNothingLeft();
  });

  it("is gone on with after its process was killed, on the same record of requests", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloche-egress-killed-"));
    try {
      const child = killable(folder, root.path, outside.network);
      assert.match(await untilSaid(child, "working"), /working/);
      child.kill("SIGKILL");
      const engine = await openTestEngine({ outletNetwork: outside.network });
      await using left = await openTestRuntime({ folder, engine });
      const [record] = await left.records.unfinished();
      assert.equal(record?.phase, "serving");
      const task = await findTask(root.path, "test/note");
      const prepared = await prepareVariant(task, 1, {
        ...{ engine, graderImage: left.images.grader, blobs: new BlobFolder(left.data.blobs) },
        ...{ cacheFolder: left.data.cache, signal: NEVER, log: left.log },
        labels: { owner: left.data.owner, process: left.process },
      });
      const spec = { id: record.id, task, prepared, policy: fetcher, group: null, labels: {} };
      const [found] = await engine.find(left.data.owner);
      const ended = await resumeRollout(record, found, spec, { ...left, allowEgress: true }, NEVER);
      assert.equal(ended.reward?.sparse, 1, JSON.stringify([ended.fault, ended.criteria, said]));
      const text = await readFile(
        join(left.data.bundles, ended.bundle ?? "", "egress.jsonl"),
        "utf8",
      );
      const lines = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const order = lines.map(({ request, outcome }) => `${request} ${outcome}`);
      const wanted = ["1 begun", "2 allowed", "2 begun", "3 refused", "4 allowed", "4 begun"];
      assert.deepEqual([...order].sort(), wanted);
      // A request ends after it began; which of two ends is written first depends on the machine.
      for (const request of [2, 4]) {
        assert.ok(order.indexOf(`${request} begun`) < order.indexOf(`${request} allowed`), text);
      }
      await left.assertNothingLeft();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("leaves no proxy behind when the process is killed: reap finds and removes it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cloche-egress-killed-"));
    try {
      const child = killable(folder, root.path, outside.network);
      const said = await untilSaid(child, "working");
      assert.match(said, /working/);
      child.kill("SIGKILL");
      await using left = await openTestRuntime({ folder });
      const { owner } = left.data;
      const labelled = () => docker("ps", "-aq", "--filter", `label=cloche.owner=${owner}`);
      assert.equal(labelled().split("\n").length, 3, "main, keeper, outlet");
      const reaped = await reap(left, new AbortController().signal);
      assert.ok(reaped.removed[0]?.parts.some((name) => name.endsWith("-outlet")));
      assert.equal(labelled(), "");
      await left.assertNothingLeft();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function alteredIsRefused(path: string, text: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cloche-egress-bundle-"));
  const copy = join(folder, "copy");
  await cp(path, copy, { recursive: true });
  await chmod(copy, 0o700);
  await chmod(join(copy, "egress.jsonl"), 0o600);
  await writeFile(join(copy, "egress.jsonl"), text.replace("refused", "allowed"));
  const fault = await faultOf(openBundle(copy), "store/bundle-altered");
  assert.match(fault.message, /egress\.jsonl/);
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700);
  }
  await rm(folder, { recursive: true, force: true });
}

/** A process with one rollout, whose agent is in the middle of a request. */
function killable(folder: string, root: string, network: string): ChildProcess {
  const support = new URL("../support/", import.meta.url).href;
  const code = `
import { globSync, readFileSync } from "node:fs";
const { openTestRuntime, play } = await import("${support}runtime.ts");
const { openTestEngine } = await import("${support}engine.ts");
const { connectClient } = await import("${new URL("../../runtime/mcp/mcp-client.ts", import.meta.url).href}");
const engine = await openTestEngine({ outletNetwork: ${JSON.stringify(network)} });
const runtime = await openTestRuntime({ engine, folder: ${JSON.stringify(folder)} });
const policy = { name: "x", play: async (input, signal) => {
  const client = await connectClient(input.url, input.token, signal);
  const command = "python3 -c \\"import urllib.request as u; u.urlopen('http://api.example.test:9003/')\\"";
  client.callTool("run_command", { command }).catch(() => {});
  const begun = () => globSync(${JSON.stringify(folder)} + "/**/egress.jsonl")
    .some((file) => readFileSync(file, "utf8").includes("begun"));
  while (!begun()) await new Promise((done) => setTimeout(done, 50));
  console.log("working");
  await new Promise(() => {});
} };
await play({ ...runtime, allowEgress: true }, ${JSON.stringify(root)}, "test/note", policy);
`;
  return spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function untilSaid(child: ChildProcess, word: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk;
    if (said.includes(word)) resolve(said);
  });
  child.on("exit", () => resolve(said));
  return await promise;
}

async function cloche(argv: readonly string[]): Promise<{ code: number | null; err: string }> {
  const data = await mkdtemp(join(tmpdir(), "cloche-egress-cli-"));
  const program = new URL("../../cloche.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...argv, "--data", data], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, CLOCHE_ALLOW_EGRESS: "" },
  });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  await rm(data, { recursive: true, force: true });
  return { code, err };
}
