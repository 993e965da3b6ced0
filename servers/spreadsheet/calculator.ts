import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { Answer, Calculation, CalculationRequest } from "./calculation.ts";
import { engineProgram, STACK_BYTES } from "./engine-program.ts";
import { LIMITS } from "./limits.ts";

export interface CalculationOptions {
  /** What TODAY and NOW tell, in milliseconds since 1970; absent: the clock's time. */
  readonly now?: number;
  /** Most time on a processor; absent: LIMITS.calculationMs by the clock. */
  readonly cpuMs?: number;
}

/** The message says why there are no values: "it takes too much memory". */
export class CalculationFailed extends Error {}

/** Less than the engine has of its own, so that this one is found to be full. */
const STACK_MB = 48;

const IDLE_MS = 30_000;
/** The engine gives no memory back; from here on its thread is not kept for the next time. */
const LARGE = STACK_BYTES + 32 * 1024 * 1024;

let engine: Uint8Array | undefined;
let worker: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Values of all formulas. One calculation runs at a time, in a thread that is given up when it has
 * nothing to do for a while. @throws CalculationFailed if they take too long or too much memory.
 */
export async function calculate(
  sheets: CalculationRequest["sheets"],
  { now = Date.now(), cpuMs }: CalculationOptions = {},
): Promise<Calculation> {
  const mine = last.then(() => calculateNow({ now, sheets }, cpuMs));
  last = mine.catch(() => {});
  return await mine;
}

async function calculateNow(
  request: CalculationRequest,
  cpuMs: number | undefined,
): Promise<Calculation> {
  clearTimeout(idle);
  const mine = worker ?? startWorker();
  worker = mine;
  mine.ref();
  const { promise, resolve, reject } = Promise.withResolvers<Calculation>();
  let large = false;
  const stopWatching = watched(cpuMs, (seconds) => {
    reject(new CalculationFailed(`it takes more than ${seconds} seconds`));
  });
  const failed = (error: Error) => reject(new CalculationFailed(error.message, { cause: error }));
  const stopped = () => reject(new CalculationFailed("it takes too much memory"));
  const answered = (answer: Answer) => {
    if ("failed" in answer) return reject(new CalculationFailed(answer.failed));
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
    stopWatching();
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
  engine ??= engineProgram();
  const resourceLimits = { stackSizeMb: STACK_MB };
  return new Worker(workerPath(), { workerData: { wasm: engine }, resourceLimits });
}

/** Tells once when the time is over: of this process on a processor if that is bounded. */
function watched(cpuMs: number | undefined, late: (seconds: number) => void): () => void {
  if (cpuMs === undefined) {
    const timer = setTimeout(() => late(LIMITS.calculationMs / 1000), LIMITS.calculationMs);
    return () => clearTimeout(timer);
  }
  const since = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(since);
    if (user + system > cpuMs * 1000) late(cpuMs / 1000);
  }, 50);
  return () => clearInterval(timer);
}

/** In the image it is a bundle of its own, beside the one that this becomes part of. */
function workerPath(): URL {
  const source = import.meta.url.endsWith(".ts");
  const name = source ? "./calculator-worker.ts" : "./spreadsheet-calculator.mjs";
  return new URL(name, import.meta.url);
}
