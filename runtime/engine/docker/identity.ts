import { randomInt } from "node:crypto";
import type { SandboxIdentity } from "../engine.ts";

/** A block of ids for each sandbox: the kernel counts some limits per uid, over all containers. */
const BLOCK = 16;
const FIRST_UID = 200_000;
const BLOCKS = Math.floor((2 ** 31 - FIRST_UID) / BLOCK) - 1;

export type Identity = SandboxIdentity;

/** A random block: init is its first uid, the users follow; the group has the first number too. */
export function newIdentity(users: readonly string[]): Identity {
  const base = FIRST_UID + BLOCK * randomInt(BLOCKS);
  const names = ["init", ...new Set(users)];
  const uids = Object.fromEntries(names.map((name, index) => [name, base + index]));
  return { uids, gid: base };
}

/** How many users fit beside init. */
export const USERS_MAX = BLOCK - 1;

/** Lines of passwd and group, for images that read /var/lib/extrausers (libnss-extrausers). */
export function userFiles({ uids, gid }: Identity, users: readonly string[]) {
  const passwd = users.map((name) => {
    const home = name === "init" ? "/" : `/home/${name}`;
    return `${name}:x:${uids[name]}:${gid}::${home}:/bin/sh`;
  });
  return { passwd: `${passwd.join("\n")}\n`, group: `sandbox:x:${gid}:\n` };
}
