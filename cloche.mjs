#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still say so. Where the project's own
// Node 24 is installed (the `node` package), an older one hands over to it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./runtime/cli/main.ts", import.meta.url));
const ownNode = fileURLToPath(new URL("./node_modules/node/bin/node", import.meta.url));

// A young generation of 4 MiB instead of 16: it is what a noisy rollout makes a service grow by.
const flags = process.argv[2] === "serve" ? ["--max-semi-space-size=4"] : [];
const isFlagged = flags.every((flag) => process.execArgv.includes(flag));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  if (!isFlagged) {
    // The same process anew: only a start can set this.
    process.execve?.(process.execPath, [process.execPath, ...flags, ...process.argv.slice(1)]);
  }
  module.enableCompileCache();
  await import(main);
} else if (existsSync(ownNode)) {
  // The channel says nothing; it breaks when this process dies, and the other one then ends cleanly.
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  const child = spawn(ownNode, [...flags, main, ...process.argv.slice(2)], { stdio });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
} else {
  process.stderr.write(
    `cloche needs Node 24 and this is ${process.version}; run "npm run setup" once, it brings one.\n`,
  );
  process.exitCode = 2;
}
