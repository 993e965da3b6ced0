import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { smallTask } from "../support/small-task.ts";

/** No engine is there: what servers say must be had without one. */
const NO_ENGINE = { DOCKER_HOST: "unix:///nowhere/docker.sock" };

describe("cloche tools", () => {
  it("refuses a server that is not shipped, with those that are and the nearest", async () => {
    const { code, err } = await cloche(["tools", "--server", "calender"]);
    assert.equal(code, 2);
    assert.match(err, /Cloche ships filesystem, terminal, .*did you mean "calendar"/);
  });

  it("prints what each server's tools cost, without an engine too", async () => {
    const { code, out, err } = await cloche(["tools"]);
    assert.equal(code, 0, err);
    for (const name of ["filesystem", "terminal", "calendar", "memory", "browser"]) {
      assert.match(out, new RegExp(`^${name} +\\d+ +[\\d,]+ +[\\d,]+`, "m"));
    }
    assert.match(out, /^all .*tokens in o200k_base$/m);
    assert.match(err, /from the servers' sources/);
  });

  it("prints a task's tools in the format of a model's API, as one document", async () => {
    await using root = await smallTask();
    const place = ["--root", root.path, "--task", "test/note"];
    const { code, out, err } = await cloche(["tools", ...place, "--format", "openai", "--json"]);
    assert.equal(code, 0, err);
    const { format, tokens, servers, tools } = JSON.parse(out);
    assert.equal(format, "openai");
    assert.equal(tokens.encoding, "o200k_base");
    const sum = servers.reduce((all: number, one: { tokens: number }) => all + one.tokens, 0);
    assert.equal(tokens.sum, sum);
    assert.ok(sum > 500);
    for (const { type, function: tool } of tools) {
      assert.equal(type, "function");
      assert.match(tool.name, /^[a-zA-Z0-9_-]{1,64}$/);
      assert.equal(tool.parameters.type, "object");
    }
  });
});

async function cloche(args: readonly string[]) {
  const env = { ...process.env, ...NO_ENGINE, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["cloche.mjs", ...args], { env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, out, err };
}
