import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { isEveryAddress } from "../../runtime/api/reach.ts";
import { connectClient } from "../../runtime/mcp/mcp-client.ts";
import { keyFile, type Serving, serve } from "../clients/serve.ts";
import { runCloche } from "../support/run-cloche.ts";
import { smallTask, type TestRoot } from "../support/small-task.ts";

const NEVER = new AbortController().signal;

describe("the URLs that a service hands out", () => {
  let root: TestRoot;
  let file: Awaited<ReturnType<typeof keyFile<"trainer">>>;
  let serving: Serving;
  before(async () => {
    root = await smallTask();
    file = await keyFile(["trainer"]);
    const args = ["--host", "0.0.0.0", "--keys", file.path, "--allow-host", "cloche.example"];
    serving = await serve(root.path, { args });
  });
  after(async () => {
    await serving?.[Symbol.asyncDispose]();
    await file?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
  });

  it("are where the agent reaches its rollout, by whichever name the worker called", async () => {
    const { port } = new URL(serving.url);
    for (const name of ["127.0.0.1", "localhost", ...ownAddresses()]) {
      const { mcp } = await ask(serving.url, `http://${name}:${port}`);
      assert.equal(new URL(mcp.url).host, `${name}:${port}`);
      const client = await connectClient(mcp.url, mcp.token, NEVER);
      assert.ok((await client.listTools()).length > 0);
      await client[Symbol.asyncDispose]();
    }
  });

  it("are those of a name that was allowed, https where a proxy says so", async () => {
    const asked = { host: "cloche.example", "x-forwarded-proto": "https" };
    const { mcp, id } = await ask(serving.url, serving.url, asked);
    assert.equal(mcp.url, `https://cloche.example/rollouts/${id}/mcp`);
    const plain = await ask(serving.url, serving.url, { host: "cloche.example" });
    assert.equal(plain.mcp.url, `http://cloche.example/rollouts/${plain.id}/mcp`);
  });

  it("are the same in each answer that has one, a group's too", async () => {
    const { port } = new URL(serving.url);
    const base = `http://localhost:${port}`;
    const group = await ask(serving.url, base, {}, "/v1/groups", { n: 2 });
    const seen = await ask(serving.url, base, {}, `/v1/groups/${group.id}`);
    const [one] = seen.members;
    const alone = await ask(serving.url, base, {}, `/v1/rollouts/${one.id}`);
    for (const { mcp } of [...group.members, ...seen.members, alone]) {
      assert.equal(new URL(mcp.url).origin, base);
    }
  });

  it("say on the terminal what can be called", async () => {
    assert.equal(new URL(serving.url).hostname, "127.0.0.1");
    assert.equal((await fetch(`${serving.url}/docs`)).status, 200);
  });

  it("are those of --public-url where there is one, whatever the request says", async () => {
    const args = ["--public-url", "https://cloche.example/lab/"];
    await using behind = await serve(root.path, { args });
    assert.equal(behind.url, "https://cloche.example/lab");
  });

  it("must be some that can be called: no --public-url of every address", async () => {
    for (const url of [
      "http://0.0.0.0:7317",
      "http://[::]:7317",
      "http://0:80",
      "https://x/?a=1",
    ]) {
      const { code, err } = await runCloche(["serve", "--public-url", url, "--root", root.path]);
      assert.equal(code, 2, url);
      assert.match(err, /--public-url/, url);
    }
  });

  it("are asked for where no URL can be made of the address", async () => {
    const [name, address] = linkLocal() ?? [];
    if (name === undefined) return;
    const host = `${address}%${name}`;
    const words = ["serve", "--port", "0", "--host", host, "--keys", file.path];
    const { code, err } = await runCloche([...words, "--root", root.path]);
    assert.equal(code, 2);
    assert.match(err, /^error api\/public-url-required: .*--public-url/m);
  });

  async function ask(
    url: string,
    base: string,
    headers: Record<string, string> = {},
    path = "/v1/rollouts",
    more: object = {},
  ) {
    const isRequest = path === "/v1/rollouts" || path === "/v1/groups";
    // Node's fetch sets the Host header by itself.
    const asked = request(new URL(path, base), {
      method: isRequest ? "POST" : "GET",
      headers: {
        "content-type": "application/json",
        prefer: "wait=60",
        authorization: `Bearer ${file.keys.trainer}`,
        ...headers,
      },
    });
    asked.end(isRequest ? JSON.stringify({ task: "test/note", ...more }) : undefined);
    const [answer] = await once(asked, "response");
    const body = await text(answer);
    assert.ok(answer.statusCode < 300, `${url}: ${body}`);
    return JSON.parse(body);
  }
});

describe("an address that cannot be listened on", () => {
  it("is named with what to do: another port where it is taken", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const { code, err } = await runCloche(["serve", "--port", String(port)]);
    assert.equal(code, 2);
    assert.ok(err.includes(`error api/port-unusable: cannot listen on 127.0.0.1:${port}: `), err);
    assert.match(err, /listens there already.*--port \(0: any free one\)/);
  });

  it("is every address in any spelling, as the system says", () => {
    for (const address of ["0.0.0.0", "::", "::ffff:0.0.0.0"]) assert(isEveryAddress(address));
    for (const address of ["127.0.0.1", "::1", "10.0.0.0"]) assert(!isEveryAddress(address));
  });

  for (const host of ["0", "::", "[::]"]) {
    it(`is served under one that can be called for --host ${host}`, async () => {
      await using root = await smallTask();
      await using file = await keyFile(["trainer"]);
      const args = ["--host", host, "--keys", file.path];
      await using serving = await serve(root.path, { args });
      assert.equal((await fetch(`${serving.url}/healthz`)).status, 200);
    });
  }
});

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((some = []) => some);
  return all.flatMap(({ family, internal, address }) =>
    family === "IPv4" && !internal ? [address] : [],
  );
}

function linkLocal(): readonly [string, string] | undefined {
  const all = Object.entries(networkInterfaces()).flatMap(([name, some = []]) =>
    some.map(({ address }) => [name, address] as const),
  );
  return all.find(([, address]) => address.startsWith("fe80:"));
}
