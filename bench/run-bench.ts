import { loadavg, totalmem } from "node:os";
import { messageOf } from "../runtime/base/fault.ts";
import { benchCall } from "./call.ts";
import { type Figure, figuresOf, type Samples } from "./figures.ts";
import { benchFiles } from "./files.ts";
import { benchMemory } from "./memory.ts";
import { benchRegrade } from "./regrade.ts";
import { benchStart } from "./start.ts";
import { benchStore } from "./store.ts";
import { benchSurfaces } from "./surfaces.ts";
import { benchSustained } from "./sustained.ts";
import type { World } from "./world.ts";

/** In the order in which they are measured. */
export const SUITES = {
  start: benchStart,
  call: benchCall,
  sustained: benchSustained,
  memory: benchMemory,
  store: benchStore,
  regrade: benchRegrade,
  surfaces: benchSurfaces,
  files: benchFiles,
} as const satisfies Record<string, (world: World) => Promise<readonly Samples[]>>;

export type SuiteName = keyof typeof SUITES;

/** One run, as `--json` prints it. */
export interface BenchDocument {
  readonly bench: {
    /** RFC 3339. */
    readonly startedAt: string;
    readonly seconds: number;
    readonly rounds: number;
    readonly quick: boolean;
    readonly engine: string;
    readonly images: World["images"];
    readonly machine: Machine;
  };
  readonly figures: readonly Figure[];
  /** Suites without figures, and why. */
  readonly failed: readonly { readonly suite: SuiteName; readonly message: string }[];
}

interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Processes that want a processor, over the last minute, before and after the run. */
  readonly load: readonly [number, number];
}

/** Measures one suite after the other; one that fails costs the others nothing. */
export async function runBench(world: World, suites: readonly SuiteName[]): Promise<BenchDocument> {
  const startedAt = new Date();
  const loadBefore = loadavg()[0] ?? 0;
  const figures: Figure[] = [];
  const failed: { suite: SuiteName; message: string }[] = [];
  for (const suite of suites) {
    try {
      figures.push(...figuresOf(await SUITES[suite](world)));
    } catch (error) {
      world.signal.throwIfAborted(); // Whatever failed has failed for Ctrl-C.
      failed.push({ suite, message: messageOf(error) });
      world.say(`${suite} failed: ${messageOf(error)}`);
    }
  }
  const { options, engineSummary: engine, images } = world;
  const { rounds, quick } = options;
  return {
    bench: {
      startedAt: startedAt.toISOString(),
      seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
      ...{ rounds, quick, engine, images },
      machine: {
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
        cpus: navigator.hardwareConcurrency,
        memoryBytes: totalmem(),
        load: [loadBefore, loadavg()[0] ?? 0],
      },
    },
    figures,
    failed,
  };
}
