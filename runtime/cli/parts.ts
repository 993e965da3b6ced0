import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { openLog } from "../base/log.ts";
import { didYouMean } from "../base/nearest.ts";
import { processIdentity } from "../base/process-identity.ts";
import { digestsOnly } from "../engine/by-digest.ts";
import { type Engine, type EngineReport, PROFILES, type ProfileName } from "../engine/engine.ts";
import { openEngine } from "../engine/engines.ts";
import { McpListener } from "../mcp/door/listener.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { type DataFolder, openDataFolder } from "../store/data-folder.ts";
import { RecordStore } from "../store/records.ts";
import { requireRoots } from "../task/roots.ts";
import type { CommonOptions, Context } from "./context.ts";
import { dataPath } from "./data-path.ts";
import { cliFault } from "./faults.ts";
import { onInterrupt } from "./interrupts.ts";
import { byDigest, type HeldImages, requireImages } from "./set-up/require-images.ts";
import { signerOf } from "./signing.ts";

/** Where tasks/ and fixtures/ lie: each --root, else the repository. Rejects with `task/bad-root`. */
export async function taskRoots(
  { root }: Context,
  options: CommonOptions,
): Promise<readonly string[]> {
  return await requireRoots(options.root ?? [root]);
}

/** Whether the operator has allowed it, by the option or the environment. */
export function egressAllowed({ env }: Pick<Context, "env">, options: CommonOptions): boolean {
  return options.allowEgress ?? Boolean(env["CLOCHE_ALLOW_EGRESS"]);
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "silent"];

/** A data folder with its records, for commands that need no engine. */
export interface Records extends AsyncDisposable {
  readonly data: DataFolder;
  readonly records: RecordStore;
}

export async function openRecords(context: Context, options: CommonOptions): Promise<Records> {
  const data = await openDataFolder(dataPath(options.data, context.env));
  const records = await RecordStore.open(data.database);
  return { data, records, [Symbol.asyncDispose]: async () => records[Symbol.dispose]() };
}

/** An engine that answers, or a fault that says what to do. */
export async function openAnsweringEngine(
  context: Context,
  options: CommonOptions,
): Promise<{ engine: Engine; report: EngineReport }> {
  const { env } = context;
  const runtime = options.runtime ?? (env["CLOCHE_RUNTIME"] || undefined);
  const profile = profileOf(options.profile ?? (env["CLOCHE_PROFILE"] || "default"));
  const engine = await openEngine(options.engine ?? "docker", {
    ...{ env, profile, ...patienceOf(env) },
    ...(runtime === undefined ? {} : { runtime }),
  });
  try {
    return { engine, report: await engine.check() };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Our images as the engine holds them, and the engine to make sandboxes with. Rejects as
 * `requireImages` and `byDigest` do.
 */
export async function openImages(
  engine: Engine,
  { env }: Context,
  options: CommonOptions,
): Promise<HeldImages & { readonly engine: Engine }> {
  const held = await requireImages(engine, env);
  const isWanted = options.imagesByDigest ?? Boolean(env["CLOCHE_IMAGES_BY_DIGEST"]);
  return isWanted ? { ...byDigest(held, env), engine: digestsOnly(engine) } : { ...held, engine };
}

/** @throws `cli/bad-option` */
function patienceOf({ CLOCHE_ENGINE_PATIENCE: text = "" }: NodeJS.ProcessEnv) {
  if (text === "") return {};
  if (/^\d{1,5}$/.test(text)) return { patienceMs: Number(text) * 1_000 };
  throw cliFault("bad-option", `CLOCHE_ENGINE_PATIENCE is "${text}": give whole seconds`);
}

function profileOf(name: string): ProfileName {
  const profile = PROFILES.find((known) => known === name);
  if (profile !== undefined) return profile;
  const message = `no profile is named "${name}" (known: ${PROFILES.join(", ")})`;
  throw cliFault("bad-option", `${message}${didYouMean(name, PROFILES)}`);
}

/** What rollouts are made with but for the door that agents come through; closed with the stack. */
export async function openCommonParts(
  stack: AsyncDisposableStack,
  context: Context,
  options: CommonOptions,
): Promise<Omit<RolloutParts, "listener"> & { readonly report: EngineReport }> {
  const { data, records } = stack.use(await openRecords(context, options));
  const log = openLog(join(data.log, "cloche.log"), {
    level: logLevel(context.env),
    onTerminal: options.verbose === true,
  });
  const { engine: opened, report } = await openAnsweringEngine(context, options);
  stack.use(opened);
  const { engine, images, manifests } = await openImages(opened, context, options);
  const signer = await signerOf(options.signingKey, context.env);
  return {
    ...{ engine, engineSummary: report.summary, report, images, manifests, data, records, log },
    clock: systemClock,
    process: processIdentity(),
    allowEgress: egressAllowed(context, options),
    ...(signer ? { signer } : {}),
  };
}

/** Everything that one process's rollouts are made with, and what ends them. */
export type Parts = RolloutParts & AsyncDisposable & { readonly signal: AbortSignal };

export async function openParts(context: Context, options: CommonOptions): Promise<Parts> {
  const stack = new AsyncDisposableStack();
  try {
    const { report, ...common } = await openCommonParts(stack, context, options);
    const { data, log } = common;
    const listener = stack.use(await McpListener.open({ host: "127.0.0.1", port: 0, log }));
    const signal = onInterrupt(context.terminal, data.path);
    const rest = stack.move();
    return {
      ...common,
      listener,
      signal,
      [Symbol.asyncDispose]: () => rest.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** CLOCHE_LOG, else "info". @throws `cli/bad-option` */
function logLevel(env: NodeJS.ProcessEnv): string {
  const wanted = env["CLOCHE_LOG"] ?? "info";
  if (LEVELS.includes(wanted)) return wanted;
  throw cliFault("bad-option", `CLOCHE_LOG is "${wanted}": give one of ${LEVELS.join(", ")}`);
}
