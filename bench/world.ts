import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../runtime/base/fault.ts";
import { namedId } from "../runtime/base/id.ts";
import { processIdentity } from "../runtime/base/process-identity.ts";
import type { Context } from "../runtime/cli/context.ts";
import { dataPath } from "../runtime/cli/data-path.ts";
import { onInterrupt } from "../runtime/cli/interrupts.ts";
import { openAnsweringEngine } from "../runtime/cli/parts.ts";
import { requireImages } from "../runtime/cli/set-up/require-images.ts";
import type { Engine, Sandbox } from "../runtime/engine/engine.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "../runtime/image/sandbox-image.ts";
import type { ServerSpec } from "../runtime/mcp/server-spec.ts";
import { imagesFor } from "../runtime/rollout/parts.ts";
import type { SandboxNeed } from "../runtime/rollout/sandbox-source.ts";
import { sandboxSpec } from "../runtime/rollout/sandbox-spec.ts";
import { openDataFolder } from "../runtime/store/data-folder.ts";
import { findTask } from "../runtime/task/task-list.ts";
import { BENCH_TASK, writeBenchTask } from "./bench-task.ts";
import { writeOfficeTasks } from "./office-task.ts";
import { Served } from "./served.ts";

export interface BenchOptions {
  /** Scales how often everything is measured. */
  readonly rounds: number;
  /** So little that it only shows that everything works. */
  readonly quick: boolean;
  /** Also what takes minutes and many gigabytes. */
  readonly full: boolean;
  readonly data?: string;
}

/** What every suite measures with. */
export interface World extends AsyncDisposable {
  readonly options: BenchOptions;
  readonly signal: AbortSignal;
  readonly engine: Engine;
  readonly engineSummary: string;
  readonly images: { readonly sandbox: string; readonly grader: string };
  /** Gone afterwards. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  say(text: string): void;
  /** The engine's own: boxes as a rollout's, with nothing of a rollout around them. */
  createSandbox(): Promise<Sandbox>;
  /** The same for these servers, with room for all of them. */
  createFor(servers: readonly ServerSpec[]): Promise<Sandbox>;
  /** In bytes: the images for sandboxes that the engine holds. */
  imageSizes(): Promise<Readonly<Partial<Record<SandboxImage, number>>>>;
  /** A service with a data folder of its own, disposed of by the caller. */
  serve(request: { readonly pool: number; readonly maxOpen: number }): Promise<Served>;
}

const HOLD_MS = 3_600_000;
const MB = 1024 * 1024;

/**
 * Opens the engine and a folder for everything that is made, beside the data that the command
 * would use (so on the same disk). Whatever is left in the engine in the end is removed.
 */
export async function openWorld(context: Context, options: BenchOptions): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const { terminal } = context;
  const { CLOCHE_KEYS: _, ...env } = context.env;
  const beside = dataPath(options.data, env);
  await mkdir(beside, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(beside, "bench-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const own = await openDataFolder(join(folder, "engine"));
  const signal = onInterrupt(terminal, own.path);
  const { engine, report } = await openAnsweringEngine(context, {});
  stack.use(engine);
  const root = join(folder, "root");
  await writeBenchTask(root);
  await writeOfficeTasks(root);
  const task = await findTask(root, BENCH_TASK);
  const { images: all } = await requireImages(engine, env);
  const images = imagesFor(task.servers, all);
  const owners = [own.owner];
  const say = (text: string) => terminal.err(`${text}\n`);
  stack.defer(() => sweep(engine, owners, say));
  const rest = stack.move();
  return {
    ...{ options, signal, engine, engineSummary: report.summary, images, folder, env },
    say,
    createSandbox: async () => await engine.create(bareSpec(task, images, own.owner), { signal }),
    createFor: async (servers) => {
      const roomy = { ...task.limits, memoryBytes: 4096 * MB, processes: 1024, openFiles: 4096 };
      const state = { stateBytes: 64 * MB, stateFiles: 1000 };
      const request = { servers, limits: { ...roomy, ...state } };
      const spec = bareSpec(request, imagesFor(servers, all), own.owner);
      return await engine.create(spec, { signal });
    },
    imageSizes: async () => {
      const sizes = SANDBOX_IMAGES.map(async (name) => {
        return [name, (await engine.images.find(all[name], { signal }))?.bytes] as const;
      });
      const held = (await Promise.all(sizes)).filter(([, bytes]) => bytes !== undefined);
      return Object.fromEntries(held);
    },
    serve: async ({ pool, maxOpen }) => {
      const data = await openDataFolder(join(folder, namedId("served")));
      owners.push(data.owner);
      return await Served.start({ data: data.path, root, pool, maxOpen, env, signal });
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

function bareSpec(
  { limits, servers }: Pick<SandboxNeed, "limits" | "servers">,
  images: World["images"],
  owner: string,
) {
  const id = namedId("bench");
  const expires = new Date(Date.now() + HOLD_MS);
  const labels = { owner, rollout: id, process: processIdentity(), expires };
  return sandboxSpec(id, { images, limits, servers, hostNames: [] }, labels);
}

/** Never throws: figures that were measured are not lost for it. */
async function sweep(
  engine: Engine,
  owners: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  for (const owner of owners) {
    try {
      for (const found of await engine.find(owner)) {
        say(`removing ${found.id}, which was left`);
        await engine.remove(found);
      }
    } catch (error) {
      say(`what is labelled cloche.owner=${owner} may be left: ${messageOf(error)}`);
    }
  }
}
