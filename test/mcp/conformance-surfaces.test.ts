import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import { processIdentity } from "../../runtime/base/process-identity.ts";
import { requireImages } from "../../runtime/cli/set-up/require-images.ts";
import type { Engine, Sandbox } from "../../runtime/engine/engine.ts";
import { type ServerSpec, SHIPPED_SERVERS } from "../../runtime/mcp/server-spec.ts";
import { sandboxSpec } from "../../runtime/rollout/sandbox-spec.ts";
import { MIB, openTestEngine } from "../support/engine.ts";
import { slice } from "../support/slow.ts";
import { type Check, NEXT, RELEASED, runSuite, type Score } from "./conformance-suite.ts";
import { Forwarder } from "./forwarder.ts";
import { Serving } from "./proxy-fixture.ts";
import { RawAgent } from "./raw-agent.ts";
import { StdioBridge } from "./stdio-bridge.ts";

// The checks of MCP's conformance suites that any server must pass, on each server that ships, in a
// sandbox and behind our endpoint. Whole suites are run; what a scenario asks for decides whether it
// is generic. Most are not: they call the tools, read the resources and fill the prompts of the
// suites' own example server, by name. test/mcp/conformance.test.ts runs those on such a server.
// Behind the endpoint some of the checks see the endpoint alone, so each program is asked directly too.

const OWNER = namedId("test-surfaces");
const SERVERS: readonly ServerSpec[] = Object.values(SHIPPED_SERVERS);
const LIMITS = {
  ...{ memoryBytes: 2048 * MIB, processes: 512, cpus: 2, tmpBytes: 256 * MIB },
  ...{ fileBytes: 64 * MIB, openFiles: 1024, workspaceBytes: 64 * MIB, workspaceFiles: 1000 },
  ...{ stateBytes: 16 * MIB, stateFiles: 1000 },
};
const BUDGET = { calls: 10_000, wallMs: 600_000, resultBytes: 100 * MIB, concurrentCalls: 8 };

interface Suite {
  readonly title: string;
  readonly manifest: string;
  readonly args: readonly string[];
  /** What any server must pass. */
  readonly generic: readonly string[];
  /** What is not asked of it, beside the special scenarios. */
  readonly except?: RegExp;
  /** How many checks pass at least: without it a suite that asks nothing would be passed. */
  readonly least: number;
}

const ALWAYS = ["tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"];
const WITH_SESSIONS = ["server-initialize", "ping", "server-sse-polling", ...ALWAYS];
const SUITES: readonly Suite[] = [
  {
    title: "conformance 0.1.16",
    ...{ manifest: RELEASED, args: ["--suite", "all"], generic: WITH_SESSIONS, least: 6 },
  },
  {
    title: "what 2025-11-25 requires",
    ...{ manifest: NEXT, args: ["--requirements", "2025-11-25"], least: 40 },
    generic: [...WITH_SESSIONS, "server-session-lifecycle"],
  },
  {
    title: "what 2026-07-28 requires",
    ...{ manifest: NEXT, args: ["--requirements", "2026-07-28"], least: 98 },
    generic: [
      ...[...ALWAYS, "server-stateless", "caching", "http-header-validation"],
      "input-required-result-unsupported-methods",
    ],
  },
];

/** On its standard streams, with nothing of ours between: what is about HTTP is not asked there. */
const DIRECT: Suite = {
  title: "what 2025-11-25 requires, of the program itself",
  ...{ manifest: NEXT, args: ["--requirements", "2025-11-25"], least: 34 },
  generic: ["server-initialize", "ping", "tools-list"],
  except: /^(server-sse-|server-session-|dns-rebinding-)/,
};
/** A program of ours begins in the era of the first message, so it is asked for one thing alone. */
const DIRECT_2026: Suite = {
  title: "tools as 2026-07-28 requires them, of the program itself",
  ...{ manifest: NEXT, args: ["--scenario", "tools-list", "--spec-version", "2026-07-28"] },
  ...{ generic: ["tools-list"], least: 4 },
};

