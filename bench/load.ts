import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Cloche, type Outcome } from "cloche/client";
import { openEngine } from "../runtime/engine/engines.ts";
import { openDataFolder } from "../runtime/store/data-folder.ts";

/**
 * Many rollouts through a service of its own, and what is left of them:
 *   npx node bench/load.ts --rollouts 300 --inflight 32
 *   npx node bench/load.ts --rollouts 20 --inflight 20 --kill     # kill -9 with all of them open
 * Each lists its tools and a folder and finishes. Prints counts and ends with 1 if a rollout has no
 * record or more than one, or if anything is left in the engine.
 */
const { values } = parseArgs({
  options: {
    rollouts: { type: "string", default: "300" },
    inflight: { type: "string", default: "32" },
    task: { type: "string", default: "library/catalogue-update" },
    port: { type: "string", default: "7399" },
    kill: { type: "boolean", default: false },
  },
});
const [count, inFlight] = [Number(values.rollouts), Number(values.inflight)];
const data = await mkdtemp(join(tmpdir(), "cloche-load-"));
const cloche = new Cloche({ url: `http://127.0.0.1:${values.port}` });
let service = await serve();
const started = performance.now();

const asked: string[] = [];
let answered = 0;
let wentOn = 0;
const allOpen = Promise.withResolvers<void>();
let restarted = Promise.resolve();
if (values.kill) {
  restarted = allOpen.promise.then(async () => {
    service.kill("SIGKILL");
    service = await serve();
  });
}
try {
  await Promise.all(Array.from({ length: inFlight }, worker));
} catch (error) {
  service.kill("SIGTERM");
  throw error;
}

const outcomes: Partial<Record<Outcome, number>> = {};
const recorded: string[] = [];
for await (const record of cloche.rollouts({})) {
  recorded.push(record.id);
  const outcome = record.outcome ?? "infra_error";
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
const seconds = (performance.now() - started) / 1000;
service.kill("SIGTERM");
await new Promise((resolve) => service.once("exit", resolve));
const engine = await openEngine("docker", { env: process.env });
const left = await engine.find((await openDataFolder(data)).owner);
await engine[Symbol.asyncDispose]();
const once = recorded.length === new Set(recorded).size && recorded.length === asked.length;
const result = { asked: asked.length, recorded: recorded.length, once, outcomes, wentOn };
const end = { left: left.length, seconds: Math.round(seconds), data };
process.stdout.write(`${JSON.stringify({ ...result, ...end })}\n`);
process.exit(once && left.length === 0 ? 0 : 1);

async function worker(): Promise<void> {
  while (asked.length < count) {
    const at = asked.push("") - 1;
    const rollout = await cloche.rollout({ task: values.task, leaseMs: 600_000, policy: "null" });
    asked[at] = rollout.id;
    await rollout.tools("mcp");
    await rollout.call("list_directory", { path: "/workspace" });
    if (values.kill) {
      answered += 1;
      if (answered === count) allOpen.resolve();
      await restarted;
      const answer = await rollout
        .call("list_directory", { path: "/workspace" })
        .catch(() => undefined);
      if (answer) wentOn += 1;
    }
    await rollout.finish();
  }
}

async function serve() {
  const words = ["cloche.mjs", "serve", "--json", "--port", values.port, "--data", data];
  const more = ["--max-open", String(inFlight), "--queue", "1000", "--pool", "4"];
  const child = spawn(process.execPath, [...words, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}`)));
  });
  child.removeAllListeners("exit");
  return child;
}
