import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The released suite of conformance checks, and the one for the revision of 2026. */
export const RELEASED: string = import.meta.resolve(
  "@modelcontextprotocol/conformance/package.json",
);
export const NEXT: string = import.meta.resolve("conformance-next/package.json");

/** One thing that a scenario has looked at. */
export interface Check {
  /** The scenario's name. */
  readonly scenario: string;
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
}

/** What a run of a suite came to. */
export interface Score {
  readonly exitCode: number | null;
  readonly passed: number;
  readonly failed: number;
  /** Scenarios that failed or warned, as they were printed. */
  readonly unsound: readonly string[];
  /** The scenarios that were run, by name. */
  readonly scenarios: readonly string[];
  readonly checks: readonly Check[];
  readonly printed: string;
}

/** Runs a suite's scenarios for servers against a URL that asks for no token. */
export async function runSuite(
  manifest: string,
  url: string,
  args: readonly string[],
): Promise<Score> {
  const entry = fileURLToPath(new URL("dist/index.js", manifest));
  const folder = mkdtempSync(join(tmpdir(), "cloche-conformance-"));
  const all = [entry, "server", "--url", url, "-o", folder, ...args];
  const child = spawn(process.execPath, all, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  }
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const checks = checksIn(folder);
  rmSync(folder, { recursive: true });
  const printed = Buffer.concat(chunks).toString("utf8");
  const total = /^(?:Total|Passed): (\d+)(?: passed|\/\d+), (\d+) failed/m.exec(printed);
  const named = [...printed.matchAll(/^[✓✗⚠] ([\w-]+):/gm)].map(([, name = ""]) => name);
  return {
    exitCode,
    passed: Number(total?.[1]),
    failed: Number(total?.[2]),
    unsound: printed.split("\n").filter((line) => /^[✗⚠] /.test(line)),
    scenarios: [...new Set([...named, ...checks.map(({ scenario }) => scenario)])],
    checks,
    printed,
  };
}

/** The score for a person who has to find out why a test failed. */
export function describeScore({ exitCode, passed, failed, unsound, checks, printed }: Score) {
  const bad = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
  const failures = bad.map(({ id, errorMessage }) => `${id}: ${errorMessage}`);
  const scenarios = [...unsound, ...failures].join("\n") || printed.slice(-2_000);
  return `${passed} passed, ${failed} failed, exit ${exitCode}\n${scenarios}`;
}

/** Each scenario leaves a folder "server-<scenario>-<time>". */
function checksIn(folder: string): Check[] {
  return globSync("**/checks.json", { cwd: folder }).flatMap((file) => {
    const [, scenario = file] = /(?:^|\/)server-(.+)-\d{4}-\d\d-\d\dT/.exec(dirname(file)) ?? [];
    const checks = JSON.parse(readFileSync(join(folder, file), "utf8")) as Omit<
      Check,
      "scenario"
    >[];
    return checks.map((check) => ({ ...check, scenario }));
  });
}
