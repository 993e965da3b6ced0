import { createInterface } from "node:readline";
import type { Policy } from "../../runtime/rollout/policy.ts";
import { openTestRuntime, play } from "../support/runtime.ts";

/**
 * Conducts two rollouts in a process without clients: says where each is reached, measures its own
 * memory from the line "measure" on, and on "done" ends both and says by how much it grew.
 */
const [noisyRoot = "", quietRoot = ""] = process.argv.slice(2);
const said = createInterface({ input: process.stdin });
const over = Promise.withResolvers<void>();
let [start, most, served] = [0, 0, 0];
setInterval(() => {
  if (start > 0) most = Math.max(most, process.memoryUsage.rss());
}, 10);
said.on("line", (line) => {
  if (line === "measure") start = process.memoryUsage.rss();
  if (line === "done") {
    served = most;
    over.resolve();
  }
});
await using runtime = await openTestRuntime();
const policyOf = (name: string): Policy => ({
  name,
  play: async ({ url, token }) => {
    process.stdout.write(`${JSON.stringify({ name, url, token })}\n`);
    await over.promise;
    return { answer: null };
  },
});
await Promise.all([
  play(runtime, noisyRoot, "test/note", policyOf("noisy")),
  play(runtime, quietRoot, "test/note", policyOf("quiet")),
]);
const grown = { megabytes: (served - start) / 1e6, inAll: (most - start) / 1e6 };
process.stdout.write(`${JSON.stringify({ name: "grown", ...grown })}\n`);
await runtime[Symbol.asyncDispose]();
process.exit();
