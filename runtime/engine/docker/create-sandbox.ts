import { Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { Custody } from "../custody.ts";
import type { EngineCall, SandboxSpec, VolumeSpec } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { boxSpecs, type SealedSpec } from "./box-specs.ts";
import { checkSpec } from "./check-spec.ts";
import { type DockerApi, failed, failureOf, Refusal } from "./docker-api.ts";
import { DockerBox } from "./docker-box.ts";
import { DockerSandbox } from "./docker-sandbox.ts";
import {
  type BoxSpec,
  containerBody,
  temporaryFolders,
  unreadablePaths,
  type VolumeMode,
  volumeOptions,
} from "./host-config.ts";
import { type Identity, newIdentity } from "./identity.ts";
import { labelsOf, partNames, removeAttempt, removeNamed, removeOthers } from "./parts.ts";

interface DockerParts {
  readonly api: DockerApi;
  readonly log: Log;
}

/** What has been made so far. */
interface Made {
  readonly containers: string[];
  readonly volumes: string[];
  readonly identity: Identity;
  readonly release: (isGone: boolean) => void;
}

/**
 * Makes the parts of one sandbox: volumes, containers, then starts both at once (nothing but our
 * own init runs in them until this returns). The caller's signal is looked at between the steps
 * and no step is cut short, since Docker would go on with it unseen. All is removed on failure. What
 * stands under its names and is another process's attempt at the same sandbox makes way: only one whose
 * process is dead is made again.
 */
export async function createSandbox(
  docker: DockerParts,
  spec: SealedSpec,
  custody: Custody,
  { signal }: EngineCall,
): Promise<DockerSandbox> {
  checkSpec(spec);
  signal?.throwIfAborted();
  const { users, keeper, outlet } = spec;
  const identity = newIdentity([users, keeper?.users ?? [], outlet?.users ?? []].flat());
  const release = custody.take(spec.labels.owner, spec.id);
  const made: Made = { containers: [], volumes: [], identity, release };
  try {
    return await make(docker, spec, made, signal).catch(async (error: unknown) => {
      if (!isTaken(error) || !(await removeOthers(docker.api, spec.id, spec.labels))) throw error;
      await removeAttempt(docker.api, spec.labels.owner, identity);
      return await make(docker, spec, { ...made, containers: [], volumes: [] }, signal);
    });
  } catch (error) {
    release(await cleanUp(docker, spec, identity));
    throw failed(error);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Fault && error.code === "engine/name-taken";
}

async function make(
  { api, log }: DockerParts,
  spec: SealedSpec,
  made: Made,
  signal: AbortSignal | undefined,
): Promise<DockerSandbox> {
  const { identity, release } = made;
  const labels = labelsOf(spec.id, spec.labels, identity);
  const names = partNames(spec.id);
  const volumes: VolumeToMake[] = [{ name: names.workspace, spec: spec.workspace, mode: "2770" }];
  if (spec.state) volumes.push({ name: names.state, spec: spec.state, mode: "0700" });
  if (spec.keeper) volumes.push({ name: names.scratch, spec: spec.keeper.scratch, mode: "2770" });
  await all(volumes.map((one) => makeVolume(api, one, labels, made)));
  signal?.throwIfAborted();
  const specs = boxSpecs(spec, identity, labels);
  const boxes = Object.values(specs);
  const ids = await all(boxes.map((box) => makeContainer(api, box, made)));
  signal?.throwIfAborted();
  await all(boxes.map((box, index) => start(api, box, ids[index] ?? "")));
  signal?.throwIfAborted();
  const boxOf = (box: BoxSpec) =>
    new DockerBox({
      ...{ api, log, identity, name: box.name, users: box.users },
      runtime: box.seal.runtime,
      confines: box.seal.profile === "strict",
      container: ids[boxes.indexOf(box)] ?? "",
      unreadable: unreadablePaths(temporaryFolders(box)),
    });
  return new DockerSandbox({
    ...{ api, log, id: spec.id, identity, made, release },
    main: boxOf(specs.main),
    keeper: specs.keeper && boxOf(specs.keeper),
    outlet: specs.outlet && boxOf(specs.outlet),
    hasState: spec.state !== undefined,
  });
}

/** Waits for every one, also after a failure, so that whatever was made is known. */
async function all<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

interface VolumeToMake {
  readonly name: string;
  readonly spec: VolumeSpec;
  readonly mode: VolumeMode;
}

interface CreatedVolume {
  readonly Options: Readonly<Record<string, string>> | null;
}

async function makeVolume(
  api: DockerApi,
  { name, spec, mode }: VolumeToMake,
  labels: Readonly<Record<string, string>>,
  made: Made,
): Promise<void> {
  const options = volumeOptions(spec, mode, made.identity);
  const body = { Name: name, Driver: "local", DriverOpts: options, Labels: labels };
  const what = `create volume ${name}`;
  const volume = await api
    .json<CreatedVolume>({ what, method: "POST", path: "/volumes/create", body, again: "lost" })
    .catch((error: unknown) => {
      throw refused(error, name);
    });
  // An existing volume is handed back as if it were new; ours is known by its random uids.
  if (volume.Options?.["o"] !== options.o) {
    throw engineFault("name-taken", `${what}: there is a volume of this name already`);
  }
  made.volumes.push(name);
}

async function makeContainer(api: DockerApi, spec: BoxSpec, made: Made): Promise<string> {
  const what = `create container ${spec.name} from ${spec.image}`;
  const created = await createByName(api, what, spec).catch((error: unknown) => {
    throw error instanceof Refusal && error.status === 404
      ? imageMissing(spec, error)
      : refused(error, spec.name);
  });
  made.containers.push(created.Id);
  const warnings = created.Warnings ?? [];
  if (warnings.length > 0) {
    const message = `${what}: Docker warns, so a limit would not hold: ${warnings.join("; ")}`;
    throw engineFault("spec-refused", message, { detail: { warnings } });
  }
  return created.Id;
}

interface CreatedContainer {
  readonly Id: string;
  readonly Warnings: readonly string[] | null;
}

/**
 * If an answer was lost, what was made under the name all the same is removed and made again: what
 * Docker warns of is said once.
 */
async function createByName(
  api: DockerApi,
  what: string,
  spec: BoxSpec,
): Promise<CreatedContainer> {
  const patience = api.patience();
  const query = { name: spec.name };
  const request = { what, method: "POST", path: "/containers/create", query } as const;
  for (let wasLost = false; ; ) {
    try {
      return await api.json<CreatedContainer>({ ...request, body: containerBody(spec) });
    } catch (error) {
      const isTaken = error instanceof Refusal && error.status === 409;
      if (!(wasLost && isTaken) && failureOf(error) !== "lost") throw error;
      if (!(await patience.pause())) throw error;
      wasLost = true;
      await removeNamed(api, spec.name, spec.labels);
    }
  }
}

async function start(api: DockerApi, { name }: BoxSpec, id: string): Promise<void> {
  const what = `start container ${name}`;
  await api
    .json({ what, method: "POST", path: `/containers/${id}/start`, again: "lost" })
    .catch((error: unknown) => {
      throw refused(error, name);
    });
}

function imageMissing({ image }: BoxSpec, error: Refusal): Error {
  const message = `${error.message}; build it with "cloche images build"`;
  return engineFault("image-missing", message, { cause: error, detail: { image } });
}

function refused(error: unknown, name: string): unknown {
  if (!(error instanceof Refusal)) return error;
  const options = { cause: error };
  if (error.status === 409) {
    return engineFault("name-taken", `"${name}" is taken: ${error.message}`, options);
  }
  // 400: a field is refused at once; 500 with these words: the runtime could not set it up.
  const spec = error.status === 400 || /OCI runtime|invalid|not supported/i.test(error.message);
  const isNetworked = error.message.includes("network enabled in root network namespace");
  const hint = isNetworked ? '; register gVisor with runtimeArgs ["--network=none"]' : "";
  return engineFault(spec ? "spec-refused" : "failed", `${error.message}${hint}`, options);
}

/**
 * By labels, since a request that was not answered may have made something all the same, and without
 * the caller's signal. Whether nothing is left as far as Docker says.
 */
async function cleanUp(
  { api, log }: DockerParts,
  spec: SandboxSpec,
  identity: Identity,
): Promise<boolean> {
  try {
    await removeAttempt(api, spec.labels.owner, identity);
    return true;
  } catch (error) {
    log.warn({ err: error, sandbox: spec.id }, "what was made of a sandbox could not be removed");
    return false;
  }
}
