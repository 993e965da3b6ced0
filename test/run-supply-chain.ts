import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// node test/run-supply-chain.ts
// What is known to be wrong with the packages of package-lock.json (`npm audit`, from the lockfile
// alone) and under which licences they stand. Ends with 1 for a finding of high or critical severity
// or for a licence that is not on the list; says "skipped" where the registry gives no answer.
const root = fileURLToPath(new URL("..", import.meta.url));

const LICENCES: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "CC-BY-3.0",
  "CC-BY-4.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0",
  "Python-2.0",
  "Unlicense",
  "WTFPL",
  "Zlib",
];

/** The lockfile names none, or not by its SPDX name; looked up in the packages themselves. */
const SAID_ELSEWHERE: Readonly<Record<string, string>> = {
  "node_modules/@ironcalc/wasm": "MIT OR Apache-2.0",
  "node_modules/@modelcontextprotocol/server-filesystem": "MIT",
  "node_modules/@modelcontextprotocol/server-memory": "MIT",
  "node_modules/buildcheck": "MIT",
  "node_modules/cpu-features": "MIT",
  "node_modules/duck": "BSD-2-Clause",
  "node_modules/ssh2": "MIT",
};

const REGISTRY = /^https:\/\/registry\.npmjs\.org\//;

const results = [licences(), audit()];
process.exitCode = results.includes(false) ? 1 : 0;

interface Locked {
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  /** Absent where it is the registry that npm is set to. */
  readonly resolved?: string;
}

function licences(): boolean {
  const text = readFileSync(`${root}package-lock.json`, "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
  const all = Object.entries(packages).filter(([path, { link }]) => path !== "" && link !== true);
  const wrong = all.flatMap(([path, { license, integrity, resolved }]) => {
    const said = SAID_ELSEWHERE[path] ?? license;
    const problems = [
      ...(said !== undefined && isAllowed(said) ? [] : [`has the licence ${said ?? "(none)"}`]),
      ...(integrity ? [] : ["is pinned by no hash"]),
      ...(resolved === undefined || REGISTRY.test(resolved) ? [] : [`comes from ${resolved}`]),
    ];
    return problems.map((problem) => `${path} ${problem}`);
  });
  for (const line of wrong) say(`licences: ${line}`);
  say(`licences: ${all.length} packages, ${wrong.length} findings`);
  return wrong.length === 0;
}

/** Of "A OR B" one has to be on the list, of "A AND B" both. */
function isAllowed(expression: string): boolean {
  const plain = expression.replace(/[()]/g, "");
  const isAll = (part: string) => part.split(" AND ").every((one) => LICENCES.includes(one.trim()));
  return plain.split(" OR ").some(isAll);
}

interface Audit {
  readonly metadata?: { readonly vulnerabilities: Readonly<Record<string, number>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
}

function audit(): boolean {
  const args = [
    "audit",
    "--json",
    "--package-lock-only",
    "--fetch-timeout=20000",
    "--fetch-retries=1",
  ];
  const { stdout, stderr, error } = spawnSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    timeout: 120_000,
  });
  const answer = parsed(stdout ?? "");
  if (answer?.metadata === undefined || answer.vulnerabilities === undefined) {
    const why = (error?.message ?? (stdout || stderr)).trim().split("\n").slice(0, 3).join(" ");
    say(`audit: skipped, the registry gave no answer (${why.slice(0, 300)})`);
    return true;
  }
  const bad = Object.entries(answer.vulnerabilities).filter(([, { severity }]) =>
    ["high", "critical"].includes(severity),
  );
  for (const [name, { severity }] of bad) say(`audit: ${name}: ${severity}`);
  say(`audit: ${JSON.stringify(answer.metadata.vulnerabilities)}`);
  return bad.length === 0;
}

function parsed(text: string): Audit | undefined {
  try {
    return JSON.parse(text) as Audit;
  } catch {
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
