import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../runtime/base/fault.ts";
import { SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { serversOf } from "../../runtime/rollout/egress/egress-servers.ts";
import { checkTask } from "../../runtime/task/check-task.ts";
import { readTaskToml } from "../../runtime/task/task-toml.ts";
import { ofNote, smallTask } from "../support/small-task.ts";

test("hosts that are no whole name with a port, too many or none are refused, each with what to give", () => {
  const wrong = [
    "example.test",
    "10.0.0.1:80",
    "[::1]:443",
    "2130706433:80",
    "0x7f.1:80",
    "localhost:80",
    "*.example.test:443",
    "https://example.test:443",
    "example.test:443/path",
    "example.test:0",
    "example.test:65536",
    "user@example.test:443",
    "exämple.test:443",
    "",
  ];
  for (const host of wrong) {
    const message = refusal(`hosts = [${JSON.stringify(host)}]`);
    assert.match(
      message,
      /\[cloche\.egress\.hosts\]\.0 is ".*": give a whole name and a port/,
      host,
    );
  }
  assert.match(refusal("hosts = []"), /\[cloche\.egress\]\.hosts is too small/);
  assert.match(refusal(""), /\[cloche\.egress\]\.hosts is missing/);
  assert.match(refusal('hosts = "a.test:80"'), /\[cloche\.egress\]\.hosts is wrong/);
  assert.match(refusal('host = ["a.test:80"]'), /host is no key.*did you mean "hosts"/);
  const many = Array.from({ length: 33 }, (_, n) => `"a${n}.test:80"`).join(",");
  assert.match(refusal(`hosts = [${many}]`), /\[cloche\.egress\]\.hosts is too big/);
});

test("hosts are read in one form, once each; without the table there are none", () => {
  const hosts = '["B.example.test:443", "a.example.test:80", "b.example.test.:443"]';
  const { egress } = readTaskToml(`${ofNote("task.toml")}[cloche.egress]\nhosts = ${hosts}\n`, "t");
  assert.deepEqual(egress, ["a.example.test:80", "b.example.test:443"]);
  assert.deepEqual(readTaskToml(ofNote("task.toml"), "t").egress, []);
});

test("a check of the task says where it goes, as a note", async () => {
  const toml = `${ofNote("task.toml")}[cloche.egress]\nhosts = ["a.test:80"]\n`;
  await using root = await smallTask({ "task.toml": toml });
  const { notes, problems } = await checkTask(root.path, "test/note");
  assert.deepEqual(problems, []);
  assert.ok(notes.some((note) => note.includes("reaches a.test:80")));
});

test("only what works for the agent is told of the way, and sites of its own are reached without", () => {
  const own = { name: "own", kind: "stdio", argv: ["x"], env: { a: "b" }, user: "own" } as const;
  const shipped = ["filesystem", "terminal", "browser", "mail"].map(
    (name) => SHIPPED_SERVERS[name],
  );
  const servers = [...shipped.filter((one) => one !== undefined), own];
  assert.equal(serversOf({ servers, egress: [] }, []), servers);
  const [files, terminal, browser, mail, other] = serversOf({ servers, egress: ["a.test:80"] }, [
    "shop.test",
  ]);
  assert.deepEqual([files, mail], [servers[0], servers[3]]);
  assert.ok(terminal?.kind === "terminal" && other?.kind === "stdio" && browser?.kind === "stdio");
  assert.equal(terminal.env?.["https_proxy"], "http://127.0.0.1:3128");
  assert.equal(terminal.env?.["no_proxy"], "localhost,127.0.0.1,shop.test");
  assert.equal(other.env["HTTP_PROXY"], "http://127.0.0.1:3128");
  assert.equal(other.env["a"], "b");
  assert.ok(browser.argv.includes("--proxy-server=http://127.0.0.1:3128"));
});

function refusal(table: string): string {
  try {
    readTaskToml(`${ofNote("task.toml")}[cloche.egress]\n${table}\n`, "task.toml");
  } catch (error) {
    assert.ok(error instanceof Fault);
    assert.match(error.code, /^task\/(bad-value|unknown-key)$/);
    return error.message;
  }
  return assert.fail(`${table} was taken`);
}
