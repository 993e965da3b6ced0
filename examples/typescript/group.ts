// Plays a group of rollouts of one prompt and prints what GRPO makes of their rewards:
//   npx node examples/typescript/group.ts --task library/catalogue-update --n 8
import { parseArgs } from "node:util";
import { Cloche } from "cloche/client";
import { play } from "./policy.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:7317" },
    task: { type: "string", default: "library/catalogue-update" },
    variant: { type: "string", default: "1" },
    n: { type: "string", default: "8" },
  },
});
const { url, task } = values;
const [variant, n] = [Number(values.variant), Number(values.n)];
const key = process.env["CLOCHE_KEY"];

const cloche = new Cloche({ url, ...(key !== undefined && { key }) });
await using group = await cloche.group({ task, variant, n, policy: "example" });
// Samples of a policy differ; here every third one is careless.
const ended = await group.play((rollout, member) => play(rollout, member % 3 !== 2));

// A rollout without a grade has no reward: it is left out, never counted as a 0.
const graded = ended.members.flatMap(({ id, record }) =>
  record?.reward ? [{ id, reward: record.reward.dense }] : [],
);
const rewards = graded.map(({ reward }) => reward);
const mean = average(rewards);
const spread = Math.sqrt(average(rewards.map((reward) => (reward - mean) ** 2)));

say(`group ${ended.id}: ${ended.gradable} of ${ended.n} graded`);
for (const { id, reward } of graded) {
  const advantage = spread === 0 ? 0 : (reward - mean) / spread;
  say(`  ${id}  reward ${reward.toFixed(3)}  advantage ${advantage.toFixed(3)}`);
}
for (const { id, reason } of ended.shortfall) say(`  ${id}  no reward: ${reason}`);

function average(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
