import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ownSessions } from "./terminal-fixture.ts";

describe("the terminal", () => {
  const own = ownSessions();
  const { run } = own;

  it("answers a non-zero exit with its code and not as an error", async () => {
    const { text, isError, structured } = await run(
      "echo out; echo err >&2; exit_code() { return 7; }; exit_code",
    );
    assert.equal(isError, false);
    assert.equal(text, `out\nerr\n[exit code 7, cwd /workspace/${own.session}]`);
    assert.deepEqual(structured, {
      session: own.session,
      exitCode: 7,
      cwd: `/workspace/${own.session}`,
      output: "out\nerr\n",
      truncated: null,
      timedOut: false,
      interrupted: false,
      shellEnded: false,
    });
  });

  it("refuses a command with a NUL, and arguments out of bounds, with a sentence", async () => {
    const nul = await run("echo a\0b");
    assert.equal(nul.isError, true);
    assert.match(nul.text, /must not hold a NUL/);
    const late = await run("true", { timeout_ms: 900_000 });
    assert.equal(late.isError, true);
    assert.match(late.text, /timeout_ms/);
    assert.equal((await run("true", { session: "../x" })).isError, true);
  });

  for (const broken of [
    'echo "a',
    "if [[ a",
    "for do }",
    "x=(1 2",
    "echo $(",
    "cat <<X\nabc",
    "{ (",
  ]) {
    it(`goes on after the broken command ${JSON.stringify(broken)}`, async () => {
      const { structured } = await run(broken);
      assert.equal(structured.shellEnded, false);
      const next = await run("if [[ a == a ]]; then { echo fine; }; fi");
      assert.equal(next.text, `fine\n[exit code 0, cwd /workspace/${own.session}]`);
    });
  }

  it("keeps directory, variables, functions, aliases, options and $?", async () => {
    await run("mkdir sub; cd sub; export A=1; b=2; f() { echo f$1; }; alias hi='echo hello'");
    await run("(exit 5)");
    const { structured } = await run("echo $?; echo $A$b; f 3; hi; set -o pipefail; false | true");
    assert.equal(structured.output, "5\n12\nf3\nhello\n");
    assert.equal(structured.exitCode, 1);
    assert.equal(structured.cwd, `/workspace/${own.session}/sub`);
  });

  it("counts the lines of a command from 1 in bash's messages", async () => {
    await run("true\ntrue");
    const { structured } = await run("true\nnot-there");
    assert.equal(structured.output, "bash: line 2: not-there: command not found\n");
  });

  it("is a short line in a list of processes, and so is a background job", async () => {
    await run("tail -f /dev/null", { background: true });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell fills it in
    const { structured } = await run("ps -ww -o args= -u $UID; echo $0 $BASH ${#BASH_SOURCE[@]}");
    const lines = structured.output.trimEnd().split("\n");
    assert.equal(lines.pop(), "bash /bin/bash 0");
    const ours = lines.filter((line: string) => line.includes("bash"));
    assert.ok(ours.length >= 3, structured.output);
    for (const line of ours)
      assert.match(line, /^(.*docker-init -s -- )?\/bin\/bash --noprofile --norc -s$/);
  });

  it("runs commands as the agent, with an empty standard input and no terminal", async () => {
    const { structured } = await run("id -un; umask; cat; echo $TERM $PAGER $GIT_PAGER; tty");
    assert.equal(structured.output, "agent\n0002\ndumb cat cat\nnot a tty\n");
  });

  it("says that `exit` ended the shell, and starts a fresh one in the same directory", async () => {
    await run("mkdir d; cd d; v=1");
    const { structured, text, isError } = await run("exit 3");
    assert.deepEqual([structured.exitCode, structured.shellEnded, isError], [3, true, false]);
    assert.match(text, /exit code 3; this ended the shell: the next command starts a fresh one/);
    const next = await run("pwd; echo [$v]");
    assert.equal(next.structured.output, `/workspace/${own.session}/d\n[]\n`);
  });

  it("survives exec, kill -9 of the shell and an EXIT trap", async () => {
    assert.equal((await run("exec true")).structured.exitCode, 0);
    assert.equal((await run("kill -9 $$")).structured.exitCode, 137);
    assert.equal((await run("trap 'echo bye' EXIT; sleep 100 & exit 4")).structured.exitCode, 4);
    assert.equal((await run("kill -9 $PPID $$; sleep 5")).structured.shellEnded, true);
    assert.equal((await run("echo there")).structured.output, "there\n");
  });

  it("survives overridden builtins, a lost PATH, break, odd IFS and traps", async () => {
    await run(
      "printf() { :; }; read() { :; }; eval() { :; }; alias builtin=false; alias read=false",
    );
    assert.equal((await run("echo a")).structured.output, "a\n");
    await run("unset PATH; IFS=.; PROMPT_COMMAND='echo prompt'; trap 'x=1' DEBUG ERR INT TERM");
    assert.equal((await run("break; echo no")).structured.shellEnded, false);
    assert.equal((await run("continue; echo no")).structured.output, "");
    assert.equal((await run("echo b")).structured.output, "b\n");
  });

  it("follows the shell into strange directories and says when one is gone", async () => {
    const { structured } = await run("mkdir $'a\\nb;c'; cd $'a\\nb;c'");
    assert.equal(structured.cwd, `/workspace/${own.session}/a\nb;c`);
    const { text } = await run('rmdir "$PWD"');
    assert.match(text, /cwd "\/workspace\/s\d+\/a\\nb;c" \(no longer there\)\]$/);
    await run("exit");
    assert.equal((await run("true")).structured.cwd, "/workspace");
  });

  it("takes a command of 200,000 characters", async () => {
    const { structured } = await run(`x='${"é".repeat(200_000)}'; echo \${#x}`);
    assert.equal(structured.output, "200000\n");
  });

  it("kills a command at its timeout, skips its rest and keeps the session", async () => {
    await run("v=kept; cd /tmp");
    const commands = [
      "sleep 100; touch /workspace/rest",
      "while sleep 0.1; do :; done; touch /workspace/rest",
      "f() { for i in 1 2; do sleep 100; touch /workspace/rest; done; }; f; touch /workspace/rest",
      "x=$(sleep 100); touch /workspace/rest",
      "sleep 100 | (setsid sleep 100; touch /workspace/rest); touch /workspace/rest",
      "while :; do :; done; touch /workspace/rest",
      "trap '' TERM INT; sleep 100 & wait; touch /workspace/rest",
    ];
    for (const command of commands) {
      const { structured, text, isError } = await run(command, { timeout_ms: 300 });
      assert.deepEqual(
        [isError, structured.timedOut, structured.exitCode],
        [false, true, null],
        command,
      );
      assert.equal(structured.shellEnded, false, command);
      assert.match(
        text,
        /^\[timed out after 300 ms and was killed; the session goes on, cwd \/tmp/,
      );
    }
    const after = await run("echo $v; ls /workspace/rest; ps -o args= -u $UID | grep -c '^sleep'");
    assert.match(after.structured.output, /^kept\nls: cannot access .*\n0\n$/);
  });

  it("starts a fresh shell in the last directory if it had to kill the old one", async () => {
    await run("v=1; mkdir d; cd d; mkfifo pipe");
    const { structured, text } = await run("read x <pipe", { timeout_ms: 300 });
    assert.deepEqual([structured.timedOut, structured.shellEnded], [true, true]);
    assert.match(
      text,
      /the shell with it: .* variables, functions and background processes are lost/,
    );
    assert.equal(
      (await run("pwd; echo [$v]")).structured.output,
      `/workspace/${own.session}/d\n[]\n`,
    );
  });

  it("spares earlier background processes when a later command is killed", async () => {
    await run("sleep 100 & echo $! >pid");
    await run("sleep 200", { timeout_ms: 300 });
    assert.equal(
      (await run("kill -0 $(cat pid) && echo alive; kill %1")).structured.output,
      "alive\n",
    );
  });

  it("shows late output of background processes apart, in the next answer", async () => {
    await run("mkfifo go; (read x <go; echo late; echo done >go) & ");
    await own.terminal.run(`cd /workspace/${own.session}; echo x >go; read y <go`, {
      session: "other",
    });
    const { text, structured } = await run("echo now");
    assert.equal(structured.lateOutput, "late\n");
    assert.equal(structured.output, "now\n");
    assert.match(
      text,
      /^\[written by background processes since the last command\]\nlate\n\[this command\]\nnow\n/,
    );
  });

  it("keeps head and tail of 100 MB, says what is left out, and does not hoard", async () => {
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const { structured, text } = await run(
      "echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo last",
    );
    assert.equal(structured.truncated.droppedBytes, 100_000_012 - 32 * 1024);
    assert.match(text, /^first\nx+\n… 99,967,244 bytes left out …\nx+\nlast\n\[exit code 0/);
    assert.ok(text.length < 34_000);
    collectGarbage();
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 2 ** 20);
  });

  it("shows binary output as readable text", async () => {
    const { structured } = await run(
      "printf 'a\\0b\\xff\\e[31mred\\e[0m\\e]0;title\\a\\r\\nx\\ry\\n'",
    );
    assert.equal(structured.output, "ab\ufffdred\nx\ny\n");
    const { isError } = await run("head -c 100000 /dev/urandom");
    assert.equal(isError, false);
  });

  it("is not fooled by a command that prints what looks like its own marks", async () => {
    const { structured } = await run(
      "printf '\\036x;D;1;0;;1;/\\0'; printf '\\036'; tr '\\0' ' ' </proc/$$/cmdline | wc -l",
    );
    assert.match(structured.output, /^x;D;1;0;;1;\/\d+\n$/);
    assert.equal(structured.exitCode, 0);
  });

  it("gives the same text for the same commands", async () => {
    const commands = [
      "ls -la --time-style=+ /workspace >/dev/null; nope",
      "sleep 9 & sleep 9 & true",
      "exit 2",
      "echo $(( 1/0 ))",
      "x",
    ];
    const texts: string[][] = [];
    for (const name of ["same1", "same2"]) {
      const all: string[] = [];
      for (const command of commands) all.push((await run(command, { session: name })).text);
      texts.push(all);
      await own.terminal.call("close_session", { session: name });
    }
    assert.deepEqual(texts[0], texts[1]);
  });

  it("hints at what to use instead of programs that need a screen", async () => {
    assert.match((await run("vim notes.txt")).text, /\n\[hint: vim needs a terminal/);
    const top = await run("true && top");
    assert.match(top.text, /failed tty get[\s\S]*\n\[hint: top needs a terminal/);
    assert.match((await run("watch -n 1 true", { timeout_ms: 1_000 })).text, /hint: watch needs/);
    assert.match((await run("seq 3 > /tmp/three.txt; less /tmp/three.txt")).text, /^1\n2\n3\n/);
    assert.doesNotMatch((await run("python3 -c 1")).text, /hint/);
  });
});

/** What is still counted afterwards is held by somebody. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
