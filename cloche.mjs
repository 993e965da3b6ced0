#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still say so. Where the project's own
// Node 24 is installed (the `node` package), an older one hands over to it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as module from "node:module";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("./runtime/cli/main.ts", import.meta.url));
const ownNode = fileURLToPath(new URL("./node_modules/node/bin/node", import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  module.enableCompileCache();
  await import(main);
} else if (existsSync(ownNode)) {
  // The channel says nothing; it breaks when this process dies, and the other one then ends cleanly.
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  const child = spawn(ownNode, [main, ...process.argv.slice(2)], { stdio });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
} else {
  process.stderr.write(
    `cloche needs Node 24 and this is ${process.version}; run "npm run setup" once, it brings one.\n`,
  );
  process.exitCode = 2;
}
