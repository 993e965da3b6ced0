import { fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { useFilesDirectly } from "./fuzz/direct-fs.ts";
import { fuzz } from "./fuzz/fuzz.ts";
import { TARGETS } from "./fuzz/targets.ts";

// node test/run-fuzz.ts [--cases 1000000] [--seed N] [--only tar]
// Gives every parser that meets an agent's bytes that many cases, one target after the other, each in
// a process of its own that is ended if it stands still. Ends with 1 if a property did not hold.
// In memory where there is such a folder: a disk takes longer than all parsers.
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const STILL_MS = 300_000;
const SAY_MS = 60_000;
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() & 0x7fff_ffff) },
    only: { type: "string" },
    child: { type: "boolean", default: false },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
const names = values.only?.split(",") ?? Object.keys(TARGETS);
const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
if (unknown !== undefined || !(cases > 0) || !Number.isSafeInteger(seed)) {
  say(`usage: node test/run-fuzz.ts [--cases N] [--seed N] [--only ${Object.keys(TARGETS)}]`);
  process.exit(2);
}
if (values.child) useFilesDirectly();
if (values.child) await child(names[0] ?? "");
else process.exitCode = await all();

async function all(): Promise<number> {
  let failed = 0;
  for (const name of names) failed += await supervised(name);
  say(failed === 0 ? "every property held" : `${failed} of ${names.length} targets failed`);
  return failed === 0 ? 0 : 1;
}

/** 0 if it held. A batch that does not end is a finding too. */
function supervised(name: string): Promise<0 | 1> {
  const args = ["--child", "--only", name, "--cases", String(cases), "--seed", String(seed)];
  const one = fork(import.meta.filename, args);
  const { promise, resolve } = Promise.withResolvers<0 | 1>();
  let last = `seed ${seed}`;
  const still = () => {
    say(`${name}: FAILED, stood still for ${STILL_MS / 1000} s after ${last}`);
    one.kill("SIGKILL");
  };
  let watch = setTimeout(still, STILL_MS);
  let said = performance.now();
  one.on("message", (text) => {
    last = String(text);
    if (performance.now() - said > SAY_MS) {
      said = performance.now();
      say(`${name}: ${last}`);
    }
    clearTimeout(watch);
    watch = setTimeout(still, STILL_MS);
  });
  one.on("exit", (code) => {
    clearTimeout(watch);
    resolve(code === 0 ? 0 : 1);
  });
  return promise;
}

async function child(name: string): Promise<void> {
  const target = TARGETS[name];
  if (target === undefined) return;
  const folder = mkdtempSync(join(SCRATCH, "cloche-fuzz-"));
  const started = performance.now();
  try {
    const result = await fuzz(target, folder, { cases, seed }, (done, batchSeed) => {
      process.send?.(`case ${done}, batch seed ${batchSeed}`);
    });
    const seconds = (performance.now() - started) / 1000;
    const rate = Math.round(result.cases / seconds);
    const figures = `${result.cases} cases in ${seconds.toFixed(0)} s, ${rate} cases/s, seed ${seed}`;
    say(`${name}: ${figures}; slowest batch ${result.slowestMs} ms; ${result.tally}`);
    if (result.failure !== undefined) say(`${name}: FAILED\n${result.failure}`);
    process.exitCode = result.failure === undefined ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    process.disconnect?.();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
