/** Time as the runtime sees it. Limits use `monotonicMs`, records use `now`. */
export interface Clock {
  /** Wall clock, for records only. */
  now(): Date;
  /** Milliseconds since an arbitrary start, never jumping; for limits and durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
