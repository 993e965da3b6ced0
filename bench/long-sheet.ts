import type { Box } from "../runtime/engine/engine.ts";
import { SHIPPED_SERVERS, type StdioServerSpec } from "../runtime/mcp/server-spec.ts";
import { benchFault } from "./faults.ts";
import type { Samples } from "./figures.ts";
import { LineCaller } from "./mcp-clients.ts";
import type { World } from "./world.ts";

const ROWS = 10_000;
const QUICK_ROWS = 500;
const PAGE = 500;
const PATH = "long.xlsx";

/** A long sheet read from its first page to its last: what the server took at most, and how fast. */
export async function benchLongSheet(world: World, box: Box): Promise<readonly Samples[]> {
  const spec = SHIPPED_SERVERS["spreadsheet"];
  if (spec?.kind !== "stdio") throw benchFault("failed", "spreadsheets are not one program");
  const rows = world.options.quick ? QUICK_ROWS : ROWS;
  world.say(`surfaces, a sheet of ${rows} rows`);
  const csv = `seq ${rows} | awk -v OFS=, '{ print $1, "Product " $1, $1 * 1.25, "open", "Rome", "2026-03-02" }'`;
  await box.exec(["/bin/sh", "-c", `umask 002; ${csv} > /workspace/long.csv`], { user: "agent" });
  await withServer(spec, box, (caller) =>
    caller.call("import_csv", { csv: "long.csv", path: PATH }),
  );
  const [peaks, rates]: [number[], number[]] = [[], []];
  const rounds = world.options.quick ? 1 : 3;
  for (let round = 1; round <= rounds; round++) {
    world.signal.throwIfAborted();
    await withServer(spec, box, async (caller) => {
      const fromMs = performance.now();
      await readAll(caller, rows);
      rates.push((rows * 1000) / (performance.now() - fromMs));
      peaks.push((await peakBytes(box, spec.user)) / 1e6);
    });
  }
  const what = `a sheet of ${rows} rows read in pages of ${PAGE}`;
  const peak = `${what}: the most memory that the server had (resident)`;
  return [
    { name: "surfaces.sheet-peak", what: peak, unit: "MB", values: peaks },
    { name: "surfaces.sheet-rows", what: `${what}: rows`, unit: "per second", values: rates },
  ];
}

async function withServer(
  { argv, env, user, name }: StdioServerSpec,
  box: Box,
  work: (caller: LineCaller) => Promise<unknown>,
): Promise<void> {
  await using program = await box.open([...argv, name], { user, env });
  program.stderr.resume();
  await work(await LineCaller.open(program.stdin, program.stdout));
}

interface ReadAnswer {
  readonly structuredContent: { readonly rows: readonly unknown[]; readonly next?: string };
}

async function readAll(caller: LineCaller, rows: number): Promise<void> {
  let read = 0;
  let range: string | undefined;
  do {
    const args = { path: PATH, limit: PAGE, ...(range !== undefined && { range }) };
    const { structuredContent } = (await caller.call("read_range", args)) as ReadAnswer;
    read += structuredContent.rows.length;
    range = structuredContent.next;
  } while (range !== undefined);
  if (read !== rows) throw benchFault("failed", `of ${rows} rows only ${read} were read`);
}

/** Of all of a user's Node processes, each at its highest. */
async function peakBytes(box: Box, user: string): Promise<number> {
  const { stdout } = await box.exec(["/bin/sh", "-c", PEAK], { user });
  return Number(stdout.toString().trim()) * 1024;
}

const PEAK = `cat $(grep -lE '^(node|MainThread)' /proc/[0-9]*/comm 2>/dev/null |
  sed 's/comm$/status/') 2>/dev/null | awk '/^VmHWM:/ { sum += $2 } END { print sum + 0 }'`;
