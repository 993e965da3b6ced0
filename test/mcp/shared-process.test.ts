import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { StdioServerSpec } from "../../runtime/mcp/server-spec.ts";
import { Serving, textOf } from "./proxy-fixture.ts";

const PATH = fileURLToPath(new URL("./servers/many.ts", import.meta.url));

function shared(name: string): StdioServerSpec {
  const argv = [process.execPath, PATH];
  return { name, kind: "stdio", argv, env: {}, user: "agent", process: "many" };
}

const THREE = ["one", "two", "three"].map(shared);

test("the end of the program is the end of each server in it, and each call's result says so", async () => {
  await using serving = await Serving.open(THREE);
  const during = serving.proxy.callTool("flood_two", { bytes: 4_000_000 });
  const died = textOf(await serving.proxy.callTool("die_one", {}));
  assert.match(died, /ended with exit code 3/);
  await during;
  for (const name of ["one", "two", "three"]) {
    assert.match(textOf(await serving.proxy.callTool(`say_${name}`, { text: "hi" })), /is gone/);
  }
  const outcomes = serving.steps().map(({ outcome }) => outcome);
  assert.equal(outcomes.filter((outcome) => outcome === "upstream_lost").length >= 4, true);
});

test("lines that no server's name leads break the program, as garbage does", async () => {
  await using serving = await Serving.open(THREE);
  await serving.proxy.callTool("garbage_one", {});
  const later = textOf(await serving.proxy.callTool("say_two", { text: "hi" }));
  assert.match(later, /lines that are no JSON-RPC, the last one: it is led by no server's name/);
});

test("servers that share a program are one process, with a link and a name each", async () => {
  await using serving = await Serving.open(THREE);
  assert.equal(serving.box.processes.length, 1);
  const pids = await Promise.all(
    ["one", "two", "three"].map(async (name) => {
      return textOf(await serving.proxy.callTool(`process_${name}`, {}));
    }),
  );
  assert.equal(new Set(pids).size, 1);
  const steps = serving.steps().map(({ server }) => server);
  assert.deepEqual(steps.sort(), ["one", "three", "two"]);
  const peers = serving.frames().map(({ peer }) => peer);
  for (const name of ["one", "two", "three"]) assert.ok(peers.includes(`server:${name}`));
});

test("texts with every kind of line end pass as they are, and large ones at the same time", async () => {
  await using serving = await Serving.open(THREE);
  const text = "a\u2028b\u2029c\r\nd\te\u0085f";
  const [said, ...floods] = await Promise.all([
    serving.proxy.callTool("say_one", { text }),
    serving.proxy.callTool("flood_two", { bytes: 900_000 }),
    serving.proxy.callTool("flood_three", { bytes: 900_000 }),
  ]);
  assert.equal(textOf(said), `one: ${text}`);
  for (const flood of floods) assert.equal(textOf(flood).length, 900_000);
  const large = "ü".repeat(400_000);
  assert.equal(
    textOf(await serving.proxy.callTool("say_three", { text: large })),
    `three: ${large}`,
  );
});

test("servers of one program and servers of their own stand side by side", async () => {
  const { process: _, ...alone } = { ...shared("alone"), argv: [process.execPath, PATH, "--many"] };
  await assert.rejects(Serving.open([...THREE, alone], { startTimeoutMs: 500 }), {
    code: "mcp/server-not-speaking-mcp",
  });
  await using serving = await Serving.open([...THREE, { ...shared("four"), process: "other" }]);
  assert.equal(serving.box.processes.length, 2);
  assert.equal(textOf(await serving.proxy.callTool("say_four", { text: "x" })), "four: x");
});
