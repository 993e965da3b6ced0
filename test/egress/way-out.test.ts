import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Sandbox } from "../../runtime/engine/engine.ts";
import type { Egress } from "../../runtime/rollout/egress/egress.ts";
import { EGRESS_PORT } from "../../runtime/rollout/egress/egress-servers.ts";
import { isRunsc } from "../support/oci-runtime.ts";
import { addNames, docker } from "./outside.ts";
import { python, Scene } from "./scene.ts";

/** Of /proc/<pid>. gVisor of 2022 shows the others to everybody; there is nothing in them. */
const HIDDEN = ["mem", "fd/0", "fd/1", "syscall", ...(isRunsc ? [] : ["environ", "maps"])];

/** Names are given to the outlet in a file of the engine's. */
const NAMED = { skip: process.getuid?.() === 0 ? false : "only root may write to Docker's files" };

describe("the way out of a sandbox", () => {
  let scene: Scene;
  let sandbox: Sandbox;
  let egress: Egress;

  before(async () => {
    scene = await Scene.open();
    sandbox = await scene.sandbox();
    egress = await scene.way(sandbox);
  });
  after(async () => {
    await egress?.[Symbol.asyncDispose]();
    await sandbox?.[Symbol.asyncDispose]();
    await scene?.[Symbol.asyncDispose]();
  });

  it("has no other: without the proxy there is no route and no name, and a proxy elsewhere none", async () => {
    const said = await python(
      sandbox,
      `
import errno
def tried(to):
    try: socket.create_connection(to, 5); return "reached"
    except OSError as e: return errno.errorcode.get(e.errno, type(e).__name__)
print(tried(("${scene.outside.address}", 80)), tried(("${scene.outside.gateway}", ${scene.port})), tried(("172.17.0.1", ${scene.port})))
print(tried(("api.example.test", 80)))
`,
    );
    assert.match(said, /^(E(NET|HOST)UNREACH ){2}E(NET|HOST)UNREACH\n(gaierror|EAI)/);
    assert.doesNotMatch(said, /reached/);
  });

  it(
    "refuses this machine, metadata, what is not listed, and any address, by whatever name",
    NAMED,
    async () => {
      const port = scene.port;
      addNames(sandbox.id, {
        "gateway.example.test": scene.outside.gateway,
        "bridge.example.test": "172.17.0.1",
        "metadata.example.test": "169.254.169.254",
        "loop.example.test": "127.0.0.1",
        "six.example.test": "::ffff:127.0.0.1",
        "unlisted.example.test": scene.outside.address,
      });
      const refusals: readonly (readonly [string, RegExp])[] = [
        [`gateway.example.test:${port}`, /of this machine, or denied/],
        [`bridge.example.test:${port}`, /of this machine, or denied|private/],
        ["metadata.example.test:80", /private, local or set aside/],
        [`loop.example.test:${port}`, /of this machine|private/],
        [`six.example.test:${port}`, /holds an IPv4 address|of this machine|private/],
        ["other.example.test:80", /not on the task's list/],
        ["unlisted.example.test:80", /not on the task's list/],
        ["api.example.test:22", /not on the task's list/],
        ["absent.example.test:80", /not on the task's list/],
        [`${scene.outside.gateway}:${port}`, /no host name/],
        [`172.17.0.1:${port}`, /no host name/],
        ["169.254.169.254:80", /no host name/],
        [`${scene.outside.address}:80`, /no host name/],
        ["2852039166:80", /no host name/],
      ];
      for (const [to, why] of refusals) {
        const said = await python(
          sandbox,
          `
print(ask(b"CONNECT ${to} HTTP/1.1\\r\\n\\r\\n").decode())
print(ask(b"GET http://${to}/ HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n").decode())
`,
        );
        assert.equal(said.match(/^HTTP\/1\.1 403 /gm)?.length, 2, `${to}: ${said}`);
        assert.match(said, why, to);
      }
      assert.deepEqual(scene.reached, [], "the host was reached");
      const lines = await scene.lines(2 * refusals.length);
      assert.ok(lines.every(({ outcome, address }) => outcome === "refused" && address === null));
    },
  );

  it("reaches a host of the list, over HTTP and through a tunnel, and each is on record", async () => {
    const before = (await scene.lines(0)).length;
    const said = await python(
      sandbox,
      `
import urllib.request
proxies = urllib.request.ProxyHandler({"http": "http://127.0.0.1:${EGRESS_PORT}"})
opener = urllib.request.build_opener(proxies)
print(opener.open("http://api.example.test/a?b", b"body").read().decode())
s = tunnel("api.example.test:80")
s.sendall(b"GET /in HTTP/1.1\\r\\nhost: api.example.test\\r\\nconnection: close\\r\\n\\r\\n")
print(s.recv(65536).decode())
s.close()
`,
    );
    assert.match(said, /hello from api\.example\.test\/a\?b body/);
    assert.match(said, /hello from api\.example\.test\/in/);
    const lines = (await scene.lines(before + 4)).slice(before);
    const shown = lines.map(({ method, outcome, address }) => `${method} ${outcome} ${address}`);
    const { address } = scene.outside;
    assert.deepEqual(shown.sort(), [
      `CONNECT allowed ${address}`,
      `CONNECT begun ${address}`,
      `POST allowed ${address}`,
      `POST begun ${address}`,
    ]);
    assert.ok(lines.every(({ outcome, bytesIn }) => outcome === "begun" || bytesIn > 0));
    assert.ok(
      lines.every(({ request }) => request > 20),
      "numbers go on",
    );
  });

  it("passes no redirect on its own account", async () => {
    const said = await python(
      sandbox,
      `print(ask(b"GET http://api.example.test/away HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n").decode())`,
    );
    assert.match(said, /^HTTP\/1\.1 302 [\s\S]*location: http:\/\/169\.254/i);
  });

  it("lets nobody who is in the sandbox end, stop, trace or read the forwarder", async () => {
    const said = await python(
      sandbox,
      `
import os, signal
def uid(p):
    try: return int([l for l in open(f"/proc/{p}/status") if l.startswith("Uid")][0].split()[1])
    except OSError: return None
def cmd(p):
    try: return open(f"/proc/{p}/cmdline").read()
    except OSError: return ""
all = [int(p) for p in os.listdir("/proc") if p.isdigit() and "egress-forwarder" in cmd(p) and uid(p) != os.getuid()]
print(len(all) > 0)
for p in all:
    for sig in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try: os.kill(p, sig); print("signalled")
        except PermissionError: pass
    for name in ${JSON.stringify(HIDDEN)}:
        try:
            open(f"/proc/{p}/{name}", "rb").read(1); print("read", name)
        except OSError: pass
    import ctypes
    if ctypes.CDLL(None).ptrace(16, p, 0, 0) == 0: print("traced")
try:
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); s.bind(("127.0.0.1", ${EGRESS_PORT})); s.listen(); print("bound")
except OSError: pass
print("over")
`,
    );
    assert.equal(said.trim(), "True\nover");
    assert.equal(egress.lost, undefined);
  });

  it("is in no other place: the outlet listens nowhere and runs as nobody, with nothing", () => {
    const name = `cloche-${sandbox.id}-outlet`;
    const [found] = JSON.parse(docker("inspect", name));
    assert.deepEqual(found.HostConfig.CapDrop, ["ALL"]);
    assert.equal(found.HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(found.Mounts, []);
    assert.notEqual(found.Config.User.split(":")[0], "0");
    assert.equal(found.Config.Labels["cloche.owner"], scene.owner);
    assert.ok(found.HostConfig.Memory > 0 && found.HostConfig.PidsLimit > 0);
    const pid = found.State.Pid;
    for (const table of ["tcp", "tcp6", "udp", "udp6"]) {
      const rows = docker("exec", name, "cat", `/proc/net/${table}`).split("\n").slice(1);
      const own = rows.filter((row) => !row.includes("0B00007F")); // Docker's own name server.
      assert.ok(
        own.every((row) => row.trim().split(/\s+/)[3] !== "0A"),
        `${pid} ${table}\n${own}`,
      );
    }
    const main = JSON.parse(docker("inspect", `cloche-${sandbox.id}`))[0];
    assert.equal(main.HostConfig.NetworkMode, "none");
  });
});
