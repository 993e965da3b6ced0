import { type FaultKind, faultMaker } from "../base/fault.ts";

export const ROLLOUT_FAULTS = {
  unknown: {
    blame: "caller",
    means: "There is no such rollout or group, or it belongs to another key.",
    remedy: "See that the id is whole and that the key is the one it was asked for with.",
  },
  "bad-request": {
    blame: "caller",
    means: "A rollout was asked for with something that it cannot have.",
    remedy: "Mend the member that the message names.",
  },
  "queue-full": {
    blame: "caller",
    means: "As many rollouts wait as may wait; nothing was made.",
    remedy: "Ask again after detail.retryAfterMs.",
  },
  "over-limit": {
    blame: "caller",
    means: "The caller's key has as many rollouts open as it may have; nothing was made.",
    remedy: "Finish or cancel some, or ask again after detail.retryAfterMs.",
  },
  draining: {
    blame: "caller",
    means: "The service is shutting down and accepts nothing more.",
    remedy: "Ask again once it has been started anew.",
  },
  "key-reused": {
    blame: "caller",
    means: "The idempotency key was used with another request.",
    remedy: "Use a new key for a new request.",
  },
  "not-serving": {
    blame: "caller",
    means: "The rollout does not serve: it does not serve yet, or its turn is over.",
    remedy: "Look at detail.phase: wait until it is serving, or ask for another rollout.",
  },
  "egress-not-allowed": {
    blame: "caller",
    means: "The task asks for hosts outside of its sandbox, and nobody has allowed that here.",
    remedy: "Allow it with `--allow-egress` or CLOCHE_ALLOW_EGRESS=1, or run another task.",
  },
  "egress-failed": {
    blame: "engine",
    means: "The way from the sandbox to the hosts of its task could not be opened.",
    remedy: "Read the message; look whether the engine has a network, and run it again.",
  },
  "foreign-image": {
    blame: "caller",
    means:
      "A bundle from elsewhere names an image that is none of those that are used here for it.",
    remedy:
      "Grade it where it was made; on a machine of your own `cloche grade --as-recorded` takes its word.",
  },
  "foreign-too-large": {
    blame: "caller",
    means: "A bundle from elsewhere holds more than is graded here.",
    remedy:
      "Raise the bound that the message names (`serve --foreign-limit`), or grade it elsewhere.",
  },
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
  "policy-failed": {
    blame: "agent",
    means: "The policy failed while it played.",
    remedy: "Read the causes in the record and mend the policy.",
  },
  "criterion-raised": {
    blame: "grader",
    means:
      "A criterion raised an exception on the untouched state, where no agent has been, so there is no reward.",
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

/** A fault that names what was wrong in a request. */
export function badRequest(member: string, what: string): Error {
  return rolloutFault("bad-request", `"${member}" ${what}`, { detail: { member } });
}
