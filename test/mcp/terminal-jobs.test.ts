import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { openTestEngine, sh } from "../support/engine.ts";
import { openSandbox, TerminalClient } from "./terminal-fixture.ts";

describe("the terminal's jobs and sessions", () => {
  let engine: Engine;
  let sandbox: Sandbox;
  let terminal: TerminalClient;

  before(async () => {
    engine = await openTestEngine();
    sandbox = await openSandbox(engine);
    terminal = await TerminalClient.open(sandbox);
  });
  after(async () => {
    await terminal?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  const start = async (command: string, more: Record<string, unknown> = {}): Promise<string> => {
    const { structured, text } = await terminal.run(command, { background: true, ...more });
    assert.equal(typeof structured?.job, "string", text);
    return structured.job;
  };
  /** Reads a job until it has ended. */
  const readAll = async (job: string) => {
    let output = "";
    for (;;) {
      const { structured } = await terminal.call("read_output", { job, wait_ms: 10_000 });
      output += structured.output;
      if (structured.state === "exited") return { output, exitCode: structured.exitCode };
    }
  };

  it("lists its tools with schemas of arguments and results, always in one order", async () => {
    const first = await terminal.request("tools/list", {});
    assert.deepEqual((await terminal.request("tools/list", {})).result, first.result);
    // biome-ignore lint/suspicious/noExplicitAny: looked into member by member.
    const { tools } = first.result as any;
    assert.deepEqual(
      tools.map(({ name }: { name: string }) => name),
      [
        "run_command",
        "read_output",
        "send_input",
        "stop_job",
        "interrupt",
        "list_sessions",
        "close_session",
        "resize_session",
      ],
    );
    for (const { name, inputSchema, outputSchema, annotations, description } of tools) {
      assert.equal(inputSchema.type, "object", name);
      assert.equal(outputSchema.type, "object", name);
      assert.equal(typeof annotations.readOnlyHint, "boolean", name);
      assert.ok(description.length > 30, name);
    }
  });

  it("says in each session's first answer that it begins anew, where another process served before", async () => {
    await using resumed = await TerminalClient.open(sandbox, {}, true);
    const anew = (name: string) => `[the runtime was restarted: .*session "${name}" began anew`;
    const first = await resumed.run("pwd");
    assert.match(first.text, new RegExp(`^\\${anew("main")} in /workspace.*\\n/workspace\\n`));
    assert.equal(first.structured.output, "/workspace\n");
    assert.doesNotMatch((await resumed.run("pwd")).text, /restarted/);
    const job = await resumed.run("true", { background: true, session: "other" });
    assert.match(job.text, new RegExp(`^\\${anew("other")}`));
    const { text, isError } = await resumed.call("read_output", { job: "job-7" });
    assert.ok(isError);
    assert.match(text, /no job "job-7".*since the runtime was restarted/);
    assert.doesNotMatch((await terminal.run("pwd")).text, /restarted/);
  });

  it("says which jobs and sessions there are when one is not", async () => {
    await terminal.run("true");
    const job = await terminal.call("read_output", { job: "job-99" });
    assert.equal(job.isError, true);
    assert.match(job.text, /^There is no job "job-99"; /);
    const session = await terminal.call("interrupt", { session: "mian" });
    assert.equal(session.isError, true);
    assert.equal(session.text, 'There is no session "mian"; did you mean "main"?');
  });

  it("starts a job with the session's directory and exported variables", async () => {
    await terminal.run("mkdir -p 'a b'; cd 'a b'; export V=$'x\\ny'; hidden=1; declare -x -i N=3", {
      session: "parent",
    });
    const job = await start('pwd; echo "[$V][$hidden][$N]"; echo err >&2; exit 4', {
      session: "parent",
    });
    assert.deepEqual(await readAll(job), {
      output: "/workspace/a b\n[x\ny][][3]\nerr\n",
      exitCode: 4,
    });
  });

  it("feeds a job's standard input, and refuses when it has ended", async () => {
    const job = await start("while read line; do echo got $line; done; echo end");
    await terminal.call("send_input", { job, text: "one\ntwo\n" });
    await terminal.call("send_input", { job, text: "", end: true });
    assert.deepEqual(await readAll(job), { output: "got one\ngot two\nend\n", exitCode: 0 });
    const late = await terminal.call("send_input", { job, text: "x" });
    assert.equal(late.isError, true);
    assert.match(late.text, /takes no input/);
  });

  it("reads what is new, or from a given byte, and says what a flood has lost", async () => {
    const job = await start("echo abc; read x; head -c 100000 /dev/zero | tr '\\0' y; echo z");
    const first = await terminal.call("read_output", { job, wait_ms: 10_000 });
    assert.equal(first.text, `abc\n[${job} is running, next since 4]`);
    const again = await terminal.call("read_output", { job, since: 0 });
    assert.equal(again.structured.output, "abc\n");
    assert.equal(
      (await terminal.call("read_output", { job })).text.split("\n")[0],
      "(nothing new)",
    );
    await terminal.call("send_input", { job, text: "\n" });
    await terminal.run(
      `while [ "$(ps -o args= -u $UID | grep -c '^head')" != 0 ]; do sleep 0.05; done`,
    );
    const { exitCode } = await readAll(job);
    assert.equal(exitCode, 0);
    const whole = await terminal.call("read_output", { job, since: 0 });
    assert.deepEqual(whole.structured.truncated, { droppedBytes: 100_006 - 32 * 1024 });
    assert.match(whole.text, /^… 67,238 bytes left out …\ny+z\n\[job-\d+ ended with exit code 0/);
  });

  it("stops a job and all its processes, gently first", async () => {
    const polite = await start("trap 'echo bye; exit 9' TERM; while :; do sleep 0.1; done");
    await terminal.call("read_output", { job: polite, wait_ms: 300 });
    const stopped = await terminal.call("stop_job", { job: polite });
    assert.equal(stopped.text, `${polite} was stopped: ended with exit code 9.`);
    const stubborn = await start("trap '' TERM; (setsid sleep 1234 &); sleep 1234; sleep 1234");
    await terminal.run("until pgrep -fx 'sleep 1234' >/dev/null; do sleep 0.05; done");
    await terminal.call("stop_job", { job: stubborn });
    const { structured } = await terminal.run("ps -o args= -u $UID | grep -c '^sleep 1234'");
    assert.equal(structured.output, "0\n");
    assert.equal((await terminal.call("stop_job", { job: stubborn })).isError, false);
  });

  it("runs commands of one session in order and sessions in parallel", async () => {
    const open = ["p1", "p2"].map((session) => terminal.run("true", { session }));
    await Promise.all(open);
    await terminal.run("mkfifo -m 600 /tmp/there /tmp/back");
    // Each waits for the other: this ends only if they run at the same time.
    const [one, two] = await Promise.all([
      terminal.run("echo a >/tmp/there; read x </tmp/back; echo $x", { session: "p1" }),
      terminal.run("read x </tmp/there; echo b >/tmp/back; echo $x", { session: "p2" }),
    ]);
    assert.deepEqual([one.structured.output, two.structured.output], ["b\n", "a\n"]);
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const replies = await Promise.all(
      numbers.map((each) => terminal.run(`n=$((n + 1)); echo ${each} $n`, { session: "p1" })),
    );
    assert.deepEqual(
      replies.map(({ structured }) => structured.output),
      numbers.map((each) => `${each} ${each + 1}\n`),
    );
  });

  it("interrupts a command as Ctrl-C does, rest and loops included", async () => {
    for (const command of [
      "touch /tmp/at; sleep 100; touch /workspace/rest",
      "touch /tmp/at; while sleep 0.1; do :; done; touch /workspace/rest",
      "touch /tmp/at; bash -c 'sleep 100'; touch /workspace/rest",
    ]) {
      const pending = terminal.run(command, { session: "i" });
      await terminal.run(
        "until [ -e /tmp/at ] && pgrep -fx 'sleep (100|0.1)'; do sleep 0.05; done; rm /tmp/at",
      );
      const { structured } = await terminal.call("interrupt", { session: "i" });
      assert.deepEqual(structured, { session: "i", interrupted: true });
      const { text } = await pending;
      assert.equal(text, "[interrupted, exit code 130, cwd /workspace]");
    }
    assert.equal((await terminal.run("ls /workspace/rest")).structured.exitCode, 2);
    const idle = await terminal.call("interrupt", { session: "i" });
    assert.equal(idle.structured.interrupted, false);
  });

  it("ends a cancelled command and never answers it, and the session goes on", async () => {
    await terminal.run("kept=1", { session: "c" });
    let answered = false;
    const pending = terminal.run("touch /tmp/c; sleep 4321", { session: "c" });
    const requestId = terminal.lastId;
    void pending.then(() => {
      answered = true;
    });
    await terminal.run("until [ -e /tmp/c ]; do sleep 0.05; done");
    terminal.link.send({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId, reason: "test" },
    });
    const next = await terminal.run("echo $kept; pgrep -fx 'sleep 4321' | wc -l", { session: "c" });
    assert.equal(next.structured.output, "1\n0\n");
    assert.equal(answered, false);
  });

  it("lists and closes sessions, what runs in them included", async () => {
    const pending = terminal.run("echo x; sleep 2345", { session: "closing" });
    await terminal.run("until pgrep -fx 'sleep 2345' >/dev/null; do sleep 0.05; done");
    const { structured, text } = await terminal.call("list_sessions");
    const busy = structured.sessions.find(
      (each: { session: string }) => each.session === "closing",
    );
    const size = { columns: 80, lines: 24 };
    assert.deepEqual(busy, { session: "closing", cwd: "/workspace", busy: true, ...size });
    assert.match(
      text,
      /^Sessions:\n(.|\n)*\n {2}closing: busy, 80x24, cwd \/workspace\n(.|\n)*Jobs:\n/,
    );
    await terminal.call("close_session", { session: "closing" });
    assert.equal((await pending).structured.shellEnded, true);
    assert.equal((await terminal.run("pgrep -fx 'sleep 2345' | wc -l")).structured.output, "0\n");
    assert.equal((await terminal.call("close_session", { session: "closing" })).isError, true);
  });

  it("closes the link if the sandbox is gone before the first command", async () => {
    await using doomed = await openSandbox(engine);
    await using other = await TerminalClient.open(doomed);
    await doomed.stop();
    void other.run("true");
    assert.match((await other.link.closed).reason, /is gone|not running/);
  });

  it("survives a fork bomb", async () => {
    const { structured } = await terminal.run("b() { b | b & }; b; sleep 1000", {
      session: "bomb",
      timeout_ms: 1_000,
    });
    assert.equal(structured.timedOut, true);
    await terminal.call("close_session", { session: "bomb" });
    const { text } = await terminal.run("echo there", { session: "after" });
    assert.equal(text, "there\n[exit code 0, cwd /workspace]");
  });

  it("leaves nothing running when it is closed", async () => {
    await using other = await TerminalClient.open(sandbox);
    await other.run("sleep 3456 & true");
    await other.run("sleep 3456", { background: true });
    await other[Symbol.asyncDispose]();
    assert.equal((await other.link.closed).reason, "it was stopped");
    assert.equal(await sh(sandbox, "pgrep -fx 'sleep 3456' | wc -l"), "0\n");
  });

  it("closes the link with the reason when the sandbox is gone, and answers nothing", async () => {
    await using doomed = await openSandbox(engine);
    await using other = await TerminalClient.open(doomed);
    let answered = false;
    void other.run("echo x; sleep 100").then(() => {
      answered = true;
    });
    await sh(doomed, "until pgrep -fx 'sleep 100' >/dev/null; do :; done");
    await doomed.stop();
    const { reason } = await other.link.closed;
    assert.match(reason, /not running/);
    assert.equal(answered, false);
    // Nobody is there to answer; the caller learns it from the link.
    other.link.send({ jsonrpc: "2.0", id: 99, method: "tools/list", params: {} });
  });
});