interface Special {
  readonly scenario: RegExp;
  readonly why: string;
  /** It is about this capability: whoever declares it must have the method. */
  readonly capability?: string;
}

/** Scenarios that are not generic. Each scenario of a suite is generic or has a line here. */
const SPECIAL: readonly Special[] = [
  { scenario: /^tools-call-/, why: "calls tools of the example server, such as test_simple_text" },
  { scenario: /^json-schema-2020-12$/, why: "looks at its tool json_schema_2020_12_tool" },
  { scenario: /^elicitation-sep/, why: "calls its tools test_elicitation_sep…" },
  { scenario: /^input-required-/, why: "calls its tools test_input_required_result_…" },
  {
    scenario: /^http-custom-header-server-validation$/,
    why: "needs a tool whose schema has x-mcp-header, which none of ours has",
  },
  {
    ...{ scenario: /^(resources-|sep-2164-)/, capability: "resources" },
    why: "reads its resources, such as test://static-text",
  },
  {
    ...{ scenario: /^prompts-/, capability: "prompts" },
    why: "fills its prompts, such as test_simple_prompt",
  },
  {
    ...{ scenario: /^completion-complete$/, capability: "completions" },
    why: "completes arguments of its prompts",
  },
  {
    ...{ scenario: /^logging-set-level$/, capability: "logging" },
    why: "is for servers that declare that they log",
  },
  {
    ...{ scenario: /^tasks-/, capability: "extensions" },
    why: "is an extension, for servers that declare it, and calls tools such as slow_compute",
  },
];

/** Checks of generic scenarios that need something of the example server all the same. */
const UNTESTABLE = /^Not testable: server does not list the diagnostic tool 'test_\w+'/;
/** So the hints for lists of what a server does not have are asked for in vain. */
const UNDECLARED = /^(prompts|resources)\/(?:templates\/)?list returned JSON-RPC error -32601/;

describe("the conformance suites on each server that ships", { concurrency: false }, () => {
  const stack = new AsyncDisposableStack();
  let engine: Engine;
  let box: Sandbox;

  before(async () => {
    engine = stack.use(await openTestEngine());
    const held = await requireImages(engine, process.env, "office-browser");
    const images = { sandbox: held.images["office-browser"], grader: held.images.grader };
    const expires = new Date(Date.now() + 1_200_000);
    const labels = { owner: OWNER, rollout: "x", process: processIdentity(), expires };
    const need = { images, limits: LIMITS, servers: SERVERS, hostNames: [] };
    box = stack.use(await engine.create(sandboxSpec(namedId("surfaces"), need, labels)));
  });

  after(async () => {
    await stack.disposeAsync();
  });

  for (const server of slice(SERVERS, 3)) {
    it(`pass whatever any server must: ${server.name}`, async () => {
      await using forwarder = await Forwarder.open();
      // Without a manifest, so that the server itself is greeted and listed.
      await using serving = await Serving.open([server], { box, budget: BUDGET }, [forwarder.port]);
      forwarder.target = serving.url;
      forwarder.token = serving.token;
      const declared = await capabilitiesOf(serving);
      const url = `http://localhost:${forwarder.port}${new URL(serving.url).pathname}`;
      for (const suite of SUITES) {
        let score = await runSuite(suite.manifest, url, suite.args);
        // Some checks give up on answers after half a second, which a busy machine may need.
        for (let again = 0; again < 2 && wrongIn(score, suite, declared).some(isTimed); again++) {
          score = await runSuite(suite.manifest, url, suite.args);
        }
        assert.deepEqual(wrongIn(score, suite, declared), [], `${suite.title}\n${score.printed}`);
        assert.ok(score.passed >= suite.least, `${suite.title}: ${score.passed} passed`);
      }
    });
  }

  for (const server of slice(SERVERS, 3)) {
    if (server.kind !== "stdio") continue; // The terminal's server is a part of this process.
    it(`ask the program itself and find nothing wrong: ${server.name}`, async () => {
      const suites = server.process === "office" ? [DIRECT, DIRECT_2026] : [DIRECT];
      for (const suite of suites) {
        await using bridge = await StdioBridge.open(box, server);
        const score = await runSuite(suite.manifest, bridge.url, suite.args);
        assert.deepEqual(wrongIn(score, suite, {}), [], `${suite.title}\n${score.printed}`);
        assert.ok(score.passed >= suite.least, `${suite.title}: ${score.passed} passed`);
      }
    });
  }

  it("would be failed by what a generic scenario finds, and by a scenario nobody knows", () => {
    const [suite] = SUITES;
    assert.ok(suite);
    const failing = (scenario: string, errorMessage: string, id: string): Score => {
      const check: Check = { scenario, id, status: "FAILURE", errorMessage };
      const rest = { exitCode: 1, passed: 9, failed: 1, unsound: [], printed: "" };
      return { ...rest, scenarios: [...suite.generic, scenario], checks: [check] };
    };
    const wrong = (scenario: string, message: string, declared = {}, id = "a-check") =>
      wrongIn(failing(scenario, message, id), suite, declared);
    assert.deepEqual(wrong("tools-list", "a tool has no inputSchema"), [
      "tools-list a-check: a tool has no inputSchema",
    ]);
    assert.deepEqual(wrong("brand-new", "no"), ["brand-new: neither generic nor known"]);
    assert.deepEqual(wrong("tools-call-image", "Unknown tool: test_image_content"), []);
    assert.deepEqual(wrong("logging-set-level", "Method not found"), []);
    assert.deepEqual(wrong("logging-set-level", "Method not found", { logging: {} }), [
      "logging-set-level a-check: Method not found",
    ]);
    assert.deepEqual(wrong("tools-call-image", "no such member", {}, "wire-schema-valid"), [
      "tools-call-image wire-schema-valid: no such member",
    ]);
  });
});

