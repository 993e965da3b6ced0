import { type FaultKind, faultMaker } from "../base/fault.ts";

export const PROOF_FAULTS = {
  "trial-failed": {
    blame: "grader",
    means: "The grader could not be tried out on a run that the solution left.",
    remedy: "Read the traceback in the message and mend grader.py.",
  },
} as const satisfies Record<string, FaultKind>;

export const proofFault = faultMaker("proof", PROOF_FAULTS);
