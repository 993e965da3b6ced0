// Plays one rollout and prints its reward:
//   npx node examples/typescript/one-rollout.ts --task library/catalogue-update
import { parseArgs } from "node:util";
import { Cloche } from "cloche/client";
import { play } from "./policy.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:7317" },
    task: { type: "string", default: "library/catalogue-update" },
    variant: { type: "string", default: "1" },
  },
});
const { url, task } = values;
const variant = Number(values.variant);
const key = process.env["CLOCHE_KEY"];

const cloche = new Cloche({ url, ...(key !== undefined && { key }) });
await using rollout = await cloche.rollout({ task, variant, policy: "example" });
say(`rollout ${rollout.id}`);
const record = await rollout.finish(await play(rollout));

say(`outcome ${record.outcome}`);
for (const { score, name, reason } of record.criteria ?? []) say(`  ${score}  ${name}: ${reason}`);
say(`reward ${JSON.stringify(record.reward)}`);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
