import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { ToolError } from "../kit/tool-error.ts";
import type { Answer, Calculation, CalculationRequest } from "./calculation.ts";
import { LIMITS } from "./limits.ts";

const MEMORY_PAGES = 4096; // Of 64 KiB: 256 MiB for the engine.

const IDLE_MS = 30_000;
/** The engine gives no memory back; from here on its thread is not kept for the next time. */
const LARGE = 32 * 1024 * 1024;

let engine: Uint8Array | undefined;
let worker: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Values of all formulas. One calculation runs at a time, in a thread that is given up when it has
 * nothing to do for a while. @throws ToolError if they take too long or too much memory.
 */
export async function calculate(sheets: CalculationRequest["sheets"]): Promise<Calculation> {
  const mine = last.then(() => calculateNow({ now: Date.now(), sheets }));
  last = mine.catch(() => {});
  return await mine;
}

async function calculateNow(request: CalculationRequest): Promise<Calculation> {
  clearTimeout(idle);
  const mine = worker ?? startWorker();
  worker = mine;
  mine.ref();
  const { promise, resolve, reject } = Promise.withResolvers<Calculation>();
  let large = false;
  const seconds = LIMITS.calculationMs / 1000;
  const late = () => reject(tooMuch(`it takes more than ${seconds} seconds`));
  const timer = setTimeout(late, LIMITS.calculationMs);
  const failed = (error: Error) => reject(tooMuch(error.message, error));
  const stopped = () => reject(tooMuch("it takes too much memory"));
  const answered = (answer: Answer) => {
    if ("failed" in answer) return reject(tooMuch(answer.failed));
    large = answer.memoryBytes > LARGE;
    resolve(answer.calculation);
  };
  mine.on("message", answered).on("error", failed).on("exit", stopped);
  mine.postMessage(request);
  try {
    return await promise;
  } catch (error) {
    worker = undefined;
    await mine.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    mine.off("message", answered).off("error", failed).off("exit", stopped);
    mine.unref();
    if (large) rest();
    else idle = setTimeout(rest, IDLE_MS).unref();
  }

  function rest(): void {
    if (worker === mine) worker = undefined;
    void mine.terminate();
  }
}

function startWorker(): Worker {
  // The better compiler of WebAssembly takes 100 MB for a while and keeps them from the others.
  setFlagsFromString("--liftoff-only");
  engine ??= bounded(readFileSync(enginePath()));
  return new Worker(workerPath(), { workerData: { wasm: engine } });
}

function tooMuch(why: string, cause?: Error): ToolError {
  return new ToolError(
    `The workbook's formulas could not be computed: ${why}. Nothing was written. ` +
      "Use fewer or smaller formulas.",
    { cause },
  );
}

/** In the image it is a bundle of its own, beside the one that this becomes part of. */
function workerPath(): URL {
  const source = import.meta.url.endsWith(".ts");
  const name = source ? "./calculator-worker.ts" : "./spreadsheet-calculator.mjs";
  return new URL(name, import.meta.url);
}

/** The package lies beside the bundle, too. */
function enginePath(): string {
  return createRequire(import.meta.url).resolve("@ironcalc/wasm/wasm_bg.wasm");
}

/** The program with an upper bound on its memory, so that a formula cannot take the machine's. */
function bounded(program: Buffer): Uint8Array {
  const MEMORY_SECTION = 5;
  let at = 8;
  while (at < program.length) {
    const id = program[at];
    const [size, start] = unsigned(program, at + 1);
    if (id === MEMORY_SECTION) {
      // One memory: a count, a flag (0: no bound), its first size.
      const [first] = unsigned(program, start + 2);
      const inside = Buffer.from([1, 1, ...leb(first), ...leb(MEMORY_PAGES)]);
      const section = Buffer.concat([Buffer.from([id, inside.length]), inside]);
      return Buffer.concat([program.subarray(0, at), section, program.subarray(start + size)]);
    }
    at = start + size;
  }
  throw new Error("the formula engine's program has no memory");
}

function unsigned(bytes: Buffer, from: number): [value: number, next: number] {
  let [value, at] = [0, from];
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
