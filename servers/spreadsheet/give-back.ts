import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LARGE = 2 * 1024 * 1024;

const SOON_MS = 20;

let timer: NodeJS.Timeout | undefined;
let collect: (() => void) | undefined;

/**
 * After work on a large file what it took is given back at once, for the process is shared with
 * other servers and lies idle between calls.
 */
export function giveBack(inflatedBytes: number): void {
  if (inflatedBytes < LARGE) return;
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  // Later, when nothing of the work is held any more.
  clearTimeout(timer);
  timer = setTimeout(collect, SOON_MS).unref();
}
