import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Cloche } from "../runtime/api/client/cloche.ts";
import type { Sandbox } from "../runtime/engine/engine.ts";
import { SHIPPED_SERVERS } from "../runtime/mcp/server-spec.ts";
import { benchFault } from "./faults.ts";
import { type Samples, timed } from "./figures.ts";
import { openFloor } from "./floor.ts";
import { type Caller, LineCaller, SessionCaller, StatelessCaller } from "./mcp-clients.ts";
import type { OpenRollout, Served } from "./served.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const SERVER = "filesystem";
const SERVERS = fileURLToPath(new URL("../servers/office-process.ts", import.meta.url));

/** A tool whose work is next to nothing, so that the way to it is what is measured. */
const TOOL = "list_allowed_directories";
const BLOCK = 10;
const WARM_UP = 50;
const CROWDS = [8, 32] as const;
const BURSTS = 3;

/**
 * The same call of the same server over every way: through the endpoint, on an exec stream of the
 * engine, and to a child process here. One at a time in turns of ten; then many callers at once.
 */
export async function benchCall(world: World): Promise<readonly Samples[]> {
  const { quick, rounds } = world.options;
  await using stack = new AsyncDisposableStack();
  const served = stack.use(await world.serve({ pool: 0, maxOpen: 16 }));
  world.say("call: a rollout, a bare sandbox and a local server");
  const sandbox = stack.use(await world.createSandbox());
  const rollout = await served.open();
  const ways = await openWays(world, { served, rollout, sandbox }, stack);
  const times = new Map(Object.keys(ways).map((way) => [way, [] as number[]]));
  for (const way of Object.values(ways)) await callOften(way, quick ? 2 : WARM_UP);
  for (const _ of turns(world, "call", quick ? 1 : 4 * rounds)) {
    for (const [name, way] of Object.entries(ways)) {
      times.get(name)?.push(...(await callOften(way, BLOCK)));
    }
  }
  const samples = Object.entries(WAYS).map(([name, what]): Samples => {
    const anchor = name === "exec" ? {} : { anchor: "call.exec" };
    const values = times.get(name) ?? [];
    return { name: `call.${name}`, what, unit: "ms", ...anchor, values };
  });
  const rates = await crowdRates(world, { exec: ways.exec, http: ways.http });
  return [...samples, ...rates];
}

const WAYS = {
  exec: "one call, on the engine's exec stream",
  local: "one call, to a child process on this machine",
  floor: "one HTTP request to a Node process that only answers",
  http: "one call, through the endpoint (2025-11-25, HTTP by hand)",
  stateless: "one call, through the endpoint (2026-07-28, HTTP by hand)",
  sdk: "one call, through the endpoint (official SDK client)",
  api: "one call, POST /v1/rollouts/{id}/tools/{name}",
} as const;

interface Places {
  readonly served: Served;
  readonly rollout: OpenRollout;
  readonly sandbox: Sandbox;
}

async function openWays(
  world: World,
  { served, rollout, sandbox }: Places,
  stack: AsyncDisposableStack,
): Promise<Record<keyof typeof WAYS, Caller>> {
  const { http } = served;
  const spec = SHIPPED_SERVERS[SERVER];
  if (spec?.kind !== "stdio") throw benchFault("failed", "the file server is not one program");
  const argv = [...spec.argv, SERVER];
  const program = stack.use(await sandbox.open(argv, { user: spec.user, env: spec.env }));
  program.stderr.resume();
  const child = localServer(world);
  stack.defer(() => void child.kill("SIGKILL"));
  if (child.stdin === null || child.stdout === null) throw new Error("the child has no streams");
  const cloche = new Cloche({ url: served.url });
  const attached = await cloche.attach(rollout.id);
  stack.defer(() => attached.release());
  const client = await attached.mcp();
  const route = `${served.url}/v1/rollouts/${rollout.id}/tools`;
  return {
    exec: await LineCaller.open(program.stdin, program.stdout),
    local: await LineCaller.open(child.stdin, child.stdout),
    floor: await openFloor(http, world.env, stack),
    http: await SessionCaller.open(http, rollout.mcp),
    stateless: new StatelessCaller(http, rollout.mcp),
    sdk: { call: (name, args) => client.callTool({ name, arguments: args }) },
    api: {
      call: (name, args) =>
        http.ask(`${route}/${name}`, { method: "POST", body: { arguments: args } }),
    },
  };
}

/** The sandbox's file server from its source, run by the Node that runs this. */
function localServer(world: World): ChildProcess {
  const child = spawn(process.execPath, [SERVERS, SERVER], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...world.env, CLOCHE_WORKSPACE: world.folder },
  });
  child.on("error", () => {}); // Its streams say it too.
  return child;
}

async function callOften(way: Caller, times: number): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await timed(() => way.call(TOOL, {})));
  return values;
}

async function crowdRates(
  world: World,
  ways: Record<"exec" | "http", Caller>,
): Promise<readonly Samples[]> {
  const { quick } = world.options;
  const samples: Samples[] = [];
  for (const crowd of CROWDS) {
    const rates = { exec: [] as number[], http: [] as number[] };
    for (let burst = 1; burst <= (quick ? 1 : BURSTS); burst++) {
      world.say(`call: ${crowd} callers at once, burst ${burst}`);
      rates.exec.push(await rateOf(ways.exec, crowd, quick ? 100 : 1_500));
      rates.http.push(await rateOf(ways.http, crowd, quick ? 100 : 1_500));
      world.signal.throwIfAborted();
    }
    const anchor = `call.exec-rate-${crowd}`;
    const bare = `calls on the exec stream, ${crowd} at once`;
    const what = `calls through one process, ${crowd} callers`;
    samples.push({ name: anchor, what: bare, unit: "per second", values: rates.exec });
    const name = `call.http-rate-${crowd}`;
    samples.push({ name, what, unit: "per second", anchor, values: rates.http });
  }
  return samples;
}

/** Calls per second of `crowd` callers, each with one call under way. */
async function rateOf(way: Caller, crowd: number, ms: number): Promise<number> {
  let done = 0;
  const fromMs = performance.now();
  const caller = async () => {
    while (performance.now() - fromMs < ms) {
      await way.call(TOOL, {});
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: crowd }, caller));
  return (done * 1000) / (performance.now() - fromMs);
}
