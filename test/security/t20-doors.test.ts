import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import type { SandboxSpec } from "../../runtime/engine/engine.ts";
import { findTask } from "../../runtime/task/task-list.ts";
import { jsonOf, openTestApi, THEIRS } from "../api/test-api.ts";
import { RawAgent } from "../mcp/raw-agent.ts";
import { faultOf, sandboxImage, smallSpec } from "../support/engine.ts";
import { isRunsc } from "../support/oci-runtime.ts";
import { ofNote, smallTask } from "../support/small-task.ts";
import { type Arena, openArena, toml } from "./arena.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "evil", version: "1" },
  },
};

describe("doors: what may be asked for, by whom, and what is reached from inside", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T20 no task can make the host send a request: servers are programs of the sandbox", async () => {
    for (const url of [
      "http://169.254.169.254/latest/meta-data",
      "http://localhost:2375/containers/json",
      "file:///etc/passwd",
      "http://[::ffff:127.0.0.1]/",
      "http://2130706433/",
      "http://rebound.example/",
    ]) {
      const tables = [
        `name = "odd"\ntransport = "http"\nurl = "${url}"`,
        `name = "odd"\ntransport = "sse"\ncommand = "x"`,
        `name = "odd"\nurl = "${url}"\ncommand = "x"`,
      ];
      for (const table of tables) {
        await using root = await smallTask({ "task.toml": toml(table) });
        const fault = await faultOfTask(root.path);
        assert.match(fault.code, /^task\/(unknown-key|bad-value)$/, fault.message);
      }
    }
  });

  it("T21 a web page's request is refused unread; T22 one rollout's token opens no other", async () => {
    const [one, two] = [Promise.withResolvers<RawAgent>(), Promise.withResolvers<RawAgent>()];
    const over = Promise.withResolvers<void>();
    const open = (mine: PromiseWithResolvers<RawAgent>) =>
      arena.attack(async ({ url, token }) => {
        mine.resolve(new RawAgent(url, token));
        await over.promise;
      });
    const both = [open(one), open(two)];
    const [a, b] = [await one.promise, await two.promise];
    const port = new URL(a.url).port;
    try {
      for (const headers of [
        { host: "evil.test" },
        { host: `evil.test:${port}` },
        { host: "127.0.0.1:1" },
        { host: `127.0.0.1.evil.test:${port}` },
        { origin: "http://evil.test" },
        { origin: "null" },
        { origin: `http://127.0.0.1:${Number(port) + 1}` },
      ]) {
        const refused = await a.send({ headers, body: "not even JSON" });
        assert.equal(refused.status, 403, JSON.stringify(headers));
      }
      const session = (await a.initialize()).headers["mcp-session-id"];
      assert.ok(a.token.length >= 22 && a.token !== b.token);
      const stranger = new RawAgent(b.url, a.token);
      const nowhere = new RawAgent(
        b.url.replace(/[^/]+(?=\/mcp)/, "r00000000000000000000"),
        a.token,
      );
      for (const [agent, headers] of [
        [stranger, {}],
        [stranger, { "mcp-session-id": String(session) }],
        [new RawAgent(a.url, "x"), {}],
        [new RawAgent(a.url, ""), { authorization: "" }],
        [new RawAgent(a.url, a.token.slice(0, -1)), {}],
        [nowhere, {}],
      ] as const) {
        for (const method of ["POST", "GET", "DELETE"]) {
          const refused = await agent.send({ method, headers, body: INITIALIZE });
          assert.ok([401, 403, 404, 405].includes(refused.status), `${refused.status}`);
          assert.doesNotMatch(refused.text, /result/);
        }
      }
      const guessed = { "mcp-session-id": "0".repeat(String(session).length) };
      assert.equal(
        (await b.send({ headers: guessed, body: { ...INITIALIZE, method: "tools/list" } })).status,
        404,
      );
    } finally {
      over.resolve();
    }
    for (const { record, bundle } of await Promise.all(both)) {
      assert.equal(record.outcome, "graded");
      const kept = JSON.stringify([record, bundle?.manifest, bundle?.context]);
      assert.ok(![a.token, b.token].some((token) => kept.includes(token)));
    }
  });

  it("T22 nothing of another key's rollout is told, by any verb: 404 as for one that never was", async () => {
    await using api = await openTestApi();
    const id = await api.serving();
    const document = await jsonOf(api.app.request("/openapi.json"));
    const routes = Object.entries(document.paths as Record<string, object>).flatMap(
      ([path, verbs]) => Object.keys(verbs).map((verb) => [verb.toUpperCase(), path] as const),
    );
    const ofRollouts = routes.filter(([, path]) => path.startsWith("/v1/rollouts/{id}"));
    assert.ok(ofRollouts.length >= 8, `${ofRollouts}`);
    for (const [method, path] of ofRollouts) {
      const texts = [];
      for (const rollout of [id, "r00000000000000000000"]) {
        const at = path.replace("{id}", rollout).replace("{name}", "run_command");
        const json = method === "POST" ? bodyOf(path) : undefined;
        const refused = await api.app.request(at, requestOf(method, THEIRS, json));
        assert.equal(refused.status, 404, `${method} ${path}`);
        const text = await refused.text();
        assert.match(text, /rollout\/unknown/, `${method} ${path}`); // Not for want of a route.
        texts.push(text.replaceAll(rollout, "").replace(/req-\w+/, ""));
      }
      assert.equal(texts[0], texts[1], `${method} ${path}`);
    }
    await api.ask("POST", `/v1/rollouts/${id}/finish`, { json: {} });
  });

  it("T23 neither a task nor a request can name what would open the box", async () => {
    for (const line of [
      "privileged = true",
      'binds = ["/:/host"]',
      'volumes = ["/var/run/docker.sock:/var/run/docker.sock"]',
      'devices = ["/dev/kvm"]',
      'cap_add = ["SYS_ADMIN"]',
      'pid_mode = "host"',
      'network_mode = "host"',
      'ipc = "host"',
      'userns = "host"',
      'security_opt = ["seccomp=unconfined"]',
      'docker_image = "evil:latest"',
      'image = "evil:latest"',
      'user = "root"',
      'labels = { "cloche.owner" = "x" }',
      'runtime = "runc"',
      'sysctls = { "kernel.shm_rmid_forced" = "1" }',
    ]) {
      const text = ofNote("task.toml", "memory_mb = 512", `memory_mb = 512\n${line}`);
      await using root = await smallTask({ "task.toml": text });
      const fault = await faultOfTask(root.path);
      assert.equal(fault.code, "task/unknown-key", line);
      assert.match(fault.message, new RegExp(line.split(" ")[0] ?? ""));
    }
    for (const table of [
      'name = "root"\ncommand = "x"',
      'name = "init"\ncommand = "x"',
      'name = "grader"\ncommand = "x"',
      'name = "../x"\ncommand = "x"',
      'name = "odd"\ncommand = "x"\nuser = "root"',
      'name = "odd"\ncommand = "x"\ncwd = "/proc/self/fd/8"',
      'name = "odd"\ncommand = "x"\nenv = { "LD_PRELOAD=x" = "y" }',
    ]) {
      await using root = await smallTask({ "task.toml": toml(table) });
      assert.match((await faultOfTask(root.path)).code, /^task\/(bad-value|unknown-key)$/, table);
    }
    await using api = await openTestApi();
    const request = { task: "test/note" };
    for (const [field, json] of [
      ["privileged", { ...request, privileged: true }],
      ["image", { ...request, image: "evil" }],
      ["limits.binds", { ...request, limits: { binds: ["/:/host"] } }],
      ["limits.capAdd", { ...request, limits: { capAdd: ["ALL"] } }],
      ["labels.cloche.owner", { ...request, labels: { "cloche.owner": "data-x" } }],
      ["task", { task: "../../etc" }],
    ] as const) {
      const refused = await api.ask("POST", "/v1/rollouts", { json });
      assert.ok(refused.status >= 400 && refused.status < 500, `${field}: ${refused.status}`);
      assert.ok(refused.text.includes(field.split(".").at(-1) ?? ""), refused.text);
    }
  });

  it("T23 the engine itself refuses a sandbox that would reach out, whoever asks", async () => {
    const { engine, data } = arena.runtime;
    const image = await sandboxImage(engine);
    const base = smallSpec(image, data.owner);
    const refused: Partial<SandboxSpec>[] = [
      { id: "../../x" },
      { id: "x; rm" },
      { users: ["root'; echo"] },
      { workspace: { ...base.workspace, path: "/proc/self" } },
      { workspace: { ...base.workspace, path: "/workspace/../etc" } },
      { workspace: { ...base.workspace, path: "/etc" } },
      { workspace: { ...base.workspace, owner: "init" } },
      { workspace: { ...base.workspace, bytes: Number.NaN } },
      { limits: { ...base.limits, processes: 0 } },
      { limits: { ...base.limits, memoryBytes: Number.POSITIVE_INFINITY } },
      { hostNames: ["evil.test 10.0.0.1"] },
    ];
    for (const change of refused) {
      const fault = await faultOf(engine.create({ ...base, ...change }), "engine/spec-refused");
      assert.equal(fault.blame, "caller");
    }
    assert.deepEqual(await engine.find(data.owner), []);
  });

  it("T24 from inside there is no way out: no route, name, device, socket or kernel's back door", async () => {
    const { record } = await arena.attack(async ({ run }) => {
      const { output } = await run(`python3 - <<'END'\n${WAYS_OUT}END`);
      const open = output.split("\n").filter((line) => line.startsWith("OPEN"));
      const known = isRunsc ? OF_GVISOR : /^$/;
      assert.deepEqual(
        open.filter((line) => !known.test(line)),
        [],
        output,
      );
      assert.match(output, /DONE/);
    });
    assert.equal(record.outcome, "graded");
  });
});

