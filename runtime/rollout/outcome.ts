import type { Blame } from "../base/fault.ts";
import type { Outcome } from "../store/record.ts";

const OUTCOMES: Readonly<Record<Blame, Outcome>> = {
  caller: "cancelled",
  task: "task_error",
  grader: "grader_error",
  agent: "agent_error",
  engine: "infra_error",
  store: "infra_error",
};

/** A failure's typed outcome. None of them carries a reward. */
export function outcomeOf(blame: Blame): Outcome {
  return OUTCOMES[blame];
}
