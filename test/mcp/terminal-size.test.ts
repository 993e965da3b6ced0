import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ownSessions } from "./terminal-fixture.ts";

describe("the size of a terminal's session", () => {
  const own = ownSessions();
  const { run } = own;
  const output = async (command: string) => (await run(command)).structured.output;
  const resize = (columns: number, lines: number) =>
    own.terminal.call("resize_session", { session: own.session, columns, lines });
  const listed = async () => {
    const { structured } = await own.terminal.call("list_sessions");
    const mine = structured.sessions.find(
      (each: { session: string }) => each.session === own.session,
    );
    return [mine?.columns, mine?.lines];
  };

  it("is 80 by 24 at first, for the shell and for programs, which cut nothing to it", async () => {
    assert.equal(await output("echo $COLUMNS $LINES; env | grep -c '^COLUMNS='"), "80 24\n0\n");
    assert.equal(await output(PYTHON_SIZE), "80 24\n");
    assert.deepEqual(await listed(), [80, 24]);
    assert.ok((await longestLineOfPs()) > 150);
  });

  it("is what programs see once it was set", async () => {
    const { text, structured, isError } = await resize(120, 40);
    assert.equal(isError, false);
    assert.equal(text, `Session "${own.session}" is 120 columns by 40 lines.`);
    assert.deepEqual(structured, { session: own.session, columns: 120, lines: 40 });
    assert.deepEqual(await listed(), [120, 40]);
    assert.equal(await output(`echo $COLUMNS $LINES; ${PYTHON_SIZE}`), "120 40\n120 40\n");
    assert.equal(await longestLineOfPs(), 120);
    const widest = async () => Number(await output("ls -C /usr/bin | wc -L"));
    const at120 = await widest();
    await resize(40, 10);
    assert.ok((await widest()) <= 40 && at120 > 40 && at120 <= 120);
  });

  it("leaves $?, options, variables and the text of a command's answer alone", async () => {
    await run("v=kept; cd /tmp; (exit 5)");
    await resize(100, 30);
    assert.equal((await run("echo $? $v")).text, "5 kept\n[exit code 0, cwd /tmp]");
    await run("set -ux");
    await resize(100, 31);
    assert.equal((await run("echo $v")).text, "++ echo kept\nkept\n[exit code 0, cwd /tmp]");
    await run("set +x; readonly COLUMNS; set -e");
    assert.equal((await resize(90, 30)).isError, false);
    const { structured } = await run("echo $COLUMNS $LINES");
    assert.deepEqual([structured.output, structured.shellEnded], ["100 30\n", false]);
  });

  it("works where the shell's words are overridden", async () => {
    await run("declare() { :; }; alias builtin=false; unset PATH; IFS=.; trap 'x=1' DEBUG ERR");
    await resize(64, 20);
    assert.equal(await output("echo $COLUMNS $LINES"), "64 20\n");
  });

  it("leaves a command that runs as it is, and holds from the next on", async () => {
    const pending = run(
      "touch /tmp/begun; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo $COLUMNS",
    );
    const queued = run("echo $COLUMNS");
    const other = { session: "watcher" };
    await own.terminal.run("while [ ! -e /tmp/begun ]; do sleep 0.05; done", other);
    const { text } = await resize(132, 50);
    assert.match(text, /132 columns by 50 lines; the command that runs keeps the old size, the /);
    await own.terminal.run("touch /tmp/go", other);
    assert.equal((await pending).structured.output, "80\n");
    assert.equal((await queued).structured.output, "132\n");
  });

  it("holds for background jobs, and for the shell that follows one that ended", async () => {
    await resize(111, 33);
    const { structured } = await run(`${PYTHON_SIZE}; echo $COLUMNS`, { background: true });
    const read = await own.terminal.call("read_output", { job: structured.job, wait_ms: 60_000 });
    const rest = await own.terminal.call("read_output", { job: structured.job, wait_ms: 60_000 });
    assert.match(`${read.structured.output}${rest.structured.output}`, /^111 33\n111\n/);
    assert.equal((await run("exit 3")).structured.shellEnded, true);
    assert.equal(await output(`${PYTHON_SIZE}; echo $LINES`), "111 33\n33\n");
    await run("exit");
    await resize(50, 9);
    assert.equal(await output(PYTHON_SIZE), "50 9\n");
    await own.terminal.call("close_session", { session: own.session });
    assert.equal(await output(`${PYTHON_SIZE}; env | grep -c COLUMNS`), "80 24\n0\n");
  });

  it("is refused with a sentence for a session that is not open, and out of bounds", async () => {
    await own.terminal.call("close_session", { session: own.session });
    const closed = await resize(100, 30);
    assert.deepEqual([closed.isError, /no session "s\d+"/.test(closed.text)], [true, true]);
    await run("true");
    for (const [columns, lines] of [
      [0, 24],
      [19, 24],
      [1001, 24],
      [80, 4],
      [80, 1001],
      [80.5, 24],
    ]) {
      const { isError, text } = await resize(columns ?? 0, lines ?? 0);
      assert.equal(isError, true);
      assert.match(text, lines === 24 ? /columns/ : /lines/);
    }
    assert.deepEqual(await listed(), [80, 24]);
  });

  async function longestLineOfPs(): Promise<number> {
    const long = "x".repeat(200);
    return Number(await output(`(exec -a ${long} sleep 9) & ps aux | wc -L; kill $! 2>/dev/null`));
  }
});

const PYTHON_SIZE = "python3 -c 'import shutil; print(*shutil.get_terminal_size())'";
