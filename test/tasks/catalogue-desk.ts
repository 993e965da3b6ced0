import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { policyFor } from "../../runtime/policy/policies.ts";
import type { RolloutSpec } from "../../runtime/rollout/parts.ts";
import type { Policy } from "../../runtime/rollout/policy.ts";
import type { RolloutRecord } from "../../runtime/store/record.ts";
import type { TestRuntime } from "../support/runtime.ts";

// What the test of library/catalogue-update plays with and reads in records.

export const CRITERIA = {
  form: "updates.txt is there and every line has the form asked",
  order: "lines are sorted and no title stands twice",
  delivery: "additions from the delivery are right",
  donations: "additions from the donations are right",
  damage: "deletions from the damage report are right",
  purge: "deletions from the shelf purge are right",
  noWrongAdd: "no ADD line is wrong",
  noWrongDelete: "no DELETE line is wrong",
  corrections: "the reports' corrections are honoured",
  untouched: "catalogue and reports are untouched and nothing else was created",
  read: "all four reports and the catalogue were read before the list was written",
  verified: "the list was read back after it was written",
} as const;
export type Key = keyof typeof CRITERIA;
const KEYS = Object.keys(CRITERIA) as readonly Key[];

export interface Expected {
  readonly lines: readonly string[];
  readonly by_report: Readonly<Record<string, { readonly makes: readonly string[] }>>;
  readonly corrections: readonly { readonly lines: Readonly<Record<string, string | null>> }[];
}
export type Call = (tool: string, args: Readonly<Record<string, unknown>>) => Promise<string>;
type Bare = Omit<RolloutSpec, "policy">;

export function named(policy: string) {
  return (parts: TestRuntime, { task }: Bare): Promise<Policy> =>
    policyFor(policy, task, scriptedParts(parts));
}

export function scriptedParts({ engine, images, data, clock, process }: TestRuntime) {
  return { engine, image: images.grader, labels: { owner: data.owner, process }, clock };
}

/** A policy that knows the answer beforehand and does something with it. */
export function written(
  work: (lines: readonly string[], expected: Expected, call: Call) => Promise<unknown>,
) {
  return async (_: TestRuntime, { prepared }: Bare): Promise<Policy> => ({
    name: "test",
    async play(input, signal) {
      await using client = await connectClient(input.url, input.token, signal);
      const expected = JSON.parse(Buffer.from(prepared.expected).toString("utf8")) as Expected;
      await work(expected.lines, expected, async (tool, args) =>
        JSON.stringify(await client.callTool(tool, args)),
      );
      return { answer: null };
    },
  });
}

export function writeList(call: Call, content: string): Promise<string> {
  return call("write_file", { path: "/workspace/updates.txt", content });
}

/** A line that this report makes, no other report does, and no correction calls for. */
export function lineOf({ lines, by_report, corrections }: Expected, report: string): string {
  const others = Object.entries(by_report).filter(([name]) => name !== report);
  const shared = new Set([
    ...others.flatMap(([, { makes }]) => makes),
    ...corrections.flatMap((one) => Object.keys(one.lines)),
  ]);
  const isbn = by_report[report]?.makes.find((one) => !shared.has(one));
  return lines.find((line) => isbn !== undefined && line.includes(isbn)) ?? "none";
}

export async function toolsUsed(
  { data }: TestRuntime,
  { bundle }: RolloutRecord,
): Promise<Set<string>> {
  const steps = await readFile(join(data.bundles, bundle ?? "", "steps.jsonl"), "utf8");
  const lines = steps.split("\n").filter((line) => line !== "");
  return new Set(lines.map((line) => (JSON.parse(line) as { readonly tool: string }).tool));
}

export function names(record: RolloutRecord): string[] {
  return (record.criteria ?? []).map(({ name }) => name);
}

/** The criteria that did not score 1, as keys, in the grader's order. */
export function lostBy(record: RolloutRecord): Key[] {
  assert.equal(record.outcome, "graded", record.fault?.message);
  const lost = new Set((record.criteria ?? []).filter((one) => one.score !== 1).map((c) => c.name));
  return KEYS.filter((key) => lost.has(CRITERIA[key]));
}

export function inOrder(keys: readonly Key[]): Key[] {
  return KEYS.filter((key) => keys.includes(key));
}

export function reasons(record: RolloutRecord): string {
  return (record.criteria ?? [])
    .filter(({ score }) => score !== 1)
    .map(({ name, reason }) => `${name}: ${reason}`)
    .join("\n");
}
