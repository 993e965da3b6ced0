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
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { openEngine } from "../../runtime/engine/engines.ts";
import { startServers } from "../../runtime/mcp/link/start-servers.ts";
import { McpProxy } from "../../runtime/mcp/proxy/proxy.ts";
import { SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { sandboxSpec } from "../../runtime/rollout/sandbox-spec.ts";
import { textOf } from "./proxy-fixture.ts";

const MB = 2 ** 20;
const ALL = Object.values(SHIPPED_SERVERS);
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

/** A site as tasks have them, on the loopback of a box without a network. */
const SITE = `
import http.server
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = self.path.partition("word=")[2]
        page = "<title>Desk</title><h1>Desk</h1>"
        page += f"<p>You said {said}.</p>" if said else "<form><input name=word aria-label=Word><button>Say</button></form>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 8080), Site)
print("up", flush=True)
server.serve_forever()`;

describe("the servers that ship", () => {
  let engine: Engine;
  let held: HeldImages;
  let sandbox: Sandbox;
  let folder: string;
  const base = { clock: systemClock, log: silentLog, signal: new AbortController().signal };

  before(async () => {
    // What works under the strict profile works under the default one, which lets through more.
    engine = await openEngine("docker", { env: process.env, profile: "strict" });
    held = await requireImages(engine, process.env, "office-browser");
    folder = await mkdtemp(join(tmpdir(), "cloche-shipped-"));
    const images = { sandbox: held.images["office-browser"], grader: held.images.grader };
    const expires = new Date(Date.now() + 600_000);
    const labels = { owner: "test-shipped", rollout: "x", process: processIdentity(), expires };
    const need = { images, limits: LIMITS, servers: ALL, hostNames: [] };
    sandbox = await engine.create(sandboxSpec(namedId("shipped"), need, labels));
  });

  after(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("are all on the label of their image", () => {
    const manifest = manifestOf(held);
    const inside = ALL.flatMap(({ name, kind }) => (kind === "stdio" ? [name] : []));
    assert.deepEqual(Object.keys(manifest).sort(), inside.sort());
    const small = held.manifests[held.images.office] ?? {};
    assert.equal(Object.hasOwn(small, "browser"), false);
    assert.equal(Object.hasOwn(small, "filesystem"), true);
  });

  it("are in a sandbox as the label says, and have no tool's name twice", async () => {
    await using started = await startServers(ALL, {
      ...{ ...base, box: sandbox, manifest: manifestOf(held), wake: true },
    });
    await Promise.all(started.servers.map(({ upstream }) => upstream.wake()));
    assert.equal(started.lost, undefined);
    const names = started.surface.tools.map(({ name }) => name);
    assert.equal(names.filter((name) => name.includes("__")).length, 0);
    assert.ok(names.length > 50);
    assert.equal(names.includes("browser_run_code_unsafe"), false, "it runs code as the server");
  });

  it("hold their port before anybody is there, though nobody has asked them anything", async () => {
    const manifest = manifestOf(held);
    const specs = ALL.filter(({ name }) => name === "web" || name === "mail");
    await using _ = await startServers(specs, { ...base, box: sandbox, manifest });
    const visit = `
import socket, urllib.error, urllib.request
try: print(urllib.request.urlopen("http://127.0.0.1/").status)
except urllib.error.HTTPError as error: print(error.code)
try: socket.socket().bind(("127.0.0.1", 80)); print("taken")
except OSError: print("held")`;
    const argv = ["/usr/bin/python3", "-c", visit.trim()];
    const { stdout } = await sandbox.exec(argv, { user: "agent" });
    assert.match(stdout.toString(), /^[24]\d\d\nheld\n$/);
  });

  it("browse a site on loopback without a network, and reach no file and no other host", async () => {
    await using site = await sandbox.open(["/usr/bin/python3", "-c", SITE], { user: "agent" });
    await new Promise((resolve) => site.stdout.once("data", resolve));
    await using proxy = await openProxy(["browser"]);
    const call = async (name: string, args: Readonly<Record<string, unknown>>) =>
      textOf(await proxy.callTool(name, args));
    const home = await call("browser_navigate", { url: "http://127.0.0.1:8080/" });
    assert.match(home, /Page Title: Desk/);
    const snapshot = await call("browser_snapshot", {});
    const [, field = ""] = /textbox "Word" \[ref=(e\d+)\]/.exec(snapshot) ?? [];
    const [, button = ""] = /button "Say" \[ref=(e\d+)\]/.exec(snapshot) ?? [];
    assert.ok(field && button, snapshot);
    await call("browser_type", { element: "the word", target: field, text: "hello" });
    await call("browser_click", { element: "say", target: button });
    assert.match(await call("browser_snapshot", {}), /You said hello\./);
    await call("browser_take_screenshot", { filename: "desk.png" });
    const { stdout } = await sandbox.exec(["/usr/bin/file", "/workspace/desk.png"], {
      user: "agent",
    });
    assert.match(stdout.toString(), /PNG image data, 1280 x 720/);
    assert.match(await call("browser_navigate", { url: "file:///etc/passwd" }), /blocked/);
    assert.match(
      await call("browser_navigate", { url: "http://example.com/" }),
      /ERR_INTERNET_DISCONNECTED|ERR_NAME_NOT_RESOLVED/,
    );
  });

  it("remember in a file of the state that the agent's shell cannot reach", async () => {
    await sandbox.exec(["/bin/mkdir", "-m", "700", "/state/memory"], { user: "state" });
    await using proxy = await openProxy(["memory", "terminal"]);
    const entities = [{ name: "Ana", entityType: "person", observations: ["likes tea"] }];
    await proxy.callTool("create_entities", { entities });
    const read = await proxy.callTool("read_graph", {});
    assert.match(textOf(read), /likes tea/);
    const peek = await proxy.callTool("run_command", { command: "cat /state/memory/memory.jsonl" });
    assert.match(textOf(peek), /Permission denied/);
  });

  async function openProxy(names: readonly string[]): Promise<McpProxy> {
    return await McpProxy.open({
      ...{ ...base, rolloutId: "x", box: sandbox, manifest: manifestOf(held) },
      servers: names.flatMap((name) => SHIPPED_SERVERS[name] ?? []),
      budget: { calls: 100, wallMs: 300_000, resultBytes: 1_000_000, concurrentCalls: 4 },
      folder: await mkdtemp(join(folder, "proxy-")),
    });
  }
});

function manifestOf({ images, manifests }: HeldImages) {
  return manifests[images["office-browser"]] ?? {};
}