async function capabilitiesOf(serving: Serving): Promise<Readonly<Record<string, unknown>>> {
  const reply = await new RawAgent(serving.url, serving.token).initialize();
  const result = reply.messages.at(-1)?.["result"] as {
    readonly capabilities: Readonly<Record<string, unknown>>;
  };
  return result.capabilities;
}

/** What of a suite's run no server may be excused from. */
function wrongIn(
  { scenarios, checks }: Score,
  { generic, except }: Suite,
  declared: Readonly<Record<string, unknown>>,
): string[] {
  const special = (name: string) =>
    generic.includes(name) ? undefined : SPECIAL.find(({ scenario }) => scenario.test(name));
  const asked = (name: string) => except?.test(name) !== true;
  const missing = generic.filter((name) => !scenarios.includes(name));
  const unknown = scenarios.filter((name) => {
    return asked(name) && !generic.includes(name) && !special(name);
  });
  const bad = checks.filter(({ status, scenario, id, errorMessage = "" }) => {
    if (!asked(scenario)) return false;
    if (status !== "FAILURE" && status !== "WARNING") return false;
    if (id.startsWith("wire-schema")) return true; // Whatever was asked, answers are well-formed.
    const known = special(scenario);
    if (known !== undefined) return isDeclared(known, declared) && isNotThere(errorMessage);
    const [, list] = UNDECLARED.exec(errorMessage) ?? [];
    if (list !== undefined) return Object.hasOwn(declared, list);
    return generic.includes(scenario) && !UNTESTABLE.test(errorMessage);
  });
  return [
    ...missing.map((name) => `${name}: was not run`),
    ...unknown.map((name) => `${name}: neither generic nor known`),
    ...bad.map(({ scenario, id, errorMessage }) => `${scenario} ${id}: ${errorMessage}`),
  ];
}

function isTimed(wrong: string): boolean {
  return wrong.startsWith("server-stateless ");
}

function isDeclared({ capability }: Special, declared: Readonly<Record<string, unknown>>): boolean {
  return capability !== undefined && Object.hasOwn(declared, capability);
}

/** Who declares a capability may not have what the example server has, but must have the method. */
function isNotThere(errorMessage: string): boolean {
  return /Method not found|-32601/.test(errorMessage);
}
