import { join } from "node:path";
import { rolloutId } from "../runtime/base/id.ts";
import { processIdentity } from "../runtime/base/process-identity.ts";
import type { RolloutRecord } from "../runtime/store/record.ts";
import { RecordStore } from "../runtime/store/records.ts";
import { BENCH_TASK } from "./bench-task.ts";
import { type Samples, timed } from "./figures.ts";
import { turns } from "./turns.ts";
import type { World } from "./world.ts";

const SMALL = 100;
const LARGE = { usual: 100_000, quick: 2_000 } as const;
const BATCH = 1_000;
const PAGE = 20;
/** Records of the one task that is listed, spread evenly, however many others there are. */
const OF_RARE = 2 * PAGE;

/** The store's operations, in turns on a file with few records and on one with many. */
export async function benchStore(world: World): Promise<readonly Samples[]> {
  const { quick, rounds } = world.options;
  const large = quick ? LARGE.quick : LARGE.usual;
  using few = await filled(world, SMALL);
  using many = await filled(world, large);
  const times = new Map<string, number[]>();
  for (const turn of turns(world, "store", quick ? 3 : 20 * rounds)) {
    for (const filledStore of [few, many]) {
      for (const [verb, work] of Object.entries(OPERATIONS)) {
        const name = `store.${verb}-${filledStore.count}`;
        const values = times.get(name) ?? [];
        values.push(await timed(() => work(filledStore, turn)));
        times.set(name, values);
      }
    }
  }
  return Object.keys(OPERATIONS).flatMap((verb) =>
    [SMALL, large].map((count): Samples => {
      const name = `store.${verb}-${count}`;
      const anchor = count === SMALL ? {} : { anchor: `store.${verb}-${SMALL}` };
      const what = `${WHAT[verb as keyof typeof WHAT]}, ${count.toLocaleString("en")} records`;
      return { name, what, unit: "ms", values: times.get(name) ?? [], ...anchor };
    }),
  );
}

const WHAT = {
  put: "writing a record, on the disk when it returns",
  get: "reading one by id",
  list: `the newest ${PAGE}`,
  "list-page": `${PAGE} of a rare task, by a cursor from the middle`,
} as const;

const OPERATIONS: Record<keyof typeof WHAT, (store: Filled, turn: number) => Promise<unknown>> = {
  put: ({ records, count }, turn) => records.put(recordOf(count + turn, count)),
  get: ({ records, ids }, turn) => records.get(ids[(turn * 7919) % ids.length] ?? ""),
  list: ({ records }) => records.list({ limit: PAGE }),
  "list-page": ({ records, cursor }) => records.list({ limit: PAGE, cursor, task: RARE, key: KEY }),
};

interface Filled extends Disposable {
  readonly records: RecordStore;
  readonly count: number;
  readonly ids: readonly string[];
  /** To a place in the middle of all. */
  readonly cursor: string;
}

async function filled({ folder, say, signal }: World, count: number): Promise<Filled> {
  const records = await RecordStore.open(join(folder, `records-${count}.db`));
  const ids: string[] = [];
  for (let from = 0; from < count; from += BATCH) {
    signal.throwIfAborted();
    if (from % 20_000 === 0) say(`store: writing ${count} records, ${from} are there`);
    const size = Math.min(BATCH, count - from);
    const members = Array.from({ length: size }, (_, index) => {
      return { record: recordOf(from + index, count), member: 1 };
    });
    await records.admissions.admit({ members, instruction: "Leave it." }, new Date());
    ids.push(...members.map(({ record }) => record.id));
  }
  const middle = recordOf(Math.floor(count / 2), count);
  const cursor = Buffer.from(`${middle.requestedAt} ${middle.id}`).toString("base64url");
  return { records, count, ids, cursor, [Symbol.dispose]: () => records[Symbol.dispose]() };
}

const FIRST_MS = Date.parse("2026-01-01T00:00:00Z");

const KEY = "local";
const RARE = `${BENCH_TASK}-rare`;

function taskName(number: number, count: number): string {
  return number % Math.floor(count / OF_RARE) === 0 ? RARE : BENCH_TASK;
}

/** A record such as a graded rollout leaves; each requested a second after the one before. */
function recordOf(number: number, count: number): RolloutRecord {
  const at = new Date(FIRST_MS + number * 1000).toISOString();
  const criterion = { name: "readme.txt is as it was", weight: 1, score: 1, reason: "it is" };
  return {
    ...{ schema: "cloche.record/1", id: rolloutId(), variant: 1, split: "train", policy: "null" },
    task: { id: taskName(number, count), sha256: "0".repeat(64) },
    ...{ group: null, attempt: 1, labels: {}, key: KEY, process: processIdentity() },
    ...{ phase: "stored", outcome: "graded", ending: { kind: "submitted", answer: null } },
    ...{ rewardKind: "sparse", reward: { sparse: 1, dense: 1 } },
    criteria: [{ ...criterion, error: null }],
    ...{ fault: null, steps: 10, bundle: "0".repeat(64), requestedAt: at, endedAt: at },
    reachedMs: { requested: 0, seeded: 100, serving: 300, finished: 400, captured: 500 },
    limits: LIMITS,
    budget: { calls: 200, wallMs: 1_800_000, resultBytes: 262_144, concurrentCalls: 8 },
    images: { sandbox: "cloche/office:0000", grader: "cloche/grader:0000" },
    ...{ engine: "docker", identity: null, sandbox: null, leaseMs: 120_000, surface: null },
  };
}

const LIMITS: RolloutRecord["limits"] = {
  memoryBytes: 2 ** 29,
  processes: 256,
  cpus: 1,
  tmpBytes: 2 ** 26,
  fileBytes: 2 ** 27,
  openFiles: 1024,
  workspaceBytes: 2 ** 25,
  workspaceFiles: 10_000,
};
