import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for `work`, but no longer than `timeoutMs` and not past `signal`; whichever comes first
 * decides. `work` gets a signal that is aborted then, so that it can let go of what it holds.
 * Rejects with `onTimeout()` when time runs out and with `signal.reason` when the caller gives up.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  onTimeout: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const over = new AbortController();
  const gaveUp = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    over.abort(reason);
    gaveUp.reject(reason);
  };
  const timer = setTimeout(() => giveUp(onTimeout()), timeoutMs);
  const onAbort = () => giveUp(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work(over.signal), gaveUp.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Waits `ms` milliseconds; rejects with the signal's reason if it is aborted first. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}
