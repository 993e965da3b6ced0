import type { Step } from "../mcp/record/step.ts";
import type { Phase, RolloutRecord } from "../store/record.ts";
import { stepLine } from "./report.ts";
import { duration, type Terminal } from "./terminal.ts";

const NOW_TRUE: Readonly<Record<Phase, string>> = {
  requested: "record written",
  seeded: "sandbox made, fixture in it",
  serving: "endpoint answers",
  finished: "agent done, endpoint closed",
  captured: "final state on our side, agent's processes dead",
  graded: "every criterion judged",
  stored: "bundle complete",
};

export interface Progress {
  say(text: string): void;
  onPhase(phase: Phase, record: RolloutRecord): void;
  onStep(step: Step): void;
}

/** A line for each phase reached, and for each call if `calls`. On stderr; nothing if nobody looks. */
export function progressWatcher(
  terminal: Terminal,
  { calls }: { readonly calls: boolean },
): Progress {
  const { paint } = terminal;
  const say = (text: string) => {
    if (calls) terminal.err(`${text}\n`);
  };
  return {
    say,
    onPhase: (phase, record) => {
      const since = duration(record.reachedMs[phase] ?? 0).padStart(8);
      say(
        `${paint.cyan("●")} ${since}  ${paint.bold(phase.padEnd(9))} ${paint.dim(NOW_TRUE[phase])}`,
      );
    },
    onStep: (step) => {
      if (calls) terminal.err(stepLine(step, paint));
    },
  };
}
