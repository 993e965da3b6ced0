import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Box } from "../../../runtime/engine/engine.ts";
import { faultOf, MIB, sh } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

const AGENT = { user: "agent" };

/** Programs that are run to their end. */
export const execContract: Readonly<Record<string, ContractBody>> = {
  "exec refuses a program that is not there": async ({ shared }) => {
    await faultOf(shared.exec(["/nope/nope"], AGENT), "engine/exec-refused");
    await faultOf(shared.exec(["no-such-program"], AGENT), "engine/exec-refused");
    await faultOf(shared.exec([], AGENT), "engine/exec-refused");
    await faultOf(shared.open([""], AGENT), "engine/exec-refused");
  },

  "exec refuses a file that may not be executed, and a directory": async ({ shared }) => {
    await faultOf(shared.exec(["/etc/passwd"], AGENT), "engine/exec-refused");
    await faultOf(shared.exec(["/usr"], AGENT), "engine/exec-refused");
  },

  "exec refuses a working directory that cannot be entered": async ({ shared }) => {
    for (const cwd of ["/nope", "/etc/passwd", "/root", "relative", ""]) {
      await faultOf(shared.exec(["pwd"], { ...AGENT, cwd }), "engine/exec-refused");
    }
  },

  "exec refuses a user that the box does not have": async ({ shared }) => {
    for (const user of ["root", "0", "nobody", "grader", "", "__proto__"]) {
      await faultOf(shared.exec(["id"], { user }), "engine/exec-refused");
    }
  },

  "exec refuses what no program can be given: a NUL, an odd variable's name": async ({
    shared,
  }) => {
    await faultOf(shared.exec(["echo", "a\0b"], AGENT), "engine/exec-refused");
    const named = (env: Record<string, string>) => shared.exec(["env"], { ...AGENT, env });
    await faultOf(named({ "A=B": "c" }), "engine/exec-refused");
    await faultOf(named({ A: "b\0c" }), "engine/exec-refused");
  },

  "a program that prints an engine's words is not taken for the engine": async ({ shared }) => {
    const words = "OCI runtime exec failed: exec failed: no such file or directory: unknown";
    for (const code of [125, 126, 127]) {
      const script = `echo '${words}'; echo '${words}' >&2; exit ${code}`;
      const result = await shared.exec(["/bin/sh", "-c", script], AGENT);
      assert.equal(result.exitCode, code);
      assert.equal(result.stdout.toString(), `${words}\n`);
      assert.equal(result.stderr.toString(), `${words}\n`);
    }
  },

  "exec returns the program's exit code": async ({ shared }) => {
    for (const code of [0, 1, 2, 42, 255]) {
      const { exitCode } = await shared.exec(["/bin/sh", "-c", `exit ${code}`], AGENT);
      assert.equal(exitCode, code);
    }
  },

  "exec returns 128 and the signal's number for a program that was killed": async ({ shared }) => {
    const died = async (signal: string) =>
      (await shared.exec(["/bin/sh", "-c", `kill -${signal} $$`], AGENT)).exitCode;
    assert.equal(await died("KILL"), 137);
    assert.equal(await died("TERM"), 143);
    assert.equal(await died("SEGV"), 139);
  },

  "exec keeps standard output and standard error apart, byte for byte": async ({ shared }) => {
    const bytes = randomBytes(3 * MIB);
    const script = "tee /dev/stderr";
    const result = await shared.exec(["/bin/sh", "-c", script], { ...AGENT, stdin: bytes });
    assert.equal(result.exitCode, 0);
    assert(bytes.equals(result.stdout));
    assert(bytes.equals(result.stderr));
    assert.deepEqual(result.dropped, { stdout: 0, stderr: 0 });
  },

  "exec shows what was printed without a newline, and nothing where nothing was": async ({
    shared,
  }) => {
    const result = await shared.exec(["printf", "x"], AGENT);
    assert.deepEqual([result.stdout.toString(), result.stderr.length], ["x", 0]);
    const silent = await shared.exec(["true"], AGENT);
    assert.deepEqual([silent.exitCode, silent.stdout.length, silent.stderr.length], [0, 0, 0]);
  },

  "a program without input reads its end at once": async ({ shared }) => {
    const none = await shared.exec(["wc", "-c"], AGENT);
    assert.equal(none.stdout.toString(), "0\n");
    const empty = await shared.exec(["wc", "-c"], { ...AGENT, stdin: Buffer.alloc(0) });
    assert.equal(empty.stdout.toString(), "0\n");
  },

  "a program that does not read its input ends all the same": async ({ shared }) => {
    const stdin = Buffer.alloc(MIB, "x");
    const { exitCode } = await shared.exec(["/bin/sh", "-c", "exit 5"], { ...AGENT, stdin });
    assert.equal(exitCode, 5);
  },

  "arguments arrive as they are": async ({ shared }) => {
    const args = [
      "",
      " ",
      "-n",
      "$(id)",
      "`id`",
      "a\nb",
      "'\"\\",
      "*",
      "grüß ☕ 漢字 e\u0301",
      "--",
    ];
    const script = `printf '%s\\0' "$@"`;
    const { stdout } = await shared.exec(["/bin/sh", "-c", script, "sh", ...args], AGENT);
    assert.deepEqual(stdout.toString().split("\0").slice(0, -1), args);
  },

  "a program has the variables that it was given, and the usual ones": async ({ shared }) => {
    const env = { NOTE: "zwei\nZeilen = ☕", EMPTY: "", HOME_PAGE: "$HOME" };
    const given = `"$NOTE" "\${EMPTY-unset}" "$HOME_PAGE"`;
    const script = `printf '%s\\0' ${given} "$USER" "$LOGNAME" "$LANG" "$TZ"`;
    const { stdout } = await shared.exec(["/bin/sh", "-c", script], { ...AGENT, env });
    const expected = [...Object.values(env), "agent", "agent", "C.UTF-8", "UTC"];
    assert.deepEqual(stdout.toString().split("\0").slice(0, -1), expected);
    const changed = await shared.exec(["printenv", "TZ"], { ...AGENT, env: { TZ: "Asia/Tokyo" } });
    assert.equal(changed.stdout.toString(), "Asia/Tokyo\n");
  },

  "a program runs as its user, in the sandbox's group, with umask 002": async ({ shared }) => {
    for (const user of ["agent", "server", "init"]) {
      const ids = await sh(shared, "id -u; id -g; id -G; umask", user);
      const { uids, gid } = shared.identity;
      assert.equal(ids, `${uids[user]}\n${gid}\n${gid}\n0002\n`);
    }
  },

  "a program starts in / or where it was told": async ({ shared }) => {
    const { stdout } = await shared.exec(["pwd"], AGENT);
    assert.equal(stdout.toString(), "/\n");
    await sh(shared, "mkdir -p '/workspace/a dir/ü'");
    const there = await shared.exec(["pwd"], { ...AGENT, cwd: "/workspace/a dir/ü" });
    assert.equal(there.stdout.toString(), "/workspace/a dir/ü\n");
    await sh(shared, "rm -r '/workspace/a dir'");
  },

  "every user has a writable home": async ({ shared }) => {
    for (const user of ["agent", "server"]) {
      await sh(shared, `cd && echo x > file && test -O file && rm file`, user);
    }
  },

  "output beyond the limit is read, dropped and counted": async ({ shared }) => {
    const script = "head -c 3000000 /dev/zero; head -c 700 /dev/zero >&2";
    const options = { ...AGENT, maxOutputBytes: 1_000 };
    const result = await shared.exec(["/bin/sh", "-c", script], options);
    assert.equal(result.exitCode, 0);
    assert.deepEqual([result.stdout.length, result.stderr.length], [1_000, 700]);
    assert.deepEqual(result.dropped, { stdout: 2_999_000, stderr: 0 });
  },

  "a timeout ends the program and all of its children": async ({ shared }) => {
    const children = "sleep 301 & setsid sleep 302 & (setsid setsid sleep 303 &)";
    const orphan = "(setsid env -i /bin/sh -c 'sleep 304 & exec sleep 305' >/dev/null 2>&1 &)";
    const script = `trap '' TERM INT HUP; echo before; ${children}; ${orphan}; sleep 306`;
    const options = { ...AGENT, timeoutMs: 700 };
    const result = await shared.exec(["/bin/sh", "-c", script], options);
    assert.equal(result.timedOut, true);
    assert.equal(result.exitCode, null);
    assert.equal(result.stdout.toString(), "before\n");
    assert.equal(await sleepers(shared), "");
  },

  "a timeout ends a program that keeps replacing itself": async ({ fresh }) => {
    await using box = await fresh();
    // The bomb comes last, and nothing forks after it: a shell that cannot fork ends.
    const bomb = `${CHAIN}; f() { f & f & }; f & exec sleep 307`;
    const options = { ...AGENT, env: CHAIN_ENV, timeoutMs: 700 };
    assert.equal((await box.exec(["/bin/sh", "-c", bomb], options)).timedOut, true);
    assert.equal(await alive(box), 0);
  },

  // Most often such a chain was between two of its programs while the table was read.
  "a timeout ends a chain of programs that each leave a child and are gone": async ({ fresh }) => {
    await using box = await fresh();
    const options = { ...AGENT, env: CHAIN_ENV, timeoutMs: 300 };
    for (let chain = 0; chain < 3; chain++) {
      const { timedOut } = await box.exec(["/bin/sh", "-c", `${CHAIN}; sleep 307`], options);
      assert.equal(timedOut, true);
      assert.equal(await alive(box), 0);
    }
  },

  "a timeout leaves the other programs of the user alone": async ({ shared }) => {
    await using other = await shared.open(["sleep", "308"], AGENT);
    while ((await sleepers(shared)) === "") await sleep(20); // It has to be there before.
    const result = await shared.exec(["sleep", "309"], { ...AGENT, timeoutMs: 300 });
    assert.equal(result.timedOut, true);
    assert.match(await sleepers(shared), /^\s*sleep 308\s*$/);
    await other.kill();
    assert.equal(await sleepers(shared), "");
  },

  "an abort ends the program and rejects with the reason": async ({ shared }) => {
    const caller = new AbortController();
    const reason = new Error("enough");
    const running = shared.exec(["sleep", "310"], { ...AGENT, signal: caller.signal });
    await sleep(300);
    caller.abort(reason);
    await assert.rejects(running, (error) => error === reason);
    assert.equal(await sleepers(shared), "");
    const late = shared.exec(["true"], { ...AGENT, signal: caller.signal });
    await assert.rejects(late, (error) => error === reason);
  },

  "many programs at once keep their outputs to themselves": async ({ shared }) => {
    const run = async (n: number) => {
      const script = `i=0; while [ $i -lt 200 ]; do echo ${n}; i=$((i + 1)); done; exit ${n}`;
      const { exitCode, stdout } = await shared.exec(["/bin/sh", "-c", script], AGENT);
      assert.equal(exitCode, n);
      assert.equal(stdout.toString(), `${n}\n`.repeat(200));
    };
    await Promise.all(Array.from({ length: 10 }, (_, n) => run(n)));
  },
};

/** Commands of all `sleep 3..` that live in the box. */
async function sleepers(box: Box): Promise<string> {
  const each = `for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < "$p"; echo; done 2>/dev/null`;
  return await sh(box, `${each} | grep '^sleep 3' || true`);
}

/** A chain of programs: each leaves its successor in a session of its own and ends. */
const CHAIN = '/bin/sh -c "$STEP"';
const CHAIN_ENV = { STEP: `setsid ${CHAIN} & exit` };

/** How many programs of the user live, besides the shell that counts and what is put before it. */
async function alive(box: Box): Promise<number> {
  const count =
    'n=0; for p in /proc/[0-9]*; do [ -O "$p" ] && read -r _ _ state _ < "$p/stat" && ' +
    '[ "$state" != Z ] && n=$((n + 1)); done; echo $n';
  return Math.max(Number(await sh(box, count)) - 2, 0);
}
