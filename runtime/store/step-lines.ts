import { createReadStream } from "node:fs";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import type { Step } from "../mcp/record/step.ts";
import { LINE_BYTES_MAX } from "./bundle-layout.ts";
import { firstIssue, stepSchema } from "./schemas.ts";

/** One line of a steps.jsonl, and what is wrong with it. */
export class StepLineError extends Error {
  readonly line: number;

  constructor(message: string, options: ErrorOptions & { readonly line: number }) {
    super(message, options);
    this.line = options.line;
  }
}

/**
 * The steps of a steps.jsonl in the order of its lines. Ends with a StepLineError where a line is
 * no step, does not carry the hash of the line before, or repeats a step's number; and after the
 * last line if numbers are missing.
 */
export async function* readSteps(file: string): AsyncGenerator<Step> {
  let previous = "0".repeat(64);
  let count = 0;
  const seen = new Set<number>();
  for await (const line of stepLines(file)) {
    count++;
    const step = parseStep(line, count);
    if (step.previous !== previous) {
      const message =
        `the chain is broken: the line before has the hash ${previous}, ` +
        `but "previous" says ${step.previous}`;
      throw new StepLineError(message, { line: count });
    }
    if (seen.has(step.step))
      throw new StepLineError(`step ${step.step} is there twice`, { line: count });
    seen.add(step.step);
    previous = sha256(line);
    yield step;
  }
  const missing = Array.from({ length: count }, (_, index) => index + 1).find((n) => !seen.has(n));
  if (missing !== undefined) throw new StepLineError(`step ${missing} is missing`, { line: count });
}

/** The hash of the last line, 64 zeros if there is none. Ends with a StepLineError as `readSteps`. */
export async function lastLineHash(file: string): Promise<string> {
  let hash = "0".repeat(64);
  for await (const line of stepLines(file)) hash = sha256(line);
  return hash;
}

function parseStep(line: Buffer, number: number): Step {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch (error) {
    throw new StepLineError(`it is not JSON (${messageOf(error)})`, { line: number, cause: error });
  }
  const parsed = stepSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new StepLineError(`it is not a step: ${firstIssue(parsed.error)}`, { line: number });
}

/** The lines without their ends. The last one must have an end too. */
export async function* stepLines(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let held = 0;
  let count = 1;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]);
      count++;
      rest = [];
      held = 0;
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > LINE_BYTES_MAX) throw new StepLineError("it is too long", { line: count });
  }
  if (held > 0) throw new StepLineError("it has no end: the file was cut", { line: count });
}
