import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { IS_SLOW } from "../support/slow.ts";
import { type Aftermath, type Arena, openArena, toml, withServer } from "./arena.ts";
import { HOSTILE, listing } from "./hostile-server.ts";

const SERVERS = ["one", "two", "three"];

/** One rollout, several servers of the same hostile program: each attack may cost one its life. */
const MANY = {
  "task.toml": toml(
    SERVERS.map((name) => {
      const args = JSON.stringify(["-e", HOSTILE]);
      return `name = "${name}"\ncommand = "/usr/local/bin/node"\nargs = ${args}\n`;
    }).join("\n[[environment.mcp_servers]]\n"),
  ),
};

describe("what a hostile MCP server can say", () => {
  let arena: Arena;

  before(async () => {
    arena = await openArena();
  });

  after(async () => {
    await arena?.[Symbol.asyncDispose]();
  });

  it("T10 a 100 MB result is withheld, a flood is dropped and then ends its server, others go on", async () => {
    const alone: number[] = [];
    const beside: number[] = [];
    const rested = Promise.withResolvers<void>();
    let isOver = false;
    const noisy = arena.attack(
      async ({ call }) => {
        await rested.promise;
        const cut = await call("one__huge", { bytes: 1_000_000 });
        assert.match(cut.text, /bytes left out here: a result may hold 262144 bytes/);
        const withheld = await call("one__huge", { bytes: 100 * 2 ** 20 });
        assert.match(withheld.text, /withheld: it has 10485\d{4} bytes \(sha256 [0-9a-f]{64}\)/);
        assert.equal((await call("one__echo", { text: "alive" })).text, "alive");
        assert.equal((await call("two__flood", { times: 12_000 })).text, "flooded");
        assert.match((await call("two__flood", { times: 10 ** 6 })).text, /nobody asked for/);
        isOver = true;
      },
      { task: MANY },
    );
    const modest = arena.attack(async ({ run }) => {
      for (let time = 0; time < 15; time++) alone.push(await took(() => run("true")));
      rested.resolve();
      while (!isOver && beside.length < 100) beside.push(await took(() => run("true")));
    });
    const [{ steps, wire, record }, quiet] = [
      await noisy.finally(() => (isOver = true)),
      await modest,
    ];
    assert.deepEqual([record.outcome, quiet.record.outcome], ["graded", "graded"]);
    assert.deepEqual(
      steps.map(({ outcome }) => outcome),
      ["ok", "protocol_error", "ok", "ok", "upstream_lost"],
    );
    const dropped = wire.filter(({ message }) => message["method"] === "cloche/dropped");
    assert.equal(dropped.length, 1, "one record says that from here on messages were dropped");
    assert.ok(wire.length < 100_000);
    process.stderr.write(
      `T10: p95 of a neighbour's step ${p95(alone)} ms alone, ${p95(beside)} ms beside the flood\n`,
    );
  });

  it("T11 an endless line, T12 odd JSON, T13 ids and questions, T15 garbage: each ends as it should", async () => {
    const { record, steps, wire } = await arena.attack(
      async ({ call }) => {
        for (const depth of [101, 10_000, 1_000_000]) {
          assert.match((await call("one__deep", { depth })).text, /withheld: .*nested deeper/);
        }
        const wide = await call("one__wide", { values: 1_500_000 });
        assert.match(wide.text, /withheld: it holds more than 500000 values/);
        assert.match(
          (await call("one__odd", { json: '{"x":1e999}' })).text,
          /withheld: the number 1e999 is too large/,
        );
        const strange =
          '{"content":[],"n":9007199254740993,"n":2,"__proto__":{"isError":true},' +
          '"constructor":1,"s":"\\ud800","l":"\u2028\u2029"}';
        const odd = await call("one__odd", { json: strange });
        assert.equal(odd.isError, false);
        assert.equal(odd.result["n"], 2);
        assert.match((await call("one__ask")).text, /^asked \d$/);
        assert.equal((await call("two__garbage", { lines: 20 })).text, "after garbage");
        const broken = await call("two__garbage", { lines: 5_000 });
        assert.match(broken.text, /"two" is gone: it wrote 1001 lines that are no JSON-RPC/);
        assert.match(
          (await call("three__endless")).text,
          /"three" is gone: it wrote a line longer/,
        );
        assert.match((await call("three__echo", { text: "x" })).text, /not started again/);
        assert.equal((await call("one__echo", { text: "alive" })).text, "alive");
      },
      { task: MANY },
    );
    assert.equal(record.outcome, "graded");
    assert.equal(record.fault, null);
    assert.equal(steps.length, 12);
    assert.equal(({} as Record<string, unknown>)["isError"], undefined);
    assert.ok(wire.every(({ peer }) => /^(agent:\d+|server:(one|two|three|terminal))$/.test(peer)));
  });

  it("T14 a call that is never answered ends with the rollout's time; the server was told", async () => {
    const { record, steps, wire } = await arena.attack(
      async ({ call }, signal) => {
        for (const silent of ["hang", "half"]) {
          call(silent).catch((error: unknown) => {
            if (!signal.aborted) throw error;
          });
        }
        await sleep(60_000, undefined, { signal });
      },
      { task: withServer(HOSTILE, "[cloche.budget]\nwall_sec = 4\n") },
    );
    assert.deepEqual(record.ending, { kind: "budget", which: "wall" });
    assert.equal(record.outcome, "graded");
    assert.deepEqual(
      steps.map(({ outcome }) => outcome),
      ["timeout", "timeout"],
    );
    const told = wire.filter(({ peer, message }) => {
      return peer === "server:odd" && message["method"] === "notifications/cancelled";
    });
    assert.equal(told.length, 2);
  });

  it("T14 a server that says nothing at all is the task's mistake", {
    skip: !IS_SLOW,
  }, async () => {
    const { record } = await arena.attack(async () => {}, {
      task: withServer("setInterval(() => {}, 1000)"),
    });
    assert.equal(record.outcome, "task_error");
    assert.equal(record.fault?.code, "mcp/server-not-speaking-mcp");
  });

  it("T16 tools are checked, pinned and handed on as data, whatever they say", async () => {
    const refused = (tools: string, hello?: string): Promise<Aftermath> =>
      arena.attack(async () => assert.fail("it must not serve"), {
        task: withServer(listing(tools, hello)),
      });
    const lists: [string, RegExp][] = [
      ['[tool("a", { description: "x".repeat(1e6) })]', /describes "a" in \d+ bytes/],
      ["Array.from({ length: 1e4 }, (_, n) => tool('t' + n))", /more than 1000 tools/],
      ["[tool('a'), tool('a')]", /lists "a" twice/],
      ["[tool('../a\\nb')]", /has a tool named/],
      [
        "Array.from({ length: 40 }, (_, n) => tool('t' + n, { description: 'x'.repeat(1e5) }))",
        /in more than/,
      ],
    ];
    for (const pair of [lists.slice(0, 3), lists.slice(3)]) {
      const ends = await Promise.all(pair.map(([tools]) => refused(tools)));
      for (const [index, { record }] of ends.entries()) {
        assert.equal(record.outcome, "task_error");
        assert.equal(record.reward, null);
        assert.match(record.fault?.message ?? "", pair[index]?.[1] ?? /^$/);
      }
    }
    const { record } = await arena.attack(
      async ({ call, instruction }) => {
        assert.equal(instruction.includes("IGNORE"), false);
        assert.equal((await call("change")).text, "changed");
        assert.equal((await call("echo", { text: "still there" })).text, "still there");
        assert.match((await call("evil")).text, /Unknown tool: evil/);
      },
      { task: withServer(HOSTILE) },
    );
    assert.equal(record.outcome, "graded");
    assert.ok(record.surface?.tools.includes("echo"));
    assert.ok(!record.surface?.tools.includes("evil"));
  });
});

async function took(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function p95(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * 0.95)] ?? 0).toFixed(0);
}

/** How much the memory of this process, which is the service's and its clients', grew at most. */
