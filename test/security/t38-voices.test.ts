import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../runtime/base/clock.ts";
import { namedId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { type HeldImages, requireImages } from "../../runtime/cli/set-up/require-images.ts";
import { type Engine, PROFILES, type Sandbox } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { McpProxy } from "../../runtime/mcp/proxy/proxy.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { sandboxSpec } from "../../runtime/rollout/sandbox-spec.ts";
import { textOf } from "../mcp/proxy-fixture.ts";
import { runtimeChoice } from "../support/oci-runtime.ts";

const MB = 2 ** 20;
const LIMITS = {
  memoryBytes: 2048 * MB,
  processes: 512,
  cpus: 2,
  tmpBytes: 256 * MB,
  fileBytes: 64 * MB,
  openFiles: 1024,
  workspaceBytes: 64 * MB,
  workspaceFiles: 1000,
  stateBytes: 16 * MB,
  stateFiles: 1000,
};

/** A server of a task's own that keeps a socket where programs keep theirs. */
const TALKER: ServerSpec = {
  name: "talker",
  kind: "stdio",
  user: "talker",
  env: {},
  argv: [
    "/usr/local/bin/node",
    "-e",
    `
const path = require("path").join(require("os").tmpdir(), "talker.sock");
require("net").createServer((socket) => socket.end("I am the talker")).listen(path);
const say = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  if (method === "initialize") say({ id, result: { protocolVersion: "2025-11-25",
    capabilities: { tools: {} }, serverInfo: { name: "talker", version: "1" } } });
  else if (method === "tools/list") say({ id, result: { tools: [
    { name: "where", inputSchema: { type: "object" } }] } });
  else if (id !== undefined) say({ id, result: { content: [{ type: "text", text: path }] } });
});`,
  ],
};

/** Every socket that somebody listens at: unix ones, abstract ones, and ports of loopback. */
const LOOK = `
import os, re, sys
for line in open("/proc/net/unix").read().splitlines()[1:]:
    parts = line.split()
    if len(parts) > 7 and int(parts[3], 16) & 0x10000: print("unix", parts[7])
for name in ("tcp", "tcp6"):
    for line in open("/proc/net/" + name).read().splitlines()[1:]:
        parts = line.split()
        if parts[3] == "0A": print("port", int(parts[1].rsplit(":", 1)[1], 16))
`;

const KNOCK = `
import json, socket, sys
for kind, where in json.loads(sys.argv[1]):
    if kind == "unix":
        s = socket.socket(socket.AF_UNIX)
        where = "\\0" + where[1:] if where[0] == "@" else where
    else:
        s = socket.socket()
        where = ("127.0.0.1", int(where))
    s.settimeout(5)
    try: s.connect(where); print(json.dumps([kind, str(where)]))
    except OSError as error: print("refused", where, error, file=sys.stderr)
    s.close()
`;

for (const profile of PROFILES) {
  describe(`sockets in a sandbox, profile ${profile}`, () => {
    let engine: Engine;
    let held: HeldImages;
    let sandbox: Sandbox;
    let folder: string;
    let proxy: McpProxy;
    const servers = [...Object.values(SHIPPED_SERVERS), TALKER];
    const users = ["agent", "state", "browser", "talker"];

    before(async () => {
      engine = await openEngine("docker", { env: process.env, ...runtimeChoice, profile });
      held = await requireImages(engine, process.env, "office-browser");
      folder = await mkdtemp(join(tmpdir(), "cloche-voices-"));
      const images = { sandbox: held.images["office-browser"], grader: held.images.grader };
      const expires = new Date(Date.now() + 600_000);
      const labels = { owner: "test-voices", rollout: "x", process: processIdentity(), expires };
      const need = { images, limits: LIMITS, servers, hostNames: [] };
      sandbox = await engine.create(sandboxSpec(namedId("voices"), need, labels));
      proxy = await McpProxy.open({
        ...{ clock: systemClock, log: silentLog, signal: new AbortController().signal },
        ...{ rolloutId: "x", box: sandbox, servers, folder },
        manifest: held.manifests[held.images["office-browser"]] ?? {},
        budget: { calls: 100, wallMs: 500_000, resultBytes: 1_000_000, concurrentCalls: 4 },
      });
      await proxy.callTool("browser_navigate", { url: "http://127.0.0.1/" });
      await proxy.callTool("read_graph", {});
    });

    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await sandbox?.[Symbol.asyncDispose]();
      await engine?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    const python = async (user: string, code: string, ...args: string[]) => {
      const argv = ["/usr/bin/python3", "-c", code, ...args];
      return (await sandbox.exec(argv, { user })).stdout.toString();
    };

    it("T38 let nobody but their owners in, whoever asks: no program speaks for a server", async () => {
      const where = textOf(await proxy.callTool("where", {}));
      const found = (await python("agent", LOOK))
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      const unix = new Set([
        where,
        ...found.filter(([kind]) => kind === "unix").map(([, at]) => at),
      ]);
      const ports = new Set(found.filter(([kind]) => kind === "port").map(([, at]) => at));
      assert.ok(
        [...unix].some((path) => path?.includes("/pw-")),
        `no socket of Playwright's: ${[...unix]}`,
      );
      // The one port is the web sites', which are there to be visited.
      assert.deepEqual([...ports], ["80"]);
      const all = JSON.stringify([...unix].map((at) => ["unix", at]));
      const let_in = new Map<string, string[]>();
      for (const user of users) {
        const said = (await python(user, KNOCK, all)).split("\n").filter((line) => line !== "");
        let_in.set(
          user,
          said.map((line) => JSON.parse(line)[1]),
        );
      }
      assert.deepEqual(let_in.get("agent"), []);
      assert.deepEqual(let_in.get("state"), []);
      assert.deepEqual(let_in.get("talker"), [where]);
      const mine = let_in.get("browser") ?? [];
      assert.ok(
        mine.some((path) => path.includes("/pw-")),
        "not even its owner could knock",
      );
      assert.ok(!mine.includes(where));
    });

    it("T39 are not opened to a browser that is told to leave the web", async () => {
      const closed = [
        "file:///etc/passwd",
        "view-source:file:///etc/passwd",
        "view-source:http://127.0.0.1/",
        "chrome://version",
        "chrome://gpu",
        "devtools://devtools/bundled/inspector.html",
        "data:text/html,<iframe src=file:///etc/passwd></iframe>",
        "blob:null/0",
        "filesystem:http://127.0.0.1/temporary/x",
        "ftp://127.0.0.1/",
        "chrome-extension://x/y",
      ];
      const empty = ["about:version", "javascript:document.write(1)"];
      for (const url of [...closed, ...empty]) {
        const called = await proxy.callTool("browser_navigate", { url });
        const said = textOf(called);
        const isClosed = /blocked|ERR_|[Ii]nvalid|not allowed/.test(said);
        assert.ok(isClosed || empty.includes(url), `${url}: ${said}`);
        const page = textOf(await proxy.callTool("browser_snapshot", {}));
        assert.doesNotMatch(
          page,
          /root:x:0|Command Line|Graphics Feature|<html/i,
          `${url}: ${page}`,
        );
      }
      const home = textOf(await proxy.callTool("browser_navigate", { url: "http://127.0.0.1/" }));
      assert.match(home, /Page URL: http:\/\/127\.0\.0\.1/);
    });

    it("T38 leave nothing of a server's open to others, but below the workspace and what it gives away", async () => {
      const theirs = "\\( -user state -o -user browser -o -user talker \\)";
      const find = `find / -xdev -path /proc -prune -o ${theirs} \\( -readable -o -writable \\) -print`;
      const script = `{ ${find}; ${find.replace("/ -xdev", "/tmp /dev/shm /home /state")}; } 2>/dev/null`;
      const argv = ["/bin/sh", "-c", `${script} | xargs -r stat -c '%U %A %n'`];
      const lines = (await sandbox.exec(argv, { user: "agent" })).stdout.toString().split("\n");
      // Their programs in /proc, the workspace, and where the browser lays what was downloaded.
      const given = /^(browser \S+ \/tmp\/browser(\/|$)|$)/;
      assert.deepEqual(
        lines.filter((line) => !given.test(line) && !/ drwx------ /.test(line)),
        [],
      );
    });
  });
}
