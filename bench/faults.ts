import { type FaultKind, faultMaker } from "../runtime/base/fault.ts";

/** What can go wrong while Cloche is measured. */
export const BENCH_FAULTS = {
  failed: {
    blame: "engine",
    means: "Something that was to be measured did not work, so there is no figure of it.",
    remedy: "Run one rollout (./cloche.mjs run library/catalogue-update) and see what it says.",
  },
} as const satisfies Record<string, FaultKind>;

export const benchFault = faultMaker("bench", BENCH_FAULTS);
