import type { BoxLimits, SandboxSpec, VolumeSpec } from "../engine.ts";
import { engineFault } from "../faults.ts";
import { USERS_MAX } from "./identity.ts";

/** Refuses what Docker would misread, with the field's name; rejects nothing that would work. */
export function checkSpec(spec: SandboxSpec): void {
  const refuse = (field: string, why: string) =>
    engineFault("spec-refused", `sandbox "${spec.id}": ${field} ${why}`, { detail: { field } });
  if (!/^[a-z0-9-]{1,60}$/.test(spec.id)) {
    throw refuse("id", "must be 1 to 60 of a-z, 0-9 and -");
  }
  const { keeper, outlet } = spec;
  const users = [...spec.users, ...(keeper?.users ?? []), ...(outlet?.users ?? [])];
  const odd = users.find((user) => !/^[a-z_][a-z0-9_-]{0,31}$/.test(user) || user === "init");
  if (odd !== undefined) throw refuse("users", `holds "${odd}", which is no name for a user`);
  if (new Set(users).size > USERS_MAX) throw refuse("users", `are more than ${USERS_MAX}`);
  const volumes: [string, VolumeSpec, readonly string[]][] = [
    ["workspace", spec.workspace, spec.users],
  ];
  if (spec.state) volumes.push(["state", spec.state, spec.users]);
  if (keeper) volumes.push(["keeper.scratch", keeper.scratch, keeper.users]);
  for (const [field, volume, owners] of volumes) {
    const problem = volumeProblem(volume, owners);
    if (problem !== undefined) throw refuse(`${field}.${problem[0]}`, problem[1]);
  }
  if (spec.state && areNested(spec.state.path, spec.workspace.path)) {
    throw refuse("state.path", `is "${spec.state.path}", which overlaps with the workspace`);
  }
  const nameProblem = hostNamesProblem(spec.hostNames ?? []);
  if (nameProblem !== undefined) throw refuse("hostNames", nameProblem);
  const limits: [string, BoxLimits][] = [["limits", spec.limits]];
  if (keeper) limits.push(["keeper.limits", keeper.limits]);
  if (outlet) limits.push(["outlet.limits", outlet.limits]);
  for (const [field, all] of limits) {
    const bad = Object.entries(all).find(([, value]) => !(Number.isFinite(value) && value > 0));
    if (bad) throw refuse(`${field}.${bad[0]}`, `is ${bad[1]}, but must be above 0`);
    const broken = Object.entries(all).find(([n, v]) => n !== "cpus" && !Number.isSafeInteger(v));
    if (broken) throw refuse(`${field}.${broken[0]}`, `is ${broken[1]}, but must be whole`);
  }
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const HOST_NAME_MAX = 253;
const HOST_NAMES_MAX = 64;

function hostNamesProblem(names: readonly string[]): string | undefined {
  const odd = names.find((name) => name.length > HOST_NAME_MAX || !HOST_NAME.test(name));
  if (odd !== undefined) return `holds "${odd}", which is no name of a host`;
  return names.length > HOST_NAMES_MAX ? `are more than ${HOST_NAMES_MAX}` : undefined;
}

function areNested(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

/** Places where a mount would replace what the box needs or its init owns. */
const TAKEN = ["/proc", "/sys", "/dev", "/tmp", "/home", "/run", "/var/lib/extrausers", "/bin"];
const SYSTEM = ["/usr", "/etc", "/lib", "/lib64", "/sbin", "/var", "/opt", "/"];

function volumeProblem(
  { path, owner, bytes, files }: VolumeSpec,
  owners: readonly string[],
): [string, string] | undefined {
  const plain = /^(\/[A-Za-z0-9._-]+)+$/.test(path) && !/\/\.\.?(\/|$)/.test(path);
  if (!plain) return ["path", `is "${path}", but must be absolute and plain`];
  const taken = TAKEN.some((root) => path === root || path.startsWith(`${root}/`));
  if (taken || SYSTEM.includes(path)) return ["path", `is "${path}", which the box itself needs`];
  if (!owners.includes(owner)) return ["owner", `is "${owner}", who is none of the box's users`];
  if (!Number.isSafeInteger(bytes) || bytes <= 0) return ["bytes", `is ${bytes}`];
  if (!Number.isSafeInteger(files) || files <= 0) return ["files", `is ${files}`];
  return undefined;
}
