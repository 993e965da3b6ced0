import type { EngineCall, FoundSandbox, SandboxLabels } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { type DockerApi, failed, Refusal } from "./docker-api.ts";
import type { Identity } from "./identity.ts";
import { endLeaked } from "./leaked.ts";

/** What a sandbox consists of on Docker. */
export function partNames(id: string) {
  const main = `cloche-${id}`;
  return {
    main,
    keeper: `${main}-keeper`,
    outlet: `${main}-outlet`,
    workspace: `${main}-workspace`,
    state: `${main}-state`,
    scratch: `${main}-scratch`,
  };
}

const LABEL = {
  id: "cloche.id",
  owner: "cloche.owner",
  rollout: "cloche.rollout",
  expires: "cloche.expires",
  process: "cloche.process",
  /** The first uid of the block: random, so it also tells attempts at one id from each other. */
  block: "cloche.block",
  /** Of a container: its users and their numbers, "init:200000 agent:200001". */
  users: "cloche.users",
};

/** Who lives in one box, for who takes over the sandbox later. */
export function usersLabel({ uids }: Identity, users: readonly string[]): Record<string, string> {
  return { [LABEL.users]: users.map((user) => `${user}:${uids[user]}`).join(" ") };
}

/** The users of a box by its label; undefined if there is none that we could have written. */
export function readUsers(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, number>> | undefined {
  const text = labels[LABEL.users] ?? "";
  if (!/^init:\d+( [a-z_][a-z0-9_-]*:\d+)*$/.test(text)) return undefined;
  const pairs = text.split(" ").map((pair) => pair.split(":"));
  return Object.fromEntries(pairs.map(([user = "", uid]) => [user, Number(uid)]));
}

export function labelsOf(
  id: string,
  labels: SandboxLabels,
  { gid }: Identity,
): Record<string, string> {
  return {
    [LABEL.block]: String(gid),
    [LABEL.id]: id,
    [LABEL.owner]: labels.owner,
    [LABEL.rollout]: labels.rollout,
    [LABEL.expires]: String(Math.floor(labels.expires.getTime() / 1_000)),
    [LABEL.process]: labels.process,
  };
}

export interface Part {
  readonly kind: "container" | "volume";
  /** What Docker removes it by: a container's id, a volume's name. */
  readonly handle: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** All sandboxes of an owner, by their parts' labels. A name alone proves nothing. */
export async function findParts(
  api: DockerApi,
  owner: string,
  options: EngineCall = {},
): Promise<FoundSandbox[]> {
  const parts = await labelled(api, [`${LABEL.owner}=${owner}`], options);
  const groups = Map.groupBy(parts, (part) => part.labels[LABEL.id] ?? "");
  return [...groups].map(([id, group]) => ({
    id,
    labels: labelsFrom(group[0]?.labels ?? {}),
    parts: group.map((part) => part.name),
  }));
}

/** What carries both this owner's and this id's label now. */
export async function partsOf(
  api: DockerApi,
  owner: string,
  id: string,
  options: EngineCall,
): Promise<readonly Part[]> {
  return await labelled(api, [`${LABEL.owner}=${owner}`, `${LABEL.id}=${id}`], options);
}

/**
 * Removes what carries both this owner's and this id's label now, whatever it is named. Goes on
 * after an error and rejects with the first one at the end.
 */
export async function removeParts(
  api: DockerApi,
  owner: string,
  id: string,
  options: EngineCall = {},
): Promise<void> {
  await removeLabelled(api, [`${LABEL.owner}=${owner}`, `${LABEL.id}=${id}`], options);
}

/** Removes what one attempt to make a sandbox has made, and nothing of an older one of its id. */
export async function removeAttempt(
  api: DockerApi,
  owner: string,
  { gid }: Identity,
): Promise<void> {
  await removeLabelled(api, [`${LABEL.owner}=${owner}`, `${LABEL.block}=${gid}`], {});
}

/**
 * Removes what other processes than this one have made under its id, such as what Docker was still making
 * when its client died. Whether there was any.
 */
export async function removeOthers(
  api: DockerApi,
  id: string,
  { owner, process }: SandboxLabels,
): Promise<boolean> {
  const filter = [`${LABEL.owner}=${owner}`, `${LABEL.id}=${id}`];
  const processes = (await labelled(api, filter, {})).map(({ labels }) => labels[LABEL.process]);
  const others = new Set(processes.filter((one) => one !== process));
  for (const one of others) await removeLabelled(api, [...filter, `${LABEL.process}=${one}`], {});
  return others.size > 0;
}

/** Removes the container of this name if it carries these labels of an attempt of ours. */
export async function removeNamed(
  api: DockerApi,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const filter = [LABEL.owner, LABEL.block].map((label) => `${label}=${labels[label]}`);
  const ours = (await labelled(api, filter, {})).filter((part) => part.name === name);
  const containers = ours.filter(({ kind }) => kind === "container");
  await Promise.all(containers.map(({ handle }) => removeContainer(api, handle, {})));
}

const ROUNDS = 4;

/**
 * Looks again until nothing is there: what Docker was still making when its client died appears
 * after the first look, and holds volumes that were seen by it.
 */
async function removeLabelled(
  api: DockerApi,
  filter: readonly string[],
  options: EngineCall,
): Promise<void> {
  const containers = new Set<string>();
  for (let round = 1; ; round++) {
    const parts = await labelled(api, filter, options);
    if (parts.length === 0) return void (await endLeaked(api, [...containers]));
    const of = (kind: Part["kind"]) =>
      parts.filter((part) => part.kind === kind).map((part) => part.handle);
    for (const id of of("container")) containers.add(id);
    try {
      await removeHandles(api, of("container"), of("volume"), options);
    } catch (error) {
      if (round === ROUNDS) throw error;
    }
    if (round === ROUNDS) return;
  }
}

/** Containers first, since they hold the volumes. */
export async function removeHandles(
  api: DockerApi,
  containers: readonly string[],
  volumes: readonly string[],
  options: EngineCall = {},
): Promise<void> {
  const first = await Promise.allSettled(containers.map((id) => removeContainer(api, id, options)));
  const then = await Promise.allSettled(volumes.map((name) => removeVolume(api, name, options)));
  const failure = [...first, ...then].find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

async function labelled(
  api: DockerApi,
  label: readonly string[],
  { signal }: EngineCall,
): Promise<Part[]> {
  const query = { filters: JSON.stringify({ label }) };
  const ask = {
    what: `list what is labelled ${label.join(" and ")}`,
    method: "GET",
    signal,
  } as const;
  try {
    const [containers, volumes] = await Promise.all([
      api.json<ListedContainer[]>({
        ...ask,
        path: "/containers/json",
        query: { ...query, all: 1 },
      }),
      api.json<{ Volumes: ListedVolume[] | null }>({ ...ask, path: "/volumes", query }),
    ]);
    return (
      [...containers.map(containerPart), ...(volumes.Volumes ?? []).map(volumePart)]
        // A foreign thing that copied our labels but not our names stays.
        .filter(({ name, labels }) => isPartOf(name, labels[LABEL.id]))
    );
  } catch (error) {
    throw failed(error);
  }
}

interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
}

interface ListedVolume {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

function containerPart({ Id, Names, Labels }: ListedContainer): Part {
  const name = Names?.[0]?.replace(/^\//, "") ?? "";
  return { kind: "container", handle: Id, name, labels: Labels ?? {} };
}

function volumePart({ Name, Labels }: ListedVolume): Part {
  return { kind: "volume", handle: Name, name: Name, labels: Labels ?? {} };
}

function isPartOf(name: string, id: string | undefined): boolean {
  return id !== undefined && id !== "" && Object.values(partNames(id)).includes(name);
}

function labelsFrom(labels: Readonly<Record<string, string>>): SandboxLabels {
  return {
    owner: labels[LABEL.owner] ?? "",
    rollout: labels[LABEL.rollout] ?? "",
    expires: new Date(Number(labels[LABEL.expires] ?? 0) * 1_000),
    process: labels[LABEL.process] ?? "",
  };
}

async function removeContainer(api: DockerApi, id: string, { signal }: EngineCall): Promise<void> {
  const what = `remove container ${id}`;
  const query = { force: true, v: true };
  await untilGone(api, what, () =>
    api.json({ what, method: "DELETE", path: `/containers/${id}`, query, signal, again: "failed" }),
  );
}

async function removeVolume(api: DockerApi, name: string, { signal }: EngineCall): Promise<void> {
  const what = `remove volume ${name}`;
  await untilGone(api, what, () =>
    api.json({ what, method: "DELETE", path: `/volumes/${name}`, signal, again: "failed" }),
  );
}

const TRIES = 40;
const PAUSE_MS = 50;

/** 409 is "somebody else is removing it" or "in use until that container is gone": both pass. */
async function untilGone(
  api: DockerApi,
  what: string,
  remove: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await remove();
      return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status === 404) return;
      const busy = error.status === 409 || /in progress|in use/.test(error.message);
      if (!busy || attempt === TRIES) {
        const { url } = api.address;
        throw engineFault("failed", `${what} at ${url}: ${error.message}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
