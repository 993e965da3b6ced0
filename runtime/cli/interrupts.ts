import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/**
 * One press reaches this process twice where an older Node started it (cloche.mjs): from the
 * terminal, as one of its group, and handed on. Nobody presses twice as fast as this.
 */
const ONE_PRESS_MS = 200;

/**
 * Ctrl-C once: the signal is aborted, and whoever works ends cleanly. Twice: this process ends at
 * once, and a reaper is started that removes what it leaves (it waits for the death by itself).
 */
export function onInterrupt(terminal: Terminal, dataPath: string): AbortSignal {
  const controller = new AbortController();
  let pressedMs = Number.NEGATIVE_INFINITY;
  const handle = () => {
    if (performance.now() - pressedMs < ONE_PRESS_MS) return;
    if (controller.signal.aborted) {
      leaveReaper(dataPath);
      process.exit(EXIT.interrupted);
    }
    terminal.err("\nending: recording and removing the sandbox (Ctrl-C again to leave at once)\n");
    pressedMs = performance.now();
    controller.abort(new Interrupted());
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  process.once("disconnect", handle); // Whoever started us with a channel has died.
  return controller.signal;
}

class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

function leaveReaper(dataPath: string): void {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const options = { detached: true, stdio: "ignore" } as const;
  spawn(
    process.execPath,
    [main, "reap", "--data", dataPath, "--wait-for", String(process.pid)],
    options,
  ).unref();
}
