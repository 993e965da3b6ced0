// Runs test files (its arguments) two at a time, in the order that they are given: `node --test`
// sorts them, and the longest would begin last. Reports them in that order, which may keep one
// waiting, and says meanwhile which are done. Ends with 1 if any fails.
import { resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

/** A file that hangs is named as one that failed, long before a CI job would be ended. */
const FILE_MS = 15 * 60_000;

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("usage: node test/run-files.ts <test file>...");

// Each file is a process of its own, and starts many: what one has compiled the next one finds.
const cache = fileURLToPath(new URL("../node_modules/.cache/node", import.meta.url));
process.env["NODE_COMPILE_CACHE"] ??= cache;

const events = run({ files, concurrency: 2, timeout: FILE_MS });
events.on("test:fail", () => {
  process.exitCode = 1;
});
let done = 0;
events.on("test:complete", ({ name, file, details }) => {
  if (file === undefined || resolve(name) !== file) return; // A test in it, and not the file.
  done += 1;
  const seconds = (details.duration_ms / 1000).toFixed(1);
  const how = details.passed ? "" : ", FAILED";
  process.stderr.write(`-- ${done} of ${files.length} files: ${name}, ${seconds} s${how}\n`);
});
events.compose(new spec()).pipe(process.stdout);
