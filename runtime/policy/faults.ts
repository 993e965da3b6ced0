import { type FaultKind, faultMaker } from "../base/fault.ts";

export const POLICY_FAULTS = {
  unknown: {
    blame: "caller",
    means: "There is no policy of that name.",
    remedy: 'Use "oracle", "null" or "cheat:<name>"; the message lists the cheats of the task.',
  },
  crashed: {
    blame: "agent",
    means: "The policy's script raised an exception or ended without a word.",
    remedy: "Read the traceback in the message and mend the script.",
  },
  "no-script": {
    blame: "caller",
    means: "The task has no solution.py, so there is no oracle for it.",
    remedy: "Write solution.py, or choose another policy.",
  },
} as const satisfies Record<string, FaultKind>;

export const policyFault = faultMaker("policy", POLICY_FAULTS);
