import type { ProofEvidence } from "./evidence.ts";
import { type Figures, type Finding, finding } from "./proof.ts";

/** The solution takes as many calls, servers and tokens as the task says. */
export function long(evidence: ProofEvidence): Finding {
  const { calls, servers, tokens } = figuresOf(evidence);
  const { atLeast } = evidence.settings;
  const short = (what: string, found: number, least: number) =>
    found >= least ? [] : [`the solution uses ${found} ${what}; task.toml asks for ${least}`];
  const problems = [
    ...short("calls", calls, atLeast.calls),
    ...short("servers", servers.length, atLeast.servers),
    ...short("tokens", tokens, atLeast.tokens),
  ];
  const summary = `${calls} calls to ${servers.length} servers (${servers.join(", ")}), ${tokens} tokens to read`;
  return finding("long", summary, problems);
}

/** How much the first oracle did, and how fast its gradings were. */
export function figuresOf({ oracles, trials, tokens }: ProofEvidence): Figures {
  const steps = oracles[0]?.steps ?? [];
  const servers = [...new Set(steps.map(({ server }) => server))];
  const gradings = trials.reduce((sum, { report }) => sum + report.gradings.count, 0);
  const seconds = trials.reduce((sum, { report }) => sum + report.gradings.seconds, 0);
  const gradingsPerMinute = seconds === 0 ? 0 : Math.round((gradings / seconds) * 60);
  return { calls: steps.length, servers, tokens, gradings, gradingsPerMinute };
}
