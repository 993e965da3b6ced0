import type { Blame } from "../base/fault.ts";
import type { Reward } from "../grading/grade.ts";
import type { Outcome } from "../store/record.ts";

const OUTCOMES: Readonly<Record<Blame, Outcome>> = {
  caller: "cancelled",
  task: "task_error",
  grader: "grader_error",
  agent: "agent_error",
  engine: "infra_error",
  store: "infra_error",
};

/** A failure's typed outcome. */
export function outcomeOf(blame: Blame): Outcome {
  return OUTCOMES[blame];
}

/**
 * What a failure is paid: nothing where it is the agent's doing, since an agent that could choose to
 * have no reward would choose that where it expects to fail. Null where it is somebody else's.
 */
export function rewardOfFailure(outcome: Outcome): Reward | null {
  return outcome === "agent_error" ? { sparse: 0, dense: 0, gain: 0 } : null;
}
