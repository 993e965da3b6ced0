import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import type { Json } from "../../runtime/base/canonical-json.ts";
import { completions, parsePlayLine } from "../../runtime/cli/play/play-line.ts";
import { solutionText } from "../../runtime/cli/play/solution-text.ts";
import type { Step } from "../../runtime/mcp/record/step.ts";

const TOOLS = [
  {
    name: "write_file",
    inputSchema: {
      properties: { path: { type: "string" }, content: { type: "string" } },
      required: ["path"],
    },
  },
  {
    name: "send_mail",
    inputSchema: { properties: { to: { type: "array" }, urgent: { type: "boolean" }, copies: {} } },
  },
];

describe("a line of a play", () => {
  const calls: Readonly<Record<string, Json>> = {
    "write_file path=a.txt content=12": { path: "a.txt", content: "12" },
    'write_file path="two words" content="line\\n"': { path: "two words", content: "line\n" },
    'write_file content=\'{"as": "it stands"}\'': { content: '{"as": "it stands"}' },
    "write_file content={1} path=x": { content: "{1}", path: "x" },
    "write_file content=": { content: "" },
    'send_mail to=["a ] b", "c"] urgent=true copies=2': {
      to: ["a ] b", "c"],
      urgent: true,
      copies: 2,
    },
    'send_mail {"to": [], "urgent": false}': { to: [], urgent: false },
    "call send_mail copies=many": { copies: "many" },
    send_mail: {},
  };

  for (const [line, args] of Object.entries(calls)) {
    it(`is understood as a call: ${line}`, () => {
      const understood = parsePlayLine(line, TOOLS);
      assert(understood?.kind === "call");
      assert.deepEqual(understood.args, args);
    });
  }

  for (const [line, message] of [
    ["write_file path", /"path" is no key=value/],
    ["write_file pth=a", /takes no "pth"; did you mean "path"/],
    ["send_mail to=[1, 2", /to: \[1, 2 is not JSON/],
    ["send_mali", /there is no tool "send_mali"; did you mean "send_mail"/],
    ["__proto__", /there is no tool "__proto__"/],
  ] as const) {
    it(`is refused: ${line}`, () => {
      assert.throws(() => parsePlayLine(line, TOOLS), message);
    });
  }

  it("is completed by words, tools and the arguments that are still free", () => {
    assert.deepEqual(completions("s", TOOLS)[0], ["steps ", "save ", "submit ", "send_mail "]);
    assert.deepEqual(completions("help w", TOOLS), [["write_file "], "w"]);
    assert.deepEqual(completions("write_file ", TOOLS)[0], ["path=", "content="]);
    assert.deepEqual(completions("call write_file path=a c", TOOLS)[0], ["content="]);
    assert.deepEqual(completions("write_file path=a p", TOOLS)[0], []);
  });
});

describe("the start of a solution", () => {
  it("is Python that makes the same calls with the same arguments", () => {
    const made: [string, Json, Step["outcome"]][] = [
      ["write_file", { path: 'ä "q" \\ \u2028 \n', content: "x".repeat(200) }, "ok"],
      ["send_mail", { to: [null, true, false, -1.5e21], n: { "a b": [] } }, "tool_error"],
      ["odd", { class: 1, tool: "t", "a-b": 2 }, "ok"],
      ["bare", {}, "ok"],
    ];
    const steps = made.map(([exposedName, args, outcome]) => {
      return { exposedName, arguments: args, outcome } as Step;
    });
    const program = `${solutionText("a/b", 1, steps)}
class Agent:
    def __init__(self):
        self.calls = []

    def call(self, tool, *, check=True, **arguments):
        self.calls.append([tool, arguments, check])

    def call_all(self, calls, *, check=True):
        self.calls += [[tool, arguments, check] for tool, arguments in calls]


import json
agent = Agent()
solve(agent)
print(json.dumps(agent.calls))
`;
    const said = execFileSync("python3", ["-"], { input: program, encoding: "utf8" });
    assert.deepEqual(
      JSON.parse(said),
      made.map(([tool, args, outcome]) => [tool, args, outcome === "ok"]),
    );
  });
});
