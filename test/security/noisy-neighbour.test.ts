import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { smallTask } from "../support/small-task.ts";
import { toml } from "./arena.ts";
import { HOSTILE } from "./hostile-server.ts";

/** What cloche.mjs starts a service with. */
const SERVE_FLAGS = ["--max-semi-space-size=4"];

const SERVERS = ["one", "two"].map((name) => {
  const args = JSON.stringify(["-e", HOSTILE]);
  return `name = "${name}"\ncommand = "/usr/local/bin/node"\nargs = ${args}\n`;
});

test("T10 a flood in one rollout holds up no other, and grows the service, in a process of its own, by little", async (t) => {
  await using noisyRoot = await smallTask({
    "task.toml": toml(SERVERS.join("\n[[environment.mcp_servers]]\n")),
  });
  await using quietRoot = await smallTask();
  const program = new URL("./noisy-service.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [...SERVE_FLAGS, program, noisyRoot.path, quietRoot.path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const said = new Map<string, Said>();
  const lines = createInterface({ input: child.stdout });
  const news = new EventTarget();
  lines.on("line", (line) => {
    const one = JSON.parse(line) as Said;
    said.set(one.name, one);
    news.dispatchEvent(new Event("said"));
  });
  const until = async (name: string): Promise<Said> => {
    for (;;) {
      const one = said.get(name);
      if (one) return one;
      await new Promise((resolve) => news.addEventListener("said", resolve, { once: true }));
    }
  };
  const signal = new AbortController().signal;
  const [one, two] = [await until("noisy"), await until("quiet")];
  await using noisy = await connectClient(one.url, one.token, signal);
  await using quiet = await connectClient(two.url, two.token, signal);
  const step = async () => {
    const from = performance.now();
    await quiet.callTool("run_command", { command: "true" });
    return performance.now() - from;
  };
  await noisy.callTool("one__echo", { text: "x" });
  // A service that has worked for a while: its heap has the room that any traffic makes it take.
  for (let time = 0; time < 300; time++) await step();
  const alone: number[] = [];
  for (let time = 0; time < 100; time++) alone.push(await step());
  child.stdin.write("measure\n");
  let isOver = false;
  const flood = (async () => {
    await noisy.callTool("one__huge", { bytes: 1_000_000 });
    await noisy.callTool("one__huge", { bytes: 100 * 2 ** 20 });
    await noisy.callTool("two__flood", { times: 12_000 });
    await noisy.callTool("two__flood", { times: 10 ** 6 });
  })().finally(() => (isOver = true));
  const beside: number[] = [];
  while (!isOver) beside.push(await step());
  await flood;
  child.stdin.write("done\n");
  const { megabytes, inAll } = await until("grown");
  await new Promise((resolve) => child.on("exit", resolve));
  t.diagnostic(
    `p95 of a step ${p95(alone)} ms alone, ${p95(beside)} ms beside the flood (${beside.length}); ` +
      `the service grew by ${megabytes.toFixed(0)} MB while both were served, ` +
      `${inAll.toFixed(0)} MB with capture, grading and bundles`,
  );
  // One withheld result alone has 105 MB, the flood more: nothing of them is kept.
  assert.ok(megabytes < 64, `${megabytes} MB`);
});

interface Said {
  readonly name: string;
  readonly url: string;
  readonly token: string;
  readonly megabytes: number;
  readonly inAll: number;
}

function p95(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * 0.95)] ?? 0).toFixed(0);
}
