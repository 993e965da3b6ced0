import { type FaultKind, faultMaker } from "../base/fault.ts";

export const GRADING_FAULTS = {
  "no-verdict": {
    blame: "grader",
    means: "The grader ended without giving a verdict.",
    remedy:
      "Read the grader's own output in the message, mend grader.py and grade the bundle again.",
  },
  "bad-verdict": {
    blame: "grader",
    means:
      "The grader's verdict is not one: not JSON, another nonce, a score out of range, other criteria than declared.",
    remedy: "Mend grader.py (it must not write to file descriptor 1 by itself) and grade again.",
  },
  "grader-failed": {
    blame: "grader",
    means: "grader.py could not be loaded, although it could when the task was prepared.",
    remedy: "Read the traceback in the message and mend grader.py.",
  },
  "timed-out": {
    blame: "grader",
    means:
      "The grader did not end within [verifier].timeout_sec on the untouched state, where no agent has been.",
    remedy: "Make the grader faster or raise timeout_sec in task.toml.",
  },
} as const satisfies Record<string, FaultKind>;

export const gradingFault = faultMaker("grading", GRADING_FAULTS);
