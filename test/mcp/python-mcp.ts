import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** A Python that has the package mcp, in this folder; undefined if there is none to be had. */
export function withMcp(folder: string): string | undefined {
  const quick = { timeout: 60_000, stdio: "ignore" } as const;
  if (spawnSync("python3", ["-m", "venv", folder], quick).status !== 0) return undefined;
  const python = join(folder, "bin", "python");
  const install = ["-m", "pip", "install", "-q", "--retries", "0", "--timeout", "15", "mcp>=2,<3"];
  const { status } = spawnSync(python, install, { timeout: 180_000, stdio: "ignore" });
  return status === 0 ? python : undefined;
}
