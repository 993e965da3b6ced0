import { homedir } from "node:os";
import { join } from "node:path";

/** Where records and bundles live: --data, else CLOCHE_DATA, else the XDG data home. */
export function dataPath(option: string | undefined, env: NodeJS.ProcessEnv): string {
  const home = env["XDG_DATA_HOME"] || join(homedir(), ".local", "share");
  return option || env["CLOCHE_DATA"] || join(home, "cloche");
}
