import type { Finding, Proof, ProofRun } from "./proof.ts";

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1c1c1e; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.5rem } h3 { font-size: 1rem }
table { border-collapse: collapse; width: 100%; margin: .75rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid #8883 }
th { font-weight: 600 } td.number { text-align: right; font-variant-numeric: tabular-nums }
.holds { color: #17692f } .fails { color: #b3261e } .mark { font-weight: 700; white-space: nowrap }
details { margin: .3rem 0 } summary { cursor: pointer } li { margin: .15rem 0; overflow-wrap: anywhere }
.dim { color: #6b6b70 }
@media (prefers-color-scheme: dark) { body { background: #16171a; color: #e6e6e8 }
  .holds { color: #7fd394 } .fails { color: #ff8a80 } .dim { color: #9a9aa0 } }
`;

/** What became of the poisons, a row for each task. */
export const POISON_COLUMNS = [
  "task",
  "poisons",
  "no reward",
  "sparse 1",
  "highest dense, untouched",
  "highest dense, ruined",
] as const;

export function poisonRow({ task, poisons }: Proof): readonly string[] {
  const { tried, null: voided, forged, highest } = poisons;
  const shares = [highest.untouched.toFixed(2), highest.solved.toFixed(2)];
  return [task.id, `${tried}`, `${voided}`, `${forged}`, ...shares];
}

/** Proofs as one page that needs nothing else: no script, no font, no picture. */
export function proofPage(proofs: readonly Proof[]): string {
  const held = proofs.filter(({ holds }) => holds).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proofs of tasks</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${held} of ${proofs.length} tasks proven</h1>
<table><thead><tr>${POISON_COLUMNS.map((name) => `<th>${text(name)}</th>`).join("")}</tr></thead>
<tbody>${proofs.map((proof) => cells(...poisonRow(proof))).join("\n")}</tbody></table>
${proofs.map(section).join("\n")}
</main>
</body>
</html>
`;
}

function section(proof: Proof): string {
  const { task, findings, runs, variants, at, seconds, figures, mutation } = proof;
  const facts = [
    `variants ${variants.join(", ")}`,
    `${figures.gradings} gradings at ${figures.gradingsPerMinute} a minute`,
    `${seconds} s`,
    at,
    `task ${task.sha256.slice(0, 12)}`,
  ];
  const operators = Object.entries(mutation.byOperator).sort(([a], [b]) => (a < b ? -1 : 1));
  return `<section>
<h2>${mark(proof.holds)} ${text(task.id)}</h2>
<p class="dim">${facts.map(text).join(" · ")}</p>
<table><thead><tr><th>rule</th><th></th><th>what was found</th></tr></thead>
<tbody>${findings.map(row).join("\n")}</tbody></table>
<h3>Rollouts</h3>
<table><thead><tr><th>who</th><th>variant</th><th>sparse</th><th>dense</th><th>calls</th></tr></thead>
<tbody>${runs.map(runRow).join("\n")}</tbody></table>
<h3>Mutants by what was changed</h3>
<table><thead><tr><th>change</th><th>noticed</th><th>of</th></tr></thead>
<tbody>${operators.map(([name, { of, noticed }]) => cells(name, noticed, of)).join("\n")}</tbody></table>
</section>`;
}

function row({ rule, holds, summary, problems, notes }: Finding): string {
  const problem = problems.length === 0 ? "" : `<ul class="fails">${items(problems)}</ul>`;
  const note =
    notes.length === 0
      ? ""
      : `<details><summary class="dim">${notes.length} notes</summary><ul>${items(notes)}</ul></details>`;
  return `<tr><td>${text(rule)}</td><td>${mark(holds)}</td><td>${text(summary)}${problem}${note}</td></tr>`;
}

function runRow({ name, variant, reward, calls, outcome }: ProofRun): string {
  const sparse = reward === null ? (outcome ?? "none") : reward.sparse;
  return cells(name, variant, sparse, reward === null ? "" : reward.dense.toFixed(2), calls);
}

function cells(...values: readonly (string | number)[]): string {
  const cell = (value: string | number) =>
    typeof value === "number" || /^[\d.]+$/.test(value)
      ? `<td class="number">${value}</td>`
      : `<td>${text(value)}</td>`;
  return `<tr>${values.map(cell).join("")}</tr>`;
}

function items(lines: readonly string[]): string {
  return lines.map((line) => `<li>${text(line)}</li>`).join("");
}

function mark(holds: boolean): string {
  return holds
    ? '<span class="mark holds">✓ holds</span>'
    : '<span class="mark fails">✗ refused</span>';
}

function text(value: string): string {
  const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return value
    .replace(/[&<>"]/g, (letter) => named[letter] ?? letter)
    .replace(/[^\P{C}\n\t]/gu, "�");
}
