import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../runtime/base/clock.ts";
import { silentLog } from "../../runtime/base/log.ts";
import type { BoxProcess, OpenOptions } from "../../runtime/engine/engine.ts";
import { engineFault } from "../../runtime/engine/faults.ts";
import type { Greeting } from "../../runtime/mcp/link/handshake.ts";
import {
  MANIFEST_LABEL,
  type Manifest,
  manifestLabel,
  manifestOf,
  promisedGreeting,
} from "../../runtime/mcp/link/manifest.ts";
import { startServers } from "../../runtime/mcp/link/start-servers.ts";
import type { McpProxyOptions } from "../../runtime/mcp/proxy/proxy.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { LocalBox } from "../support/local-process.ts";
import { Serving, textOf } from "./proxy-fixture.ts";

const STAND_IN = fileURLToPath(new URL("./servers/many.ts", import.meta.url));

/** Where `office` is, there is a stand-in with servers of the same names. */
class OfficeBox extends LocalBox {
  readonly #before: () => Promise<void>;
  readonly #program: readonly string[];

  constructor(before: () => Promise<void> = async () => {}, program = [STAND_IN]) {
    super();
    this.#before = before;
    this.#program = program;
  }

  override async open(argv: readonly string[], { user }: OpenOptions): Promise<BoxProcess> {
    await this.#before();
    return await super.open(
      [process.execPath, ...this.#program, ...argv.slice(argv.indexOf("--many"))],
      { user },
    );
  }
}

const [calendar, mail] = [shipped("calendar"), shipped("mail")];
const manifest = await recorded();
const promised = promisedGreeting(calendar, manifest);
assert(promised);

test("a server that differs from the manifest ends the rollout as a fault, and its call is lost", async () => {
  for (const change of [
    { tools: promised.tools.slice(0, -1) },
    { tools: promised.tools.map((tool) => ({ ...tool, description: "other" })) },
    { initializeResult: { ...promised.initializeResult, instructions: "other" } },
  ]) {
    await using serving = await open({ manifest: changed(change) });
    const ended = assert.rejects(serving.proxy.ended, {
      code: "mcp/server-differs",
      message: /"calendar" is not as it was when its image was built/,
    });
    void serving.proxy.callTool("say_calendar", { text: "hi" }).catch(() => {});
    await ended;
  }
});

test("a server that ends before it answers is lost to the agent and is no fault", async () => {
  const box = new OfficeBox(undefined, ["-e", "process.exit(1)", "--"]);
  await using serving = await open({ box });
  for (const tool of ["say_calendar", "say_mail"]) {
    const said = textOf(await serving.proxy.callTool(tool, { text: "hi" }));
    assert.match(said, /ended with exit code 1/);
  }
  await serving.proxy.finish({ kind: "submitted", answer: null });
  assert.deepEqual(await serving.proxy.ended, { kind: "submitted", answer: null });
});

test("a server that cannot be started is a lost tool, not a fault: the agent may have done it", async () => {
  const box = new OfficeBox(async () => {
    throw engineFault("exec-refused", "no more processes");
  });
  await using serving = await open({ box });
  const said = textOf(await serving.proxy.callTool("say_calendar", { text: "hi" }));
  assert.match(said, /"calendar" .*could not be started: no more processes/);
  await serving.proxy.finish({ kind: "submitted", answer: null });
  assert.equal((await serving.proxy.ended).kind, "submitted");
});

test("an engine that fails while a server is started is a fault", async () => {
  const box = new OfficeBox(async () => {
    throw engineFault("no-answer", "the engine did not answer");
  });
  await using serving = await open({ box });
  void serving.proxy.callTool("say_calendar", { text: "hi" }).catch(() => {});
  await assert.rejects(serving.proxy.ended, { code: "engine/no-answer" });
});

test("a call that is given up before its server is up never reaches it", async () => {
  const gate = Promise.withResolvers<void>();
  await using serving = await open({ box: new OfficeBox(() => gate.promise) });
  const abort = new AbortController();
  const call = serving.proxy.callTool("say_calendar", { text: "no" }, { signal: abort.signal });
  abort.abort(new Error("never mind"));
  await assert.rejects(call, /never mind/);
  gate.resolve();
  assert.equal(textOf(await serving.proxy.callTool("say_mail", { text: "yes" })), "mail: yes");
  const sent = serving.sent("tools/call").map(({ message }) => message.params?.["arguments"]);
  assert.deepEqual(sent, [{ text: "yes" }]);
});

test("a label that is broken, or has a malformed tool, is no manifest: servers are asked as before", () => {
  const label = manifestLabel(manifest);
  const unlike = { ...promised, tools: [{ name: "say" }] };
  const malformed = manifestLabel({ ...manifest, calendar: unlike });
  for (const broken of ["", "no base64 !", label.slice(0, 100), btoa("[]"), malformed]) {
    assert.deepEqual(manifestOf({ [MANIFEST_LABEL]: broken }), {});
  }
  assert.deepEqual(manifestOf({}), {});
});

test("the manifest speaks for shipped servers alone", () => {
  const own: ServerSpec = { ...calendar, argv: ["/usr/bin/my-calendar"] } as ServerSpec;
  assert.equal(promisedGreeting(own, manifest), undefined);
  assert.equal(promisedGreeting(shipped("memory"), manifest), undefined);
  assert.equal(promisedGreeting(shipped("terminal"), manifest), undefined);
});

test("what a label holds is byte for byte what the servers said", () => {
  const read = manifestOf({ [MANIFEST_LABEL]: manifestLabel(manifest) });
  assert.equal(JSON.stringify(read), JSON.stringify(manifest));
});

test("nothing is started until a tool is called, and then what is needed for it", async () => {
  await using serving = await open({});
  const client = await serving.client();
  const tools = await client.listTools();
  assert.equal(serving.box.processes.length, 0);
  const said = await client.callTool("say_mail", { text: "hi" });
  assert.equal(textOf(said), "mail: hi");
  assert.equal(serving.box.processes.length, 1);
  const asked = serving.frames().filter(({ direction, peer }) => {
    return direction === "out" && peer.startsWith("server:");
  });
  const methods = asked.map(({ peer, message }) => `${peer} ${message["method"]}`);
  assert.deepEqual(methods, [
    "server:mail initialize",
    "server:mail notifications/initialized",
    "server:mail tools/list",
    "server:mail tools/call",
  ]);
  await using eager = await open({ manifest: {} });
  assert.equal(JSON.stringify(await (await eager.client()).listTools()), JSON.stringify(tools));
  assert.equal(eager.proxy.surface.sha256, serving.proxy.surface.sha256);
});

test("a client with capabilities is not told what servers said to one without", async () => {
  const clientCapabilities = { roots: {} };
  await using serving = await open({ clientCapabilities });
  assert.equal(serving.box.processes.length, 1);
});

test("in a pool they wake by themselves, and one that differs is lost", async () => {
  await using box = new OfficeBox();
  const options = { box, clock: systemClock, log: silentLog, signal: new AbortController().signal };
  await using woken = await startServers([calendar, mail], { ...options, manifest, wake: true });
  assert.equal(woken.lost, undefined);
  await Promise.all(woken.servers.map(({ upstream }) => upstream.wake()));
  assert.equal(woken.lost, undefined);
  assert.equal(box.processes.length, 1);
  const wrong = changed({ prompts: ["none"] });
  await using other = await startServers([calendar], { ...options, manifest: wrong, wake: true });
  const [server] = other.servers;
  assert.match((await server?.upstream.closed)?.reason ?? "", /its prompts differ/);
  assert.match(other.lost?.message ?? "", /the server "calendar" is gone/);
});

async function open(
  options: Omit<Partial<McpProxyOptions>, "box"> & { readonly box?: LocalBox },
): Promise<Serving & { readonly box: LocalBox }> {
  const { box = new OfficeBox() } = options;
  const serving = await Serving.open([calendar, mail], { manifest, ...options, box });
  return Object.defineProperty(serving, "box", { value: box });
}

function shipped(name: string): ServerSpec {
  const spec = SHIPPED_SERVERS[name];
  assert(spec);
  return spec;
}

function changed(change: Partial<Greeting>): Manifest {
  return { ...manifest, calendar: { ...promised, ...change } as Greeting };
}

/** What the stand-ins say, as it is recorded when an image is built. */
async function recorded(): Promise<Manifest> {
  await using box = new OfficeBox();
  const options = { box, clock: systemClock, log: silentLog, signal: new AbortController().signal };
  await using started = await startServers([calendar, mail], options);
  return Object.fromEntries(
    started.servers.map(({ upstream, greeting }) => [upstream.name, greeting]),
  );
}
