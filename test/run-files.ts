// Runs test files (its arguments) two at a time, in the order that they are given: `node --test`
// sorts them, and the longest would begin last. Ends with 1 if any fails.
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** A file that hangs is named as one that failed, long before a CI job would be ended. */
const FILE_MS = 15 * 60_000;

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("usage: node test/run-files.ts <test file>...");

const events = run({ files, concurrency: 2, timeout: FILE_MS });
events.on("test:fail", () => {
  process.exitCode = 1;
});
events.compose(new spec()).pipe(process.stdout);
