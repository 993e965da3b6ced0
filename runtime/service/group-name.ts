import { isNamedId, namedId } from "../base/id.ts";
import { badRequest } from "../rollout/faults.ts";

const LABEL = /^[A-Za-z0-9._-]{1,64}$/;
const WORD = "group";

/** The id of a group whose members are asked for together. */
export function newGroupId(): string {
  return namedId(WORD);
}

/**
 * Whether a record's group is such a group, which the service reports on and whose lost members it
 * replaces; else it is a label of its caller's.
 */
export function isGroupId(group: string): boolean {
  return isNamedId(WORD, group);
}

/**
 * A label by which a caller ties rollouts that it asks for one by one.
 * @throws Fault `rollout/bad-request`, also for one that looks like the id of a group
 */
export function checkGroupLabel(label: string): void {
  if (!LABEL.test(label)) throw badRequest("group", "must be 1 to 64 letters, digits or . _ -");
  if (!isGroupId(label)) return;
  throw badRequest("group", "looks like the id of a group, which only POST /v1/groups gives");
}
