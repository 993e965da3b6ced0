import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import type { Sandbox } from "../../../runtime/engine/engine.ts";
import { faultOf, sh } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

const WRITES = ["/workspace", "/tmp"];
/** Below these it may write, below the others not, though its user may. */
const TOUCH =
  "for d in /workspace /tmp /home/server /dev/shm; do ( : > $d/x ) 2>/dev/null && echo $d; done; " +
  "mkdir /workspace/a /tmp/b && echo y > /workspace/a/y && mv /workspace/a/y /workspace/x && cat /workspace/x; " +
  "mv /workspace/x /home/server/x 2>/dev/null || echo kept in; " +
  "( : >> /home/server/mine ) 2>/dev/null || echo unchanged; rm /home/server/mine 2>/dev/null || echo there";

/** What a profile that confines does to programs that say what they write. */
export const confinedContract: Readonly<Record<string, ContractBody>> = {
  "a program that names its folders writes below them alone, and so do its children": async ({
    fresh,
  }) => {
    await using box = await fresh();
    await sh(box, "echo mine > /home/server/mine", "server");
    assert.equal(
      await said(box, ["/bin/sh", "-c", `(${TOUCH})`], WRITES),
      "/workspace\n/tmp\ny\nkept in\nunchanged\nthere\n",
    );
    assert.equal(
      await said(box, ["/bin/sh", "-c", "( : > /tmp/z ) 2>&1; cd /tmp; ls -d ?"], []),
      REFUSED,
    );
    assert.match(
      await sh(box, TOUCH, "server"),
      /^\/workspace\n\/tmp\n\/home\/server\n\/dev\/shm\n/,
    );
  },

  "it reaches no program of its own user by signals or abstract sockets": async ({ fresh }) => {
    await using box = await fresh();
    const victim = `import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind("\\0victim")
s.listen()
print(os.getpid(), flush=True)
s.accept()[0].recv(1)`;
    await using other = await box.open(["/usr/bin/python3", "-c", victim], { user: "server" });
    other.stderr.resume();
    const [line] = (await other.stdout.iterator({ destroyOnReturn: false }).next()).value
      .toString()
      .split("\n");
    const reach = `import os, socket, sys
for name, attempt in (
    ("signal", lambda: os.kill(int(sys.argv[1]), 0)),
    ("socket", lambda: socket.socket(socket.AF_UNIX).connect("\\0victim")),
    ("own child", lambda: os.kill(os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "9"), 9)),
):
    try:
        attempt()
        print(name)
    except OSError as error:
        print(name, error.strerror)`;
    const argv = ["/usr/bin/python3", "-c", reach, line];
    const closed = "Operation not permitted";
    const expected = `signal ${closed}\nsocket ${closed}\nown child\n`;
    assert.equal(await said(box, argv, WRITES), expected);
    const free = await box.exec(argv, { user: "server" });
    assert.equal(free.stdout.toString(), "signal\nsocket\nown child\n");
  },

  "a folder that is not there or has an odd name is an error and not forgotten": async ({
    shared,
  }) => {
    for (const folder of ["relative", "/a b", "/x;id", "/"]) {
      const opening = shared.open(["/bin/true"], { user: "server", writes: [folder] });
      await faultOf(opening, "engine/exec-refused");
    }
    const missing = { user: "server", writes: ["/no/such"] };
    await using program = await shared.open(["/bin/echo", "ran"], missing);
    program.stdin.end();
    const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)]);
    assert.equal(stdout, "");
    assert.match(stderr, /^confine: \/no\/such: No such file or directory/);
    assert.deepEqual(await program.ended, { exitCode: 126 });
  },
};

const REFUSED = "/bin/sh: 1: cannot create /tmp/z: Permission denied\nb\nx\n";

async function said(
  box: Sandbox,
  argv: readonly string[],
  writes: readonly string[],
): Promise<string> {
  await using program = await box.open(argv, { user: "server", writes });
  program.stdin.end();
  program.stderr.resume();
  return await text(program.stdout);
}
