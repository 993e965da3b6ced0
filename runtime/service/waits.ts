import { pause } from "../base/deadline.ts";

/** Resolves with true after the time, with false as soon as the signal is aborted. */
export async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  return await pause(ms, signal).then(
    () => true,
    () => false,
  );
}

/** Resolves with true once `work` has settled, with false as soon as the signal is aborted. */
export async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onAbort = () => resolve(false);
  const onSettled = () => resolve(true);
  signal.addEventListener("abort", onAbort, { once: true });
  work.then(onSettled, onSettled);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
