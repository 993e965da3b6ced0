import type { Log } from "../../base/log.ts";
import type { Custody } from "../custody.ts";
import type { EngineCall, FoundSandbox } from "../engine.ts";
import { endUser } from "./descendants.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";
import { DockerBox } from "./docker-box.ts";
import { DockerSandbox } from "./docker-sandbox.ts";
import { unreadablePaths } from "./host-config.ts";
import { type Part, partNames, partsOf, readUsers } from "./parts.ts";
import { SECCOMP } from "./seccomp.ts";

/** One container as Docker describes it: nothing of this can be written from inside. */
interface Inspection {
  readonly State: { readonly Running: boolean };
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly Tmpfs: Readonly<Record<string, string>> | null;
    readonly Runtime?: string;
    readonly SecurityOpt?: readonly string[] | null;
  };
}

interface KnownBox {
  readonly box: DockerBox;
  readonly isRunning: boolean;
  readonly uids: Readonly<Record<string, number>>;
  readonly gid: number;
}

interface Boxes {
  readonly main: KnownBox;
  readonly keeper: KnownBox | undefined;
  readonly outlet: KnownBox | undefined;
}

/**
 * Makes a sandbox of what another process has left under this id. Undefined if the box that holds
 * the workspace (the keeper, or the main box where there is none) is gone or has ended, or if what
 * is there was not made by us.
 */
export async function attachSandbox(
  { api, log }: { readonly api: DockerApi; readonly log: Log },
  { id, labels }: FoundSandbox,
  custody: Custody,
  { signal }: EngineCall,
): Promise<DockerSandbox | undefined> {
  const parts = await partsOf(api, labels.owner, id, signal ? { signal } : {});
  const names = partNames(id);
  const named = (name: string) =>
    parts.find((part) => part.kind === "container" && part.name === name);
  const wasKept = parts.some(({ name }) => name === names.scratch);
  const look = async (): Promise<Boxes | undefined> => {
    const main = await inspect(api, log, named(names.main), signal);
    const keeper = await inspect(api, log, named(names.keeper), signal);
    const outlet = await inspect(api, log, named(names.outlet), signal);
    const holder = wasKept ? keeper : main;
    const isHeld = holder?.isRunning === true && holder.gid === main?.gid;
    return main && isHeld ? { main, keeper, outlet } : undefined;
  };
  const found = await look();
  if (found === undefined) return undefined;
  const failure = await endPrograms(api, found);
  signal?.throwIfAborted();
  // What was there may have been on its way out, and then nothing can be run in it any more.
  const still = await look();
  if (still === undefined) return undefined;
  if (failure !== undefined && still[failure.box]?.isRunning) throw failure.error;
  const { main, keeper, outlet } = still;
  const uids = { ...main.uids, ...keeper?.uids, ...outlet?.uids };
  const identity = { uids, gid: main.gid };
  const handles = (kind: Part["kind"]) =>
    parts.filter((part) => part.kind === kind).map(({ handle }) => handle);
  return new DockerSandbox({
    ...{ api, log, id, identity, main: main.box, keeper: keeper?.box },
    outlet: outlet?.isRunning ? outlet.box : undefined,
    release: custody.take(labels.owner, id),
    hasState: parts.some(({ name }) => name === names.state),
    made: { containers: handles("container"), volumes: handles("volume") },
  });
}

async function inspect(
  api: DockerApi,
  log: Log,
  part: Part | undefined,
  signal: AbortSignal | undefined,
): Promise<KnownBox | undefined> {
  if (part === undefined) return undefined;
  const { handle: container, name } = part;
  const what = `inspect ${name}`;
  const path = `/containers/${container}/json`;
  try {
    const found = await api.json<Inspection>({ what, method: "GET", path, signal });
    const uids = readUsers(found.Config.Labels);
    const [uid, gid] = found.Config.User.split(":").map(Number);
    if (uids === undefined || gid === undefined || uids["init"] !== uid) return undefined;
    const box = new DockerBox({
      ...{ api, log, container, name },
      identity: { uids, gid },
      users: Object.keys(uids),
      runtime: found.HostConfig.Runtime,
      confines: found.HostConfig.SecurityOpt?.includes(`seccomp=${SECCOMP.strict}`) ?? false,
      unreadable: unreadablePaths(Object.keys(found.HostConfig.Tmpfs ?? {})),
    });
    return { box, isRunning: found.State.Running, uids, gid };
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw failed(error);
  }
}

/** In all boxes, as far as they run. Says in which one it failed, if it did. */
async function endPrograms(
  api: DockerApi,
  boxes: Boxes,
): Promise<{ readonly box: keyof Boxes; readonly error: unknown } | undefined> {
  for (const name of ["main", "keeper", "outlet"] as const) {
    const known = boxes[name];
    if (!known?.isRunning) continue;
    const { container } = known.box.parts;
    // Init stays: it is the box's own sleep.
    const users = Object.entries(known.uids).filter(([user]) => user !== "init");
    const ends = users.map(([, uid]) => endUser({ api, container, user: `${uid}:${known.gid}` }));
    const failed = (await Promise.allSettled(ends)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") return { box: name, error: failed.reason };
  }
  return undefined;
}
