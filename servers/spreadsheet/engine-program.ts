import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const PAGE = 65_536;
/** 128 MiB for calls of calls: a column in which each cell needs the one below it is one such. */
const STACK_PAGES = 2048;
/** What it has of memory at least, all but some of it untouched. */
export const STACK_BYTES = STACK_PAGES * PAGE;
/** All that it may take: 256 MiB beside that. */
const MOST_PAGES = 4096 + STACK_PAGES;

const [MEMORY, GLOBALS] = [5, 6];

/**
 * The formula engine's WebAssembly with two numbers of its own: an upper bound on its memory, so
 * that a formula cannot take the machine's, and a larger stack, since its own ends at chains of some
 * hundred formulas. Who runs it gives it less stack of V8's than this, which then ends first.
 */
export function engineProgram(): Uint8Array {
  const program = readFileSync(enginePath());
  const done: Buffer[] = [program.subarray(0, 8)];
  let pages = 0;
  for (let at = 8; at < program.length; ) {
    const id = program[at];
    const [size, start] = unsigned(program, at + 1);
    const end = start + size;
    if (id === MEMORY) {
      // One memory: a count, a flag (0: no bound), its first size.
      const [first] = unsigned(program, start + 2);
      pages = first + STACK_PAGES;
      done.push(section(MEMORY, Buffer.from([1, 1, ...leb(pages), ...leb(MOST_PAGES)])));
    } else if (id === GLOBALS) {
      done.push(section(GLOBALS, stackAt(program.subarray(start, end), pages * PAGE)));
    } else {
      done.push(program.subarray(at, end));
    }
    at = end;
  }
  if (pages === 0) throw new Error("the formula engine's program has no memory");
  return Buffer.concat(done);
}

/** The first global is where the stack begins; it grows downwards from there. */
function stackAt(globals: Buffer, place: number): Buffer {
  const [count, first] = unsigned(globals, 0);
  const known = globals[first] === 0x7f && globals[first + 1] === 1 && globals[first + 2] === 0x41;
  const [, end] = unsigned(globals, first + 3);
  if (count < 1 || !known || globals[end] !== 0x0b) {
    throw new Error("the formula engine's program has no stack where it is looked for");
  }
  const head = globals.subarray(0, first + 3);
  return Buffer.concat([head, Buffer.from(signedLeb(place)), globals.subarray(end)]);
}

function section(id: number, inside: Buffer): Buffer {
  return Buffer.concat([Buffer.from([id, ...leb(inside.length)]), inside]);
}

/** The package lies beside the bundle, too. */
function enginePath(): string {
  return createRequire(import.meta.url).resolve("@ironcalc/wasm/wasm_bg.wasm");
}

function unsigned(bytes: Buffer, from: number): [value: number, next: number] {
  let [value, at] = [0, from];
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function signedLeb(value: number): number[] {
  return value < 64 ? [value] : [(value & 127) | 128, ...signedLeb(value >>> 7)];
}
