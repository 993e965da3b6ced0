import type { ServiceState } from "../api/api-parts.ts";
import { ApiServer } from "../api/api-server.ts";
import { createApi } from "../api/app.ts";
import { Canary } from "../api/canary.ts";
import { apiFault } from "../api/faults.ts";
import { KeyFile } from "../api/key-file.ts";
import { Keys, parseKeys, type StoredKey } from "../api/keys.ts";
import { ServiceMetrics } from "../api/metrics.ts";
import { isLoopback } from "../api/reach.ts";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { VERSION } from "../base/version.ts";
import { McpEndpoint } from "../mcp/door/endpoint.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { openRolloutService } from "../service/rollout-service.ts";
import type { Recovered, RolloutService } from "../service/service.ts";
import { requireTasks } from "../task/roots.ts";
import type { CommonOptions, Context } from "./context.ts";
import { foreignLimits } from "./foreign.ts";
import { openCommonParts, taskRoots } from "./parts.ts";
import { examineSandbox, requireSealed } from "./security/sealed.ts";
import { verifierOf } from "./signing.ts";

export interface ServeOptions extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly keys?: string;
  readonly publicUrl?: string;
  readonly allowHost: readonly string[];
  readonly pool: number;
  readonly maxOpen: number;
  readonly queue: number;
  /** Properties in which sandboxes may be weaker than they should be. */
  readonly accept: readonly string[];
  /** Files of public keys whose bundles may be graded. */
  readonly trustKey: readonly string[];
  /** "name=number": what a bundle from elsewhere may have at most. */
  readonly foreignLimit: readonly string[];
}

/** A service that answers on its port. Disposing it releases everything at once. */
export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly dataPath: string;
  readonly recovered: Recovered;
  /** Accepts nothing more and waits for what is under way; an abort releases it at once. */
  drain(graceMs: number, now: AbortSignal): Promise<void>;
}

/**
 * Puts the service together and serves it. Its port is open from the start, and answers 503 until
 * what an earlier process left has been looked after; `say` hears how far it is.
 */
export async function openServing(
  context: Context,
  options: ServeOptions,
  say: (text: string) => void,
): Promise<Serving> {
  const { keyring, roots, uploads } = await readOptions(context, options);
  const stack = new AsyncDisposableStack();
  try {
    const { report, ...common } = await openCommonParts(stack, context, options);
    const { engine, images, data, log, process } = common;
    const server = stack.use(await listen(options, log));
    say(`engine ${report.summary}; probing a sandbox`);
    const request = { engine, report, images, data, process };
    requireSealed(await examineSandbox(request), options.accept, { log, say });
    const url = urlOf(server, options);
    const endpoint = stack.use(new McpEndpoint({ url, log, ...server.reach }));
    const parts: RolloutParts = { ...common, listener: endpoint };
    const keys = new Keys(keyring.keys, systemClock, () => keyring.changed(log));
    const metrics = new ServiceMetrics();
    const service = stack.use(await openService(parts, options, metrics, roots));
    say(`looking for what an earlier process left`);
    const recovered = await service.recover();
    let state: ServiceState = "serving";
    const canary = new Canary(parts);
    const told = options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl };
    const own = {
      ...told,
      service,
      tasksRoot: roots,
      keys,
      metrics,
      canary,
      uploads,
      version: VERSION,
    };
    const api = { ...parts, ...own };
    server.serve(createApi({ ...api, state: () => state }).fetch, endpoint);
    const rest = stack.move();
    return {
      url,
      dataPath: data.path,
      recovered,
      drain: (graceMs, now) => {
        state = "draining";
        return service.drain(graceMs, now);
      },
      [Symbol.asyncDispose]: () => rest.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** What can be refused before anything is opened. */
async function readOptions(context: Context, options: ServeOptions) {
  const keyring = readKeys(context, options);
  const roots = await taskRoots(context, options);
  await requireTasks(roots);
  const uploads = {
    trusted: await Promise.all(options.trustKey.map(verifierOf)),
    limits: foreignLimits(options.foreignLimit),
  };
  return { keyring, roots, uploads };
}

/** Where it is said to serve. @throws `api/public-url-required` */
function urlOf(server: ApiServer, { host, publicUrl }: ServeOptions): string {
  const url = publicUrl ?? server.url;
  if (URL.canParse(url)) return url;
  const message = `clients cannot be given a URL with the host "${host}" in it`;
  throw apiFault("public-url-required", `${message}: give --public-url, or another --host`);
}

async function openService(
  parts: RolloutParts,
  options: ServeOptions,
  metrics: ServiceMetrics,
  roots: readonly string[],
): Promise<RolloutService> {
  const { observer } = metrics;
  const { maxOpen: inFlight, queue: maxQueued, pool } = options;
  const service = await openRolloutService(parts, {
    tasksRoot: roots,
    inFlight,
    maxQueued,
    pool: { max: pool },
    observer,
  });
  metrics.watch(service);
  return service;
}

function listen(options: ServeOptions, log: Log): Promise<ApiServer> {
  const { host, port, allowHost, publicUrl } = options;
  const allowedHosts = [...allowHost, ...(publicUrl ? [new URL(publicUrl).host] : [])];
  return ApiServer.listen({ host, port, allowedHosts, log });
}

interface Keyring {
  readonly keys: readonly StoredKey[];
  /** All of them, if they are others now. */
  readonly changed: (log: Log) => readonly StoredKey[] | undefined;
}

/** @throws `api/keys-unreadable`, and `api/key-required` for an open door to the world */
function readKeys(context: Context, { host, keys: path }: ServeOptions): Keyring {
  const file = path === undefined ? undefined : new KeyFile(path);
  const own = parseKeys(context.env["CLOCHE_KEYS"] ?? "", "CLOCHE_KEYS");
  const changed = (log: Log) => {
    const keys = file?.changed(log);
    return keys && [...keys, ...own];
  };
  const keys = [...(file?.keys ?? []), ...own];
  if (keys.length > 0 || isLoopback(host)) return { keys, changed };
  const message = `--host ${host} lets others in; make a key with: ./cloche.mjs keys new <id>`;
  throw apiFault("key-required", message);
}
