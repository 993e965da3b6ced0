import assert from "node:assert/strict";
import { Fault } from "../../../runtime/base/fault.ts";
import { faultOf, MIB, sh } from "../../support/engine.ts";
import type { ContractBody } from "../engine.ts";

const AGENT = { user: "agent" };

/** What a box keeps from its users, and its users from each other. */
export const isolationContract: Readonly<Record<string, ContractBody>> = {
  "nothing outside the volumes and the temporary directories can be written": async ({
    shared,
  }) => {
    for (const user of ["agent", "server", "init"]) {
      const open =
        "(workspace|tmp|dev/(shm|null|zero|full|random|urandom|tty|ptmx|pts/.*)|home/[a-z]+|proc/[0-9]+.*)";
      const find = `find / -writable -not -type l 2>/dev/null | grep -vE '^/${open}$' || true`;
      const places = (await sh(shared, find, user)).split("\n").filter((place) => place !== "");
      for (const place of places) {
        // Permission bits may allow it; the read-only file system does not.
        // A masked file is /dev/null; the box's user names and its clock are init's to write.
        if (/^\/(var\/lib\/extrausers|run\/cloche)/.test(place) && user === "init") continue;
        const write = `cd '${place}' 2>/dev/null && : > x || { test -f '${place}' && : >> '${place}'; }`;
        const { exitCode } = await shared.exec(["/bin/sh", "-c", write], { user });
        assert.notEqual(exitCode, 0, `${user} can write ${place}`);
      }
    }
  },

  "there is no network but the box's own loopback": async ({ shared }) => {
    const devices = await sh(shared, "tail -n +3 /proc/net/dev | cut -d: -f1");
    assert.deepEqual(devices.trim().split(/\s+/), ["lo"]);
    assert.equal(await sh(shared, "tail -n +2 /proc/net/route"), "");
    assert.equal(await sh(shared, "grep -c nameserver /etc/resolv.conf || true"), "0\n");
  },

  "no program has a capability or a way to gain one": async ({ shared }) => {
    for (const user of ["agent", "init"]) {
      const status = await sh(
        shared,
        "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status",
        user,
      );
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
        assert.match(status, new RegExp(`${set}:\\s+0+\\n`));
      }
      assert.match(status, /NoNewPrivs:\s+1\n/);
      assert.match(status, /Seccomp:\s+2\n/);
    }
  },

  "no program leaves its namespaces or mounts anything": async ({ shared }) => {
    for (const script of [
      "unshare -r true",
      "unshare -n true",
      "nsenter -t 1 -m true",
      "mount -t tmpfs x /tmp",
      "chroot / true",
      "mknod /tmp/d b 7 0",
      "date -s '2000-01-01'",
    ]) {
      const { exitCode } = await shared.exec(["/bin/sh", "-c", script], AGENT);
      assert.notEqual(exitCode, 0, script);
    }
  },

  "host name and init are the same in every box": async ({ shared }) => {
    assert.equal(await sh(shared, "hostname"), "sandbox\n");
    const { uids } = shared.identity;
    assert.equal(await sh(shared, "stat -c %u /proc/1"), `${uids["init"]}\n`);
  },

  "users of a box cannot signal, read or speak through each other": async ({ shared }) => {
    const script = 'echo ready; while read -r line; do echo "$line"; done';
    const env = { TOKEN: "secret-of-server" };
    await using program = await shared.open(["/bin/sh", "-c", script], { user: "server", env });
    program.stderr.resume();
    const said: Buffer[] = [];
    program.stdout.on("data", (chunk: Buffer) => said.push(chunk));
    const uid = shared.identity.uids["server"];
    const others = `stat -c '%u %n' /proc/[0-9]* 2>/dev/null | sed -n 's|^${uid} /proc/||p'`;
    const pids = (await sh(shared, others)).trim().split("\n");
    assert(pids.length > 0 && pids[0] !== "");
    for (const pid of pids) {
      for (const attempt of [
        `kill -0 ${pid}`,
        `kill -9 ${pid}`,
        `cat /proc/${pid}/environ`,
        `echo forged > /proc/${pid}/fd/0`,
        `echo forged > /proc/${pid}/fd/1`,
        `head -c 1 /proc/${pid}/mem`,
        `ls /proc/${pid}/root/`,
        `ls /proc/${pid}/fd/`,
        `ls /proc/${pid}/cwd/`,
      ]) {
        const tried = await shared.exec(["/bin/sh", "-c", attempt], AGENT);
        assert.notEqual(tried.exitCode, 0, attempt);
        assert.doesNotMatch(tried.stdout.toString(), /secret/);
      }
    }
    program.stdin.end("alive\n");
    assert.deepEqual(await program.ended, { exitCode: 0 });
    assert.equal(Buffer.concat(said).toString(), "ready\nalive\n");
  },

  "users cannot signal the box's init": async ({ shared }) => {
    for (const signal of ["0", "9", "15", "19"]) {
      const { exitCode } = await shared.exec(["/bin/sh", "-c", `kill -${signal} 1`], AGENT);
      assert.notEqual(exitCode, 0);
    }
    await shared.exec(["/bin/sh", "-c", "kill -9 -1"], AGENT);
    assert.equal((await shared.state()).running, true);
  },

  "a user's home is writable by nobody else": async ({ shared }) => {
    const { exitCode } = await shared.exec(["/bin/sh", "-c", ": > /home/server/x"], AGENT);
    assert.notEqual(exitCode, 0);
  },

  "two sandboxes share no file, no process, no user and no socket": async ({ shared, fresh }) => {
    await using other = await fresh();
    await sh(shared, "echo x > /workspace/of-one; echo x > /tmp/of-one; echo x > /dev/shm/of-one");
    const seen = await sh(other, "find /workspace /tmp /dev/shm -name 'of-*'");
    assert.equal(seen, "");
    await using sleeper = await shared.open(["sleep", "777"], AGENT);
    const list = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '";
    assert.match(await sh(shared, list), /sleep 777/);
    assert.doesNotMatch(await sh(other, list), /sleep 777/);
    const ids = [...Object.values(shared.identity.uids), ...Object.values(other.identity.uids)];
    assert.equal(new Set(ids).size, ids.length);
    assert.notEqual(shared.identity.gid, other.identity.gid);
    const network =
      "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; readlink /proc/self/ns/pid";
    assert.notEqual(await sh(shared, network), await sh(other, network));
    await sleeper.kill();
    await sh(shared, "rm -f /workspace/of-one /tmp/of-one /dev/shm/of-one");
  },

  "a keeper sees nothing of the main box, and its users nothing of the workspace": async ({
    shared,
  }) => {
    const { keeper } = shared;
    assert(keeper);
    await sh(shared, "echo hidden > /workspace/hidden; chmod 777 /workspace; echo x > /tmp/mine");
    for (const user of ["grader", "init"]) {
      const search = "find / -name hidden -o -name mine 2>/dev/null | grep -v ^/proc || true";
      assert.equal(await sh(keeper, search, user), "");
      const script = "cat /run/keeper/workspace/hidden || ls /run/keeper || cd /run/keeper";
      const direct = await keeper.exec(["/bin/sh", "-c", script], { user });
      assert.notEqual(direct.exitCode, 0);
    }
    await faultOf(keeper.getArchive("/run/keeper/workspace"), "engine/path-missing");
    await faultOf(keeper.getArchive("/run/../run/keeper"), "engine/path-missing");
    await faultOf(keeper.exec(["id"], AGENT), "engine/exec-refused");
    await sh(shared, "chmod 2770 /workspace; rm /workspace/hidden /tmp/mine");
  },

  "a box has no more processes than its limit, and answers all the same": async ({
    fresh,
    spec,
  }) => {
    await using box = await fresh({ limits: { ...spec().limits, processes: 40 } });
    const script = "n=0; while [ $n -lt 80 ]; do sleep 20 & n=$((n + 1)); done; wait";
    const many = await box.exec(["/bin/sh", "-c", script], { ...AGENT, timeoutMs: 10_000 });
    assert.equal(many.timedOut, false);
    assert.match(many.stderr.toString(), /fork|Resource/);
    // A full box may have no room for what starts a program either; that is said, and can be asked again.
    for (let asked = 1; ; asked++) {
      const refusal = await box.exec(["/bin/sh", "-c", "kill -9 -1"], AGENT).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal === undefined) break;
      assert(refusal instanceof Fault && refusal.code === "engine/exec-refused" && asked < 6);
    }
    assert.equal(await sh(box, "echo alive"), "alive\n");
  },

  "a program beyond the memory is killed, and the box says so": async ({ fresh, spec }) => {
    await using box = await fresh({ limits: { ...spec().limits, memoryBytes: 48 * MIB } });
    const script = "head -c 200000000 /dev/zero | tail > /dev/null; exit $?";
    const { exitCode } = await box.exec(["/bin/sh", "-c", script], AGENT);
    assert.equal(exitCode, 137);
    const state = await box.stop();
    assert.equal(state.outOfMemory, true);
  },

  "temporary directories hold no more than their limit": async ({ shared, spec }) => {
    const fill = (path: string) =>
      `(head -c 90000000 /dev/zero > ${path}/f) 2>/dev/null; stat -c %s ${path}/f; rm -f ${path}/f`;
    const sizes = [];
    for (const path of ["/tmp", "/dev/shm", "/home/agent"]) {
      sizes.push(Number(await sh(shared, fill(path))));
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert(sizes.every((size) => size > 0));
    assert(total <= spec().limits.tmpBytes);
  },

  "a program opens no more files than its limit": async ({ shared, spec }) => {
    const limit = await sh(shared, "ulimit -n; ulimit -Hn; ulimit -c");
    const { openFiles } = spec().limits;
    assert.equal(limit, `${openFiles}\n${openFiles}\n0\n`);
  },
};
