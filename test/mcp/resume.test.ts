import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../runtime/base/clock.ts";
import { Fault } from "../../runtime/base/fault.ts";
import { sha256 } from "../../runtime/base/hash.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { startServers } from "../../runtime/mcp/link/start-servers.ts";
import { McpProxy, type McpProxyOptions } from "../../runtime/mcp/proxy/proxy.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";
import { readSteps } from "../../runtime/store/step-lines.ts";
import { LocalBox } from "../support/local-process.ts";
import { fixtureServer, ROOMY, textOf } from "./proxy-fixture.ts";

const ODD = fixtureServer("everything-odd.ts");

/** A folder for a record, a box, and what a proxy needs. */
class Place implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cloche-resume-"));
  readonly box = new LocalBox();

  options(change: Partial<McpProxyOptions> = {}): McpProxyOptions {
    const { folder, box } = this;
    const signal = new AbortController().signal;
    const own = { rolloutId: "r1", box, servers: [ODD], folder, clock: systemClock };
    return { ...own, log: silentLog, budget: ROOMY, signal, ...change };
  }

  path(file: "steps.jsonl" | "wire.jsonl"): string {
    return join(this.folder, file);
  }

  lines(file: "steps.jsonl" | "wire.jsonl"): string[] {
    return readFileSync(this.path(file), "utf8").split("\n").slice(0, -1);
  }

  async steps(): Promise<Step[]> {
    return await Array.fromAsync(readSteps(this.path("steps.jsonl")));
  }

  /** Two calls that ended and one under way; then the files as a killed process leaves them. */
  async interrupted(): Promise<void> {
    const proxy = await McpProxy.open(this.options({ drainMs: 1 }));
    await proxy.callTool("echo", { text: "one" });
    await proxy.callTool("echo", { text: "two" });
    const hanging = proxy.callTool("hang", { secret: 1 });
    while (!this.lines("wire.jsonl").some((line) => line.includes('"hang"'))) await pause();
    const [steps, wire] = [this.lines("steps.jsonl"), this.lines("wire.jsonl")];
    await proxy[Symbol.asyncDispose]();
    await hanging;
    writeFileSync(this.path("steps.jsonl"), `${steps.join("\n")}\n{"step":3,"torn`);
    writeFileSync(this.path("wire.jsonl"), `${wire.join("\n")}\n{"seq":`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

test("a record that somebody changed, or that is not there, is not gone on with", async () => {
  await using place = new Place();
  await assert.rejects(McpProxy.resume(place.options()), isFault("mcp/record-broken"));
  await place.interrupted();
  const steps = readFileSync(place.path("steps.jsonl"), "utf8");
  writeFileSync(place.path("steps.jsonl"), steps.replace('"text":"one"', '"text":"won"'));
  await assert.rejects(McpProxy.resume(place.options()), isFault("mcp/record-broken"));
  writeFileSync(place.path("steps.jsonl"), steps);
  appendFileSync(place.path("wire.jsonl"), "\nno json\n");
  await assert.rejects(McpProxy.resume(place.options()), isFault("mcp/record-broken"));
});

test("a rollout goes on where its process died, and the call under way is interrupted", async () => {
  await using place = new Place();
  await place.interrupted();
  const heard: number[] = [];
  const onStep = ({ step }: Step) => void heard.push(step);
  await using proxy = await McpProxy.resume(place.options({ onStep }));
  assert.equal(textOf(await proxy.callTool("echo", { text: "four" })), "four");
  await proxy.finish({ kind: "submitted", answer: null });
  const steps = await place.steps();
  assert.deepEqual(
    steps.map(({ step, outcome }) => `${step} ${outcome}`),
    ["1 ok", "2 ok", "3 interrupted", "4 ok"],
  );
  const [, second, third] = steps;
  assert.deepEqual(third?.arguments, { secret: 1 });
  assert.equal(third?.server, "odd");
  assert.equal(third?.previous, sha256(place.lines("steps.jsonl")[1] ?? ""));
  assert.notEqual(second?.previous, third?.previous);
  assert.deepEqual(heard, [3, 4]);
  const numbers = place.lines("wire.jsonl").map((line) => JSON.parse(line).seq);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test("calls of before the death count against the budget", async () => {
  await using place = new Place();
  await place.interrupted();
  await using proxy = await McpProxy.resume(place.options({ budget: { ...ROOMY, calls: 4 } }));
  assert.equal(textOf(await proxy.callTool("echo", { text: "four" })), "four");
  assert.match(textOf(await proxy.callTool("echo", {})), /budget of 4 calls is used up/);
  assert.deepEqual(await proxy.ended, { kind: "budget", which: "calls" });
});

test("servers that were started before there was a rollout are taken over, greeting and all", async () => {
  await using place = new Place();
  const options = place.options();
  const started = await startServers([ODD], options);
  assert.equal(started.lost, undefined);
  assert.ok(started.surface.tools.length > 3);
  await using proxy = await McpProxy.open({ ...options, started });
  assert.equal(proxy.surface.sha256, started.surface.sha256);
  assert.equal(textOf(await proxy.callTool("echo", { text: "warm" })), "warm");
  const frames = place.lines("wire.jsonl").map((line) => JSON.parse(line));
  assert.deepEqual([frames[0].seq, frames[0].message.method], [1, "initialize"]);
  assert.equal(place.box.processes.length, 1);
});

test("a server that died in the pool is a fault when its rollout begins", async () => {
  await using place = new Place();
  const options = place.options();
  await using started = await startServers([ODD], options);
  await place.box.processes[0]?.kill();
  while (started.lost === undefined) await pause();
  assert.match(started.lost.message, /the server "odd" is gone/);
  const opening = McpProxy.open({ ...options, started });
  await assert.rejects(opening, isFault("mcp/server-start-failed"));
});

test("a caller without MCP gets what a client would, several at once, and each arrival is told", async () => {
  await using place = new Place();
  let arrivals = 0;
  const onCall = () => {
    arrivals += 1;
  };
  await using proxy = await McpProxy.open(place.options({ onCall }));
  const unknown = await proxy.callTool("none", {});
  assert.ok("error" in unknown && unknown.error.code === -32602);
  const over = new AbortController();
  const hanging = proxy.callTool("hang", {}, { signal: over.signal });
  const naps = [1, 2, 3].map(() => proxy.callTool("sleep", { ms: 200 }));
  await Promise.all(naps);
  over.abort(new Error("enough"));
  await assert.rejects(hanging, /enough/);
  await proxy.finish({ kind: "submitted", answer: null });
  const late = await proxy.callTool("echo", {});
  assert.match(textOf(late), /The rollout is over/);
  const steps = await place.steps();
  assert.equal(steps.filter(({ overlaps }) => overlaps.length === 3).length, 4);
  assert.equal(steps.find(({ tool }) => tool === "hang")?.outcome, "cancelled");
  assert.equal(arrivals, 6);
});

test("a change of a server's tools is told, and nothing of it reaches the surface", async () => {
  await using place = new Place();
  const changed: string[] = [];
  const onSurfaceChange = (server: string) => void changed.push(server);
  const servers = [fixtureServer("conformance-server.ts", "fixture")];
  await using proxy = await McpProxy.open(place.options({ servers, onSurfaceChange }));
  await proxy.callTool("test_trigger_tool_change", {});
  assert.deepEqual(changed, ["fixture"]);
  assert.ok(place.lines("wire.jsonl").some((line) => line.includes("tools/list_changed")));
});

function isFault(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === code;
}
