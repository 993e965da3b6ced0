import { fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { useFilesDirectly } from "./fuzz/direct-fs.ts";
import { fuzz } from "./fuzz/fuzz.ts";
import { fuzzReader, READERS } from "./fuzz/readers/readers.ts";
import { TARGETS } from "./fuzz/targets.ts";

// node test/run-fuzz.ts [--cases 1000000] [--seed N] [--only tar,word] [--seconds N]
// Gives every parser that meets an agent's bytes that many cases, one target after the other, each in
// a process of its own that is ended if it stands still: those of the host, then the readers of the
// graders' library, each of these for --seconds at most. Ends with 1 if a property did not hold.
// In memory where there is such a folder: a disk takes longer than all parsers.
const SCRATCH = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const STILL_MS = 300_000;
const SAY_MS = 60_000;
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() & 0x7fff_ffff) },
    only: { type: "string" },
    seconds: { type: "string" },
    child: { type: "boolean", default: false },
  },
});
const cases = Number(values.cases);
const seed = Number(values.seed);
const all = [...Object.keys(TARGETS), ...READERS];
const names = values.only?.split(",") ?? all;
const unknown = names.find((name) => !all.includes(name));
if (unknown !== undefined || !(cases > 0) || !Number.isSafeInteger(seed)) {
  say(`usage: node test/run-fuzz.ts [--cases N] [--seed N] [--only ${all}] [--seconds N]`);
  process.exit(2);
}
if (values.child) useFilesDirectly();
if (values.child) await child(names[0] ?? "");
else process.exitCode = await every();

async function every(): Promise<number> {
  let failed = 0;
  for (const name of names)
    failed += await (READERS.includes(name) ? reader(name) : supervised(name));
  say(failed === 0 ? "every property held" : `${failed} of ${names.length} targets failed`);
  return failed === 0 ? 0 : 1;
}

/** 0 if nothing but the library's own Failed came out of a reader. */
async function reader(name: string): Promise<0 | 1> {
  const seconds = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
  const found = await fuzzReader(name, { cases, seed, ...seconds });
  const ends = `${found.accepted} read, ${found.refused} refused`;
  const most = `slowest ${found.slowestMs} ms, ${found.peakMiB} MiB`;
  say(`${name}: ${found.cases} cases in ${found.seconds} s, seed ${seed}; ${most}; ${ends}`);
  for (const { case: number, error } of found.failures) {
    say(`${name}: FAILED at case ${number}: ${error}`);
  }
  return found.failures.length === 0 ? 0 : 1;
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
