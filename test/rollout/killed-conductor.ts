import assert from "node:assert/strict";
import { systemClock } from "../../runtime/base/clock.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import type { Policy, PolicyInput } from "../../runtime/rollout/policy.ts";
import { WarmPool } from "../../runtime/rollout/pool/pool.ts";
import { holdMsOf, needOf } from "../../runtime/rollout/sandbox-source.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { openTestRuntime, play } from "../support/runtime.ts";

/** When the program dies: as the first rollout reaches a phase, or between two, or as all work. */
export const MOMENTS = [
  "requested",
  "between requested and seeded",
  "seeded",
  "serving",
  "finished",
  "between finished and captured",
  "captured",
  "between captured and graded",
  "graded",
] as const;

/** The bearer token of a rollout, known to who conducts it after a crash. */
export function tokenOf(id: string): string {
  return `token-of-${id}`;
}

/**
 * A program that conducts rollouts and kills itself at a moment that its environment names. In
 * "serving" each agent is then in the middle of a call, and half of its work is done.
 */
export async function main(): Promise<void> {
  const { KILL_FOLDER = "", KILL_ROOT = "", KILL_MOMENT, KILL_COUNT, KILL_POOL } = process.env;
  const runtime = await openTestRuntime({ folder: KILL_FOLDER });
  const owner = { owner: runtime.data.owner, process: runtime.process };
  const { engine, log } = runtime;
  const pool = new WarmPool({ engine, owner, log, clock: systemClock }, { fills: 3 });
  const count = Number(KILL_COUNT);
  let working = 0;
  const policy: Policy = {
    name: "external",
    play: async (input, signal) => {
      await using client = await connectClient(input.url, input.token, signal);
      const isHalf = KILL_MOMENT === "serving";
      const content = isHalf ? "half\n" : `${wordOf(input)}\n`;
      await client.callTool("write_file", { path: "/workspace/note.txt", content });
      if (!isHalf) return { answer: "done" };
      const call = client.callTool("run_command", { command: "sleep 600" });
      call.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 200));
      working += 1;
      if (working === count) die();
      await call;
      return { answer: "never" };
    },
  };
  const parts = { ...runtime, tokenOf, ...(KILL_POOL ? { sandboxes: pool } : {}) };
  if (KILL_POOL) {
    const task = await findTask(KILL_ROOT, "test/note");
    pool.expect(needOf(task, runtime), { holdMs: holdMsOf(task) }, count);
    while (pool.level.ready < count) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const watcher = {
    onPhase: (phase: string) => {
      if (phase === "serving") return;
      if (phase === KILL_MOMENT) die();
      if (KILL_MOMENT?.startsWith(`between ${phase} `)) setTimeout(die, 80);
    },
  };
  const rollouts = Array.from({ length: count }, () =>
    play(parts, KILL_ROOT, "test/note", policy, { watcher }),
  );
  await Promise.all(rollouts);
}

/** What the instruction asks for. */
export function wordOf({ instruction }: Pick<PolicyInput, "instruction">): string {
  return /hello-\d+/.exec(instruction)?.[0] ?? "";
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Goes on as a good agent would: looks at what is there and does its work. */
export function solver(): Policy {
  return {
    name: "external",
    async play(input, signal) {
      assert.equal(input.token, tokenOf(input.rollout));
      assert(input.url.endsWith(`/rollouts/${input.rollout}/mcp`));
      await using client = await connectClient(input.url, input.token, signal);
      await client.callTool("read_text_file", { path: "/workspace/note.txt" });
      const command = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep 60[0]'";
      await client.callTool("run_command", { command });
      const content = `${wordOf(input)}\n`;
      await client.callTool("write_file", { path: "/workspace/note.txt", content });
      return { answer: "done" };
    },
  };
}