async function faultOfTask(root: string): Promise<Fault> {
  try {
    await findTask(root, "test/note");
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  return assert.fail("the task was taken");
}

function bodyOf(path: string): object {
  return path.endsWith("/tools") ? { calls: [{ name: "run_command" }] } : {};
}

function requestOf(method: string, key: string, json: unknown): RequestInit {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return { method, headers, ...body };
}

/** What gVisor has of its own: these end in it, and lead no further. */
const OF_GVISOR = /^OPEN (ping|family|uring|unshare user|device \/dev\/(fuse|net\/tun))/;

const WAYS_OUT = `
import socket, ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def way(name, work):
    try:
        work()
        print("OPEN", name, flush=True)
    except (OSError, ValueError):
        pass
def connect(address, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(2); s.connect(address)
for host in ["1.1.1.1", "172.17.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1"]:
    for port in [22, 53, 80, 2375]:
        way(f"tcp {host}:{port}", lambda: connect((host, port)))
for host in ["fe80::1", "2606:4700:4700::1111"]:
    way(f"tcp6 {host}", lambda: connect((host, 80), socket.AF_INET6))
def datagram():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("1.1.1.1", 53))
way("udp", datagram)
way("ping", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP))
for name in ["example.com", "metadata.google.internal", "host.docker.internal"]:
    way(f"dns {name}", lambda: socket.getaddrinfo(name, 80))
for name, family, kind in [("packet", 17, 3), ("vsock", 40, 1), ("alg", 38, 5), ("xdp", 44, 3),
                           ("bluetooth", 31, 3), ("can", 29, 3), ("raw", 2, 3)]:
    way(f"family {name}", lambda: socket.socket(family, kind))
for name, protocol in [("xfrm", 6), ("netfilter", 12), ("audit", 9), ("kobject", 15)]:
    way(f"family netlink {name}", lambda: socket.socket(16, 3, protocol))
for path in ["/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/docker.sock"]:
    way(f"unix {path}", lambda: connect(path, socket.AF_UNIX))
def abstract(name):
    s = socket.socket(socket.AF_UNIX); s.connect("\\0" + name)
for line in open("/proc/net/unix").read().split("\\n") if os.path.exists("/proc/net/unix") else []:
    if "@" in line: way(f"abstract {line.split('@')[1]}", lambda: abstract(line.split("@")[1]))
def call(number, *args):
    if libc.syscall(number, *args) < 0: raise OSError(ctypes.get_errno(), "refused")
way("uring", lambda: call(425, 8, ctypes.create_string_buffer(256)))
way("bpf", lambda: call(321, 0, ctypes.create_string_buffer(128), 128))
way("userfaultfd", lambda: call(323, 0))
way("keyctl", lambda: call(250, 0, -3, 1))
way("perf", lambda: call(298, ctypes.create_string_buffer(128), 0, -1, -1, 0))
way("open_by_handle", lambda: call(304, -100, ctypes.create_string_buffer(128), 0))
way("unshare user", lambda: call(272, 0x10000000))
way("setns", lambda: call(308, os.open("/proc/1/ns/net", 0), 0))
way("mount", lambda: call(165, b"x", b"/tmp", b"tmpfs", 0, 0))
way("clock", lambda: call(227, 0, ctypes.create_string_buffer(16)))
for path in ["/dev/kmsg", "/dev/mem", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/net/tun"]:
    way(f"device {path}", lambda: os.open(path, os.O_RDWR))
print("DONE")
`;
