import { systemClock } from "../runtime/base/clock.ts";
import { pause } from "../runtime/base/deadline.ts";
import { silentLog } from "../runtime/base/log.ts";
import type { Box } from "../runtime/engine/engine.ts";
import { startServers } from "../runtime/mcp/link/start-servers.ts";
import {
  imageOf,
  type ServerSpec,
  SHIPPED_SERVERS,
  type StdioServerSpec,
} from "../runtime/mcp/server-spec.ts";
import { type Samples, timed } from "./figures.ts";
import { benchLongSheet } from "./long-sheet.ts";
import { benchFirstAnswers, benchRates } from "./office-calls.ts";
import type { World } from "./world.ts";

/** Servers that are measured together, as they would be in a rollout. */
interface Group {
  readonly name: string;
  readonly what: string;
  readonly servers: readonly StdioServerSpec[];
}

const ANCHOR = "filesystem";
const REST_MS = 1_000;
const QUICK_GROUPS: readonly string[] = [ANCHOR, "spreadsheet", "office"];

/**
 * What the servers cost: as an agent meets them, through the endpoint, and each by itself. The
 * file server, which is ready-made, is what the others stand beside.
 */
export async function benchSurfaces(world: World): Promise<readonly Samples[]> {
  const bare = await benchPrograms(world);
  await using served = await world.serve({ pool: 0, maxOpen: 4 });
  const met = [...(await benchFirstAnswers(world, served)), ...(await benchRates(world, served))];
  return [...met, ...bare];
}

/** Each server's program: how long until it answers, what it then takes; and the images. */
async function benchPrograms(world: World): Promise<readonly Samples[]> {
  const sizes = await world.imageSizes();
  const { quick } = world.options;
  const groups = allGroups().filter(({ name, servers }) => {
    return sizes[imageOf(servers)] !== undefined && (!quick || QUICK_GROUPS.includes(name));
  });
  const servers = groups.flatMap((group) => group.servers);
  const count = quick ? 1 : Math.max(1, Math.ceil(world.options.rounds / 2));
  const starts = new Map<string, number[]>();
  const weights = new Map<string, number[]>();
  await using sandbox = await world.createFor(distinct(servers));
  for (let turn = 1; turn <= count; turn++) {
    world.say(`surfaces: turn ${turn} of ${count}`);
    for (const group of groups) {
      world.signal.throwIfAborted();
      const { startMs, bytes } = await weigh(world, sandbox, group.servers);
      append(starts, group.name, startMs);
      append(weights, group.name, bytes / 1e6);
    }
  }
  const sheet = await benchLongSheet(world, sandbox);
  return [
    ...groups.flatMap(({ name, what }) => {
      const anchored = (figure: string) =>
        name === ANCHOR ? {} : { anchor: `surfaces.${figure}-${ANCHOR}` };
      return [
        {
          ...{
            name: `surfaces.start-${name}`,
            what: `${what}: started, to what it says of itself`,
          },
          ...{ unit: "ms" as const, values: starts.get(name) ?? [], ...anchored("start") },
        },
        {
          ...{ name: `surfaces.pss-${name}`, what: `${what}: at rest (PSS)` },
          ...{ unit: "MB" as const, values: weights.get(name) ?? [], ...anchored("pss") },
        },
      ];
    }),
    ...sheet,
    ...Object.entries(sizes).map(([image, bytes]) => ({
      ...{ name: `surfaces.image-${image}`, what: `the ${image} image` },
      ...{ unit: "MB" as const, values: [bytes / 1e6] },
    })),
  ];
}

/** Each server alone, then all in the small image together. */
function allGroups(): readonly Group[] {
  const specs: readonly ServerSpec[] = Object.values(SHIPPED_SERVERS);
  const inside = specs.flatMap((spec) => (spec.kind === "stdio" ? [spec] : []));
  const office = inside.filter((spec) => imageOf([spec]) === "office");
  const [anchor, others] = [
    inside.filter(({ name }) => name === ANCHOR),
    inside.filter(({ name }) => name !== ANCHOR),
  ];
  return [
    ...[...anchor, ...others].map((spec) => {
      return { name: spec.name, what: `the server "${spec.name}"`, servers: [spec] };
    }),
    { name: "office", what: "all servers of the office image", servers: office },
  ];
}

async function weigh(
  { options, signal }: World,
  box: Box,
  servers: readonly StdioServerSpec[],
): Promise<{ readonly startMs: number; readonly bytes: number }> {
  await using stack = new AsyncDisposableStack();
  const starting = { box, clock: systemClock, log: silentLog, signal };
  const startMs = await timed(async () => stack.use(await startServers(servers, starting)));
  await pause(options.quick ? 0 : REST_MS, signal);
  let bytes = 0;
  for (const user of new Set(servers.map((server) => server.user))) {
    bytes += await proportionalBytes(box, user);
  }
  return { startMs, bytes };
}

/** What a user's Node and browser processes take, shared pages by their share. */
async function proportionalBytes(box: Box, user: string): Promise<number> {
  const { stdout } = await box.exec(["/bin/sh", "-c", PSS], { user });
  return Number(stdout.toString().trim()) * 1024;
}

const PSS = `cat $(grep -lE '^(node|MainThread|chromium)' /proc/[0-9]*/comm 2>/dev/null |
  sed 's/comm$/smaps_rollup/') 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'`;

function distinct(servers: readonly StdioServerSpec[]): readonly StdioServerSpec[] {
  return [...new Map(servers.map((spec) => [spec.name, spec])).values()];
}

function append(all: Map<string, number[]>, name: string, value: number): void {
  all.set(name, [...(all.get(name) ?? []), value]);
}
