import { type FaultKind, faultMaker } from "../base/fault.ts";

export const ROLLOUT_FAULTS = {
  interrupted: {
    blame: "engine",
    means: "The process that conducted the rollout died before the rollout's end.",
    remedy: "Run it again; what it left in the engine has been removed.",
  },
  "sandbox-lost": {
    blame: "engine",
    means: "The sandbox was gone before the rollout ended, and not for want of memory.",
    remedy: "Look at the engine's log for who removed or killed it, and run the rollout again.",
  },
  "sandbox-failed": {
    blame: "engine",
    means: "The engine failed at a stage of the rollout in a way that it has no code for.",
    remedy: "Read the causes in the record; run `cloche doctor`, then the rollout again.",
  },
  "player-failed": {
    blame: "agent",
    means: "The policy failed while it played.",
    remedy: "Read the causes in the record and mend the policy.",
  },
  "criterion-raised": {
    blame: "grader",
    means: "A criterion raised an exception, so there is no reward.",
    remedy:
      "Read the criterion's traceback in the record, mend grader.py and grade the bundle again.",
  },
  "grading-failed": {
    blame: "engine",
    means: "The grader could not be run.",
    remedy: "Read the causes in the record; `cloche grade <bundle>` tries again.",
  },
  "storing-failed": {
    blame: "store",
    means: "The bundle could not be written.",
    remedy: "Free space in the data folder, or choose another with --data, and run it again.",
  },
} as const satisfies Record<string, FaultKind>;

export const rolloutFault = faultMaker("rollout", ROLLOUT_FAULTS);
