import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Json } from "../../runtime/base/canonical-json.ts";
import { AppendFile } from "../../runtime/mcp/record/append-file.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";
import { StepLog } from "../../runtime/mcp/record/step-log.ts";
import { readSteps, StepLineError } from "../../runtime/store/step-lines.ts";
import { stepLines } from "../store/samples.ts";
import type { FuzzTarget, Tally } from "./fuzz-target.ts";
import { jsonMutated, jsonMutation, oddValues } from "./json-mutations.ts";
import { mutated, mutation } from "./mutations.ts";

const LINES = stepLines(4).split("\n").slice(0, 4);

const forged = fc.record({
  kind: fc.constant("forged" as const),
  /** Which lines there are, in which order. */
  order: fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 }).map((n) => [0, 1, 2, 3].slice(0, n)) },
    { weight: 1, arbitrary: fc.array(fc.nat(3), { maxLength: 4 }) },
  ),
  json: fc.array(fc.tuple(fc.nat(3), jsonMutation), { maxLength: 2 }),
  chained: fc.boolean(),
  bytes: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
  ),
});

/** Steps as the host writes them, of whatever an agent said. */
const written = fc.record({
  kind: fc.constant("written" as const),
  calls: fc.array(fc.tuple(fc.string({ unit: "binary" }), oddValues, oddValues), { maxLength: 3 }),
});

const input = fc.oneof({ weight: 5, arbitrary: forged }, { weight: 1, arbitrary: written });

/** steps.jsonl: what the host writes is read back as it was; nothing forged is read as whole. */
export const stepLogTarget: FuzzTarget = {
  name: "step-log",
  open: async (folder, tally) => {
    const file = join(folder, "steps.jsonl");
    return fc.asyncProperty(input, async (one) => {
      if (one.kind === "forged") await checkForged(file, one, tally);
      else await checkWritten(file, one.calls, tally);
    });
  },
};

type Forged = typeof forged extends fc.Arbitrary<infer T> ? T : never;

async function checkForged(file: string, one: Forged, tally: Tally): Promise<void> {
  const lines = one.order.map((index) => JSON.parse(LINES[index] ?? "null") as unknown);
  for (const [index, change] of one.json) {
    if (index < lines.length) lines[index] = jsonMutated(lines[index], [change]);
  }
  const bytes = mutated(Buffer.from(one.chained ? chained(lines) : plain(lines)), one.bytes);
  writeFileSync(file, bytes);
  const read = await Array.fromAsync(readSteps(file)).catch((error: unknown) => error);
  if (read instanceof StepLineError) {
    tally.add("refused");
    return;
  }
  if (!Array.isArray(read)) throw read;
  tally.add("accepted");
  assertChain(bytes, read as Step[]);
}

/** Every link of the chain made right again, so that what is in the lines decides. */
function chained(lines: readonly unknown[]): string {
  let previous = "0".repeat(64);
  let text = "";
  for (const line of lines) {
    const isObject = typeof line === "object" && line !== null && !Array.isArray(line);
    const json = JSON.stringify(isObject ? { ...line, previous } : line) ?? "";
    previous = createHash("sha256").update(json).digest("hex");
    text += `${json}\n`;
  }
  return text;
}

function plain(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line) ?? ""}\n`).join("");
}

function assertChain(bytes: Buffer, steps: readonly Step[]): void {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    assert.ok(end >= 0, "a last line without an end was accepted");
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  assert.equal(lines.length, steps.length);
  let previous = "0".repeat(64);
  for (const line of lines) {
    assert.equal(JSON.parse(line.toString("utf8")).previous, previous);
    previous = createHash("sha256").update(line).digest("hex");
  }
  const numbers = steps.map(({ step }) => step).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
}

async function checkWritten(
  file: string,
  calls: readonly (readonly [string, unknown, unknown])[],
  tally: Tally,
): Promise<void> {
  rmSync(file, { force: true });
  const steps: Step[] = [];
  {
    using append = new AppendFile(file);
    const log = new StepLog(append);
    for (const [name, args, result] of calls) {
      const said = { ...(JSON.parse(LINES[0] ?? "") as Step), step: steps.length + 1 };
      const plainJson = (value: unknown) => JSON.parse(JSON.stringify(value) ?? "null") as Json;
      const step = {
        ...said,
        exposedName: name,
        arguments: plainJson(args),
        result: plainJson(result),
      };
      steps.push(log.append(step, JSON.stringify(step.result)));
    }
  }
  assert.equal(readFileSync(file).filter((byte) => byte === 10).length, steps.length);
  assert.deepEqual(await Array.fromAsync(readSteps(file)), steps.map(asRead));
  tally.add("written");
}

/** JSON has no -0, and no lone surrogate survives UTF-8 but as an escape. */
function asRead(step: Step): Step {
  return JSON.parse(JSON.stringify(step)) as Step;
}
