import type { People, Person } from "../kit/people/people.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Address } from "./letter.ts";

export interface Recipients {
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly bcc: readonly Person[];
}

const MOST = 100;

/**
 * Whom a letter goes to. Every address must be that of a person of this world: `ToolError` names
 * all that are not, each with the nearest that is. Who is named twice gets it once.
 */
export function recipientsOf(
  people: People,
  asked: {
    readonly to: readonly string[];
    readonly cc: readonly string[];
    readonly bcc: readonly string[];
  },
): Recipients {
  const seen = new Set<string>();
  const problems: string[] = [];
  const found = (names: readonly string[]) =>
    names.flatMap(apart).flatMap((name) => {
      const person = known(people, name, problems);
      if (person === undefined || seen.has(person.email)) return [];
      seen.add(person.email);
      return [person];
    });
  const recipients = { to: found(asked.to), cc: found(asked.cc), bcc: found(asked.bcc) };
  if (problems.length > 0)
    throw new ToolError(`${problems.slice(0, 10).join(" ")} Nothing was sent.`);
  if (seen.size > MOST)
    throw new ToolError(`A message goes to ${MOST} people at the most. Nothing was sent.`);
  return recipients;
}

export function everyone({ to, cc, bcc }: Recipients): Person[] {
  return [...to, ...cc, ...bcc];
}

export function addressesOf(people: readonly Person[]): Address[] {
  return people.map(({ name, email }) => ({ name, address: email }));
}

function known(people: People, name: string, problems: string[]): Person | undefined {
  try {
    const person = people.require(name);
    if (person.kind === "person") return person;
    problems.push(`${person.email} is a room and reads no mail; invite it with create_event.`);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    problems.push(error.message);
  }
  return undefined;
}

/** "a@x.test, Ben <b@x.test>" are two. */
function apart(text: string): string[] {
  return text
    .split(/[,;](?=[^"]*(?:"[^"]*"[^"]*)*$)/)
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
