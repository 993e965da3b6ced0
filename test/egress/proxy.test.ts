import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { type EgressOptions, EgressProxy } from "../../images/egress/proxy.ts";
import type { EgressRecord } from "../../images/egress/record.ts";

/** What stands for the internet: a server of this machine, whose address a test may reach. */
const OUTSIDE = "127.0.0.1";
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "api.example.test": [OUTSIDE],
  "other.example.test": [OUTSIDE],
  "metadata.example.test": ["169.254.169.254"],
  "loop.example.test": ["127.0.0.2"],
  "mapped.example.test": ["::ffff:127.0.0.1"],
  "half.example.test": [OUTSIDE, "10.0.0.1"],
  "none.example.test": [],
};

describe("a proxy for requests to the outside", () => {
  let outside: Server;
  let port: number;
  const seen: { url: string; host: string; headers: string[]; body: string }[] = [];

  before(async () => {
    outside = createServer(async (message, response) => {
      const body = Buffer.concat(await message.toArray()).toString();
      const { url = "", headers } = message;
      seen.push({ url, host: headers.host ?? "", headers: Object.keys(headers), body });
      if (url === "/away") response.writeHead(302, { location: "http://169.254.169.254/latest/" });
      response.end(`hello ${body}`);
    });
    outside.listen(0, OUTSIDE);
    await once(outside, "listening");
    port = (outside.address() as AddressInfo).port;
  });
  after(() => outside.close());

  it("refuses what is not on the list, is an address, or leads to where nobody may go", async () => {
    const hosts = Object.keys(NAMES).filter((name) => name !== "other.example.test");
    const { ask, records } = await proxied({ hosts: hosts.map((name) => `${name}:${port}`) });
    const refusals: readonly (readonly [string, RegExp])[] = [
      [`other.example.test:${port}`, /not on the task's list/],
      ["api.example.test:22", /not on the task's list/],
      [`127.0.0.1:${port}`, /no host name/],
      [`2130706433:${port}`, /no host name/],
      [`[::1]:${port}`, /no host name/],
      [`localhost:${port}`, /no host name/],
      [`user@api.example.test:${port}`, /no host name/],
      [`metadata.example.test:${port}`, /169\.254\.169\.254, which is private/],
      [`loop.example.test:${port}`, /127\.0\.0\.2, which is private/],
      [`mapped.example.test:${port}`, /which holds an IPv4 address/],
      [`half.example.test:${port}`, /10\.0\.0\.1, which is private/],
      [`none.example.test:${port}`, /has no address/],
    ];
    const before = seen.length;
    for (const [authority, reason] of refusals) {
      const said = await ask(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`);
      assert.match(said, /^HTTP\/1\.1 403 /, authority);
      assert.match(said, reason);
      assert.match(records.at(-1)?.reason ?? "", reason);
      const got = await ask(`GET http://${authority}/ HTTP/1.1\r\nhost: x\r\n\r\n`);
      assert.match(got, /^HTTP\/1\.1 403 /, authority);
    }
    for (const url of ["https://api.example.test/", "file:///etc/passwd", "ftp://x.test/", "/"]) {
      assert.match(
        await ask(`GET ${url} HTTP/1.1\r\nhost: api.example.test\r\n\r\n`),
        /^HTTP\/1\.1 403 /,
      );
    }
    assert.equal(seen.length, before, "something was reached");
    assert.ok(records.every(({ outcome }) => outcome !== "allowed"));
    assert.deepEqual(
      records.map(({ request }) => request),
      records.map((_, index) => index + 1),
    );
  });

  it("forwards a request to a host of the list, under that host's name, and records it", async () => {
    const { ask, records } = await proxied({ hosts: [`api.example.test:${port}`] });
    const said = await ask(
      `POST http://API.example.test:${port}/a?b=c HTTP/1.1\r\nhost: evil.test\r\n` +
        "proxy-authorization: Basic eA==\r\ncontent-length: 5\r\n\r\nworld",
    );
    assert.match(said, /^HTTP\/1\.1 200 /);
    assert.match(said, /hello world/);
    const one = seen.at(-1);
    assert.deepEqual([one?.url, one?.host], ["/a?b=c", `api.example.test:${port}`]);
    assert.ok(!one?.headers.includes("proxy-authorization"));
    await untilRecorded(records, 2);
    const [begun, over] = records;
    assert.deepEqual([begun?.outcome, begun?.request, begun?.address], ["begun", 1, OUTSIDE]);
    const { outcome, address, host, bytesIn } = over as EgressRecord;
    assert.deepEqual([outcome, address, host], ["allowed", OUTSIDE, "api.example.test"]);
    assert.ok(bytesIn > 0);
  });

  it("opens a tunnel to a host of the list, whose name is resolved once", async () => {
    let asked = 0;
    const { ask, records } = await proxied({
      hosts: [`api.example.test:${port}`],
      // Another answer the second time: what was checked is what is connected to.
      resolve: async () => (asked++ === 0 ? [OUTSIDE] : ["169.254.169.254"]),
    });
    const inside = "GET /in HTTP/1.1\r\nhost: api.example.test\r\nconnection: close\r\n\r\n";
    const said = await ask(`CONNECT api.example.test:${port} HTTP/1.1\r\n\r\n${inside}`);
    assert.match(said, /^HTTP\/1\.1 200 Connection Established\r\n\r\nHTTP\/1\.1 200 /);
    await untilRecorded(records, 2);
    assert.equal(asked, 1);
    assert.equal(records[0]?.address, OUTSIDE);
  });

  it("follows no redirect: the client is told, and asks for what it is refused", async () => {
    const { ask } = await proxied({ hosts: [`api.example.test:${port}`] });
    const said = await ask(`GET http://api.example.test:${port}/away HTTP/1.1\r\nhost: x\r\n\r\n`);
    assert.match(said, /^HTTP\/1\.1 302 /);
    const next = await ask("GET http://169.254.169.254/latest/ HTTP/1.1\r\nhost: x\r\n\r\n");
    assert.match(next, /^HTTP\/1\.1 403 /);
  });

  it("refuses further requests once their number is used up, and says so in the record", async () => {
    const { ask, records } = await proxied({
      hosts: [`api.example.test:${port}`],
      limits: { requests: 1 },
    });
    const get = `GET http://api.example.test:${port}/ HTTP/1.1\r\nhost: x\r\n\r\n`;
    assert.match(await ask(get), /^HTTP\/1\.1 200 /);
    assert.match(await ask(get), /^HTTP\/1\.1 403 [\s\S]*more than 1 requests/);
    await untilRecorded(records, 3);
    assert.ok(records.some(({ outcome }) => outcome === "refused"));
  });

  it("is not brought down by what is no HTTP", async () => {
    const { ask } = await proxied({ hosts: [`api.example.test:${port}`] });
    for (const bytes of [
      "\0\0\0\r\n\r\n",
      `GET ${"a".repeat(40_000)}`,
      "CONNECT\r\n\r\n",
      "\x16\x03\x01",
    ]) {
      await ask(bytes, true);
    }
    const get = `GET http://api.example.test:${port}/ HTTP/1.1\r\nhost: x\r\n\r\n`;
    assert.match(await ask(get), /^HTTP\/1\.1 200 /);
  });

  it("refuses to begin with a host that is an address", () => {
    assert.throws(
      () => new EgressProxy({ ...PLAIN, hosts: ["10.0.0.1"] }),
      /"10\.0\.0\.1" is no host/,
    );
  });
});

const PLAIN: EgressOptions = {
  hosts: [],
  rules: { allow: [OUTSIDE] },
  resolve: async (host) => NAMES[host] ?? [],
  onRecord: () => {},
};

/** A proxy behind a port of this machine, gone with the test process's last connection. */
async function proxied(options: Partial<EgressOptions>) {
  const records: EgressRecord[] = [];
  const proxy = new EgressProxy({ ...PLAIN, ...options, onRecord: (one) => records.push(one) });
  const server = createTcpServer((client) => proxy.serve(client));
  server.listen(0, OUTSIDE);
  server.unref();
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (text: string, andEnd = false) => {
    const socket = connect(port, OUTSIDE);
    socket.on("error", () => {});
    socket.write(text);
    if (andEnd) socket.end();
    return await answerOf(socket);
  };
  return { ask, records };
}

/** What comes until nothing has come for a moment: a kept connection does not end. */
async function answerOf(socket: ReturnType<typeof connect>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const pieces: Buffer[] = [];
  let quiet = setTimeout(resolve, 2000);
  socket.on("data", (piece) => {
    pieces.push(piece);
    clearTimeout(quiet);
    quiet = setTimeout(resolve, 200);
  });
  socket.on("close", () => resolve());
  await promise;
  clearTimeout(quiet);
  socket.destroy();
  return Buffer.concat(pieces).toString();
}

async function untilRecorded(records: readonly unknown[], count: number): Promise<void> {
  for (let turn = 0; records.length < count && turn < 200; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.equal(records.length, count);
}
