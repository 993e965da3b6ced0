import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../runtime/base/clock.ts";
import { namedId } from "../../runtime/base/id.ts";
import { silentLog } from "../../runtime/base/log.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import {
  type Egress,
  FORWARDER_USER,
  OUTLET_USER,
  openEgress,
} from "../../runtime/rollout/egress/egress.ts";
import { EGRESS_PORT } from "../../runtime/rollout/egress/egress-servers.ts";
import { type EgressLine, readEgressLines } from "../../runtime/store/egress-lines.ts";
import { MIB, openTestEngine, SMALL_LIMITS, sandboxImage, smallSpec } from "../support/engine.ts";
import { type Outside, openOutside } from "./outside.ts";

const HOSTS = [80, 9000, 9001, 9002, 9003].map((port) => `api.example.test:${port}`);
/** Names that lead where nobody may go; they are on the list. */
const AWRY = ["gateway", "bridge", "metadata", "loop", "six"].map((name) => `${name}.example.test`);

/** Raw talk with the forwarder, as an agent's program might: `ask(bytes)` gives what comes back. */
export const ASK = `
import socket, sys, threading, time
def ask(data, port=${EGRESS_PORT}, end=False, limit=None, timeout=30):
    s = socket.create_connection(("127.0.0.1", port), timeout)
    s.settimeout(timeout)
    s.sendall(data)
    if end: s.shutdown(socket.SHUT_WR)
    got = b""
    try:
        while True:
            d = s.recv(65536)
            if not d: break
            got += d
            if limit and len(got) >= limit: break
    except (TimeoutError, ConnectionError) as e: got += repr(e).encode()
    s.close()
    return got
def tunnel(to, timeout=30):
    s = socket.create_connection(("127.0.0.1", ${EGRESS_PORT}), timeout)
    s.settimeout(timeout)
    s.sendall(b"CONNECT " + to.encode() + b" HTTP/1.1\\r\\n\\r\\n")
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        d = s.recv(1)
        if not d: raise SystemExit("no tunnel: " + repr(head))
        head += d
    assert head.startswith(b"HTTP/1.1 200"), head + s.recv(1000)
    return s
`;

/** A sandbox with a way out to what stands for the internet, and a server of this machine. */
export class Scene implements AsyncDisposable {
  readonly owner = namedId("egress");
  readonly folder: string;
  readonly engine: Engine;
  readonly outside: Outside;
  /** Of this machine, on all of its addresses. */
  readonly here: Server;
  /** Who came there. */
  readonly reached: string[] = [];

  static async open(): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), "cloche-egress-"));
    await using first = await openTestEngine();
    const outside = openOutside(await sandboxImage(first));
    const engine = await openTestEngine({ outletNetwork: outside.network });
    const scene = new Scene(folder, engine, outside);
    await new Promise<void>((resolve) => scene.here.listen(0, "0.0.0.0", resolve));
    return scene;
  }

  private constructor(folder: string, engine: Engine, outside: Outside) {
    this.folder = folder;
    this.engine = engine;
    this.outside = outside;
    this.here = createServer((socket) => {
      this.reached.push(socket.remoteAddress ?? "");
      socket.end("HTTP/1.1 200 OK\r\n\r\nthe host");
    });
  }

  get port(): number {
    return (this.here.address() as { port: number }).port;
  }

  async sandbox(): Promise<Sandbox> {
    const image = await sandboxImage(this.engine);
    const limits = { ...SMALL_LIMITS, memoryBytes: 512 * MIB, processes: 300, openFiles: 1024 };
    const spec = smallSpec(image, this.owner, {
      ...{ users: ["agent", FORWARDER_USER], limits },
      outlet: { image, users: [OUTLET_USER], limits: { ...SMALL_LIMITS, openFiles: 1024 } },
    });
    return await this.engine.create(spec);
  }

  /** Its way out; `record` is a name in the scene's folder. */
  async way(sandbox: Sandbox, record = "egress.jsonl"): Promise<Egress> {
    const awry = AWRY.flatMap((name) => [`${name}:${this.port}`, `${name}:80`]);
    const signal = new AbortController().signal;
    const file = join(this.folder, record);
    const parts = { engine: this.engine, clock: systemClock, log: silentLog, signal, file };
    return await openEgress(sandbox, { ...parts, hosts: [...HOSTS, ...awry] });
  }

  /** The lines of a record, once there are so many. */
  async lines(count: number, record = "egress.jsonl"): Promise<EgressLine[]> {
    const file = join(this.folder, record);
    for (let turn = 0; turn < 100; turn++) {
      const lines = await readEgressLines(file);
      if (lines.length >= count) return lines;
      await sleep(50);
    }
    assert.fail(`not ${count} lines: ${await readFile(file, "utf8").catch(String)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.here.close();
    for (const found of await this.engine.find(this.owner)) await this.engine.remove(found);
    await this.engine[Symbol.asyncDispose]();
    await this.outside[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What an agent's program prints; fails unless it ends with 0. */
export async function python(box: Sandbox, script: string, timeoutMs = 60_000): Promise<string> {
  const argv = ["/usr/bin/python3", "-c", `${ASK}\n${script}`];
  const { exitCode, stdout, stderr } = await box.exec(argv, { user: "agent", timeoutMs });
  assert.equal(exitCode, 0, `${stdout}${stderr}`);
  return stdout.toString();
}
