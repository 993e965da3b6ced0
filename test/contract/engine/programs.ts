import assert from "node:assert/strict";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { MIB, sh } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

const AGENT = { user: "agent" };

/** Programs whose streams are in the caller's hands. */
export const programContract: Readonly<Record<string, ContractBody>> = {
  "open speaks with a program line by line, until its input is ended": async ({ shared }) => {
    const script = 'while read -r line; do echo "<$line>"; done; echo over >&2; exit 7';
    await using program = await shared.open(["/bin/sh", "-c", script], AGENT);
    for (const word of ["eins", "zwei", "grüß ☕"]) {
      program.stdin.write(`${word}\n`);
      const [answer] = (await once(program.stdout, "data")) as [Buffer];
      assert.equal(answer.toString(), `<${word}>\n`);
    }
    program.stdin.end();
    program.stdout.resume();
    assert.equal(await text(program.stderr), "over\n");
    assert.deepEqual(await program.ended, { exitCode: 7 });
  },

  "a program goes on after its input has ended": async ({ shared }) => {
    await using program = await shared.open(
      ["/bin/sh", "-c", "cat >/dev/null; sleep 0.3; echo still"],
      AGENT,
    );
    program.stdin.end("x");
    program.stderr.resume();
    assert.equal(await text(program.stdout), "still\n");
    assert.deepEqual(await program.ended, { exitCode: 0 });
  },

  "a slow reader slows the program down and loses nothing": async ({ shared }) => {
    const script = "head -c 20000000 /dev/zero; echo written >&2";
    await using program = await shared.open(["/bin/sh", "-c", script], AGENT);
    const said = text(program.stderr);
    const early = await Promise.race([said, sleep(700, "waiting")]);
    assert.equal(early, "waiting");
    assert.equal((await buffer(program.stdout)).length, 20_000_000);
    assert.equal(await said, "written\n");
  },

  "what is written in slices arrives in one piece": async ({ shared }) => {
    await using program = await shared.open(["/bin/sh", "-c", "cat"], AGENT);
    program.stderr.resume();
    const read = buffer(program.stdout);
    const slice = Buffer.from("0123456789abcdef".repeat(512));
    for (let n = 0; n < 5 * 128; n++) {
      if (!program.stdin.write(slice)) await once(program.stdin, "drain");
    }
    program.stdin.end();
    const bytes = await read;
    assert.equal(bytes.length, 5 * MIB);
    assert.equal(bytes.compare(Buffer.concat(Array.from({ length: 640 }, () => slice))), 0);
  },

  "kill ends the program and its children, and is harmless afterwards": async ({ shared }) => {
    const script = "setsid sleep 320 & (setsid setsid sleep 321 &) ; sleep 322";
    await using program = await shared.open(["/bin/sh", "-c", script], AGENT);
    program.stdout.resume();
    program.stderr.resume();
    await sleep(200);
    await program.kill();
    const { exitCode } = await program.ended;
    assert(exitCode === 137 || exitCode === null);
    const list = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'sleep 32' || true";
    assert.equal(await sh(shared, list.replace("sleep 32", "slee[p] 32")), "0\n");
    await program.kill();
  },

  "a program that nobody reads can be killed, or let go": async ({ shared }) => {
    const flood = ["/bin/sh", "-c", "cat /dev/zero"];
    const [killed, left] = [await shared.open(flood, AGENT), await shared.open(flood, AGENT)];
    await sleep(200);
    await killed.kill();
    await left[Symbol.asyncDispose]();
    await Promise.all([killed.ended, left.ended]);
    const list = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '";
    assert.doesNotMatch(await sh(shared, list), /cat \/dev\/zero/);
  },

  "writing to a program that has ended is harmless": async ({ shared }) => {
    await using program = await shared.open(["true"], AGENT);
    program.stdout.resume();
    program.stderr.resume();
    assert.deepEqual(await program.ended, { exitCode: 0 });
    program.stdin.write("x".repeat(100_000));
    program.stdin.end();
    await program.kill();
  },
};
