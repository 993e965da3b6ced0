import { openRolloutService } from "../../runtime/service/rollout-service.ts";
import { openTestRuntime } from "./runtime.ts";
import { ME, NEVER, NOTE, SOLVE } from "./service.ts";

/** A service to be killed: says in one line what it was asked for, then waits for its end. */
const [folder = "", tasksRoot = "", inFlight = "1", n = "1"] = process.argv.slice(2);
const runtime = await openTestRuntime({ folder });
const service = await openRolloutService(runtime, { tasksRoot, inFlight: Number(inFlight) });
const all: string[] = [];
while (all.length < Number(n)) all.push((await service.request(NOTE, ME)).id);
const serving = await Promise.all(
  all.slice(0, Number(inFlight)).map(async (id) => {
    const { mcp } = await service.untilServing(id, ME, NEVER);
    await service.call(id, SOLVE, ME);
    return { id, token: mcp?.token };
  }),
);
process.stdout.write(`${JSON.stringify({ all, serving })}\n`);
setInterval(() => {}, 1_000);
