import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EXIT } from "./exit-codes.ts";
import { onPress } from "./presses.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Ctrl-C once: the signal is aborted, and whoever works ends cleanly. Twice: this process ends at
 * once, and a reaper is started that removes what it leaves (it waits for the death by itself).
 */
export function onInterrupt(terminal: Terminal, dataPath: string): AbortSignal {
  const controller = new AbortController();
  onPress(() => {
    if (controller.signal.aborted) {
      leaveReaper(dataPath);
      process.exit(EXIT.interrupted);
    }
    terminal.err("\nending: recording and removing the sandbox (Ctrl-C again to leave at once)\n");
    controller.abort(new Interrupted());
  });
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
