import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine } from "../../runtime/engine/engine.ts";
import { MIB, openTestEngine, SMALL_LIMITS, sandboxImage, smallSpec } from "../support/engine.ts";
import { Forwarder } from "./forwarder.ts";
import { Serving } from "./proxy-fixture.ts";

// The conformance suites of MCP against a server in a sandbox, behind our endpoint. Their command
// line cannot send a bearer token, so a forwarder in front adds it and changes nothing else.

const OWNER = namedId("test-conformance");
const RELEASED = import.meta.resolve("@modelcontextprotocol/conformance/package.json");
const NEXT = import.meta.resolve("conformance-next/package.json");
const SERVER = "/workspace/conformance.mjs";

interface Score {
  readonly exitCode: number | null;
  readonly passed: number;
  readonly failed: number;
  /** Scenarios that failed or warned, as they were printed. */
  readonly unsound: readonly string[];
  /** Each check that failed, with what it says. */
  readonly failures: readonly string[];
  readonly printed: string;
}

const TIMED = /^✗ server-stateless/;

let engine: Engine;
let url: string;
const stack = new AsyncDisposableStack();

before(async () => {
  engine = stack.use(await openTestEngine());
  stack.defer(async () => {
    for (const found of await engine.find(OWNER)) await engine.remove(found);
  });
  const limits = { ...SMALL_LIMITS, memoryBytes: 512 * MIB };
  const spec = smallSpec(await sandboxImage(engine), OWNER, { limits });
  const box = stack.use(await engine.create(spec));
  const seed = ["/bin/sh", "-c", `cat > ${SERVER}`];
  await box.exec(seed, { user: "agent", stdin: Buffer.from(await bundled()) });
  const forwarder = stack.use(await Forwarder.open());
  const argv = ["/usr/local/bin/node", SERVER];
  const server = { name: "fixture", kind: "stdio", argv, env: {}, user: "server" } as const;
  const clientCapabilities = { sampling: {}, elicitation: {}, roots: {} };
  const budget = { calls: 10_000, wallMs: 600_000, resultBytes: 1_000_000, concurrentCalls: 8 };
  const options = { box, clientCapabilities, budget };
  const serving = stack.use(await Serving.open([server], options, [forwarder.port]));
  forwarder.target = serving.url;
  forwarder.token = serving.token;
  url = `http://localhost:${forwarder.port}${new URL(serving.url).pathname}`;
});

after(async () => {
  await stack.disposeAsync();
});

test("everything in the suite of conformance 0.1.16 passes", async () => {
  const score = await run(RELEASED, ["--suite", "all"]);
  assert.deepEqual(score.unsound, [], describe(score));
  assert.equal(score.exitCode, 0, describe(score));
  assert.equal(score.failed, 0, describe(score));
  assert.ok(score.passed >= 44, describe(score));
});

test("everything that 2025-11-25 requires passes, scored or not", async () => {
  const score = await run(NEXT, ["--requirements", "2025-11-25"]);
  assert.deepEqual(score.unsound, [], describe(score));
  assert.equal(score.exitCode, 0, describe(score));
  assert.ok(score.passed >= 82, describe(score));
});

test("everything that 2026-07-28 requires passes; of what is not scored, only tasks fail", async () => {
  let score = await run(NEXT, ["--requirements", "2026-07-28"]);
  // Its checks give up on answers after half a second, which a busy machine may need.
  for (let again = 0; again < 2 && score.unsound.some((line) => TIMED.test(line)); again++) {
    score = await run(NEXT, ["--requirements", "2026-07-28"]);
  }
  const others = score.unsound.filter((line) => !/^[✗⚠] tasks-/.test(line));
  assert.deepEqual(others, [], describe(score));
  assert.equal(score.exitCode, 0, describe(score));
  // One more would be the change of tools: ours are pinned, so none is promised and it is skipped.
  assert.ok(score.passed >= 163, describe(score));
});

async function run(manifest: string, args: readonly string[]): Promise<Score> {
  const entry = fileURLToPath(new URL("dist/index.js", manifest));
  const folder = mkdtempSync(join(tmpdir(), "cloche-conformance-"));
  const all = [entry, "server", "--url", url, "-o", folder, ...args];
  const child = spawn(process.execPath, all, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  }
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const failures = failuresIn(folder);
  rmSync(folder, { recursive: true });
  const printed = Buffer.concat(chunks).toString("utf8");
  const total = /^Total: (\d+) passed, (\d+) failed/m.exec(printed);
  return {
    exitCode,
    passed: Number(total?.[1]),
    failed: Number(total?.[2]),
    unsound: printed.split("\n").filter((line) => /^[✗⚠] /.test(line)),
    failures,
    printed,
  };
}

function failuresIn(folder: string): string[] {
  return globSync("**/checks.json", { cwd: folder }).flatMap((file) => {
    const checks = JSON.parse(readFileSync(join(folder, file), "utf8")) as Check[];
    const bad = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
    return bad.map(({ id, errorMessage }) => `${id}: ${errorMessage}`);
  });
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

function describe({ exitCode, passed, failed, unsound, failures, printed }: Score): string {
  const scenarios = [...unsound, ...failures].join("\n") || printed.slice(-2_000);
  return `${passed} passed, ${failed} failed, exit ${exitCode}\n${scenarios}`;
}

async function bundled(): Promise<string> {
  const entry = fileURLToPath(new URL("./servers/conformance-server.ts", import.meta.url));
  const common = { bundle: true, platform: "node", format: "esm", write: false } as const;
  const { outputFiles } = await build({ entryPoints: [entry], minify: true, ...common });
  return outputFiles[0]?.text ?? "";
}
