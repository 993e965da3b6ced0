import { readFile } from "node:fs/promises";
import * as z from "zod";
import type { World } from "../surface.ts";
import { ToolError } from "../tool-error.ts";
import { nearest } from "./nearest.ts";

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly kind: "person" | "room";
  /** Name of the time zone where they work, such as Europe/Madrid. */
  readonly timezone?: string | undefined;
  /** Seats of a room. */
  readonly capacity?: number | undefined;
}

const ADDRESS = /^[^\s@/\\<>",;:()[\]]{1,64}@[^\s@/\\<>",;:()[\]]{1,190}$/;
const FILE = z.object({
  me: z.string(),
  people: z.array(
    z.object({
      name: z.string().max(200),
      email: z.string().regex(ADDRESS),
      kind: z.enum(["person", "room"]).default("person"),
      timezone: z.string().max(64).optional(),
      capacity: z.number().int().positive().optional(),
    }),
  ),
});

/**
 * Everyone who exists for calendar and mail, and whom of them the agent acts for. Read from
 * people.json of the service `people`; there is no other address in this world.
 */
export class People {
  readonly #byEmail: ReadonlyMap<string, Person>;
  readonly me: Person;

  constructor(me: Person, all: readonly Person[]) {
    this.me = me;
    this.#byEmail = new Map(all.map((person) => [person.email.toLowerCase(), person]));
  }

  /** In the order of their addresses. */
  get all(): Person[] {
    return [...this.#byEmail.values()].sort((a, b) => (a.email < b.email ? -1 : 1));
  }

  /** By address, however it is capitalised. */
  find(email: string): Person | undefined {
    return this.#byEmail.get(email.trim().toLowerCase());
  }

  isMe(email: string): boolean {
    return email.trim().toLowerCase() === this.me.email.toLowerCase();
  }

  /** The person or room that a caller names by address, "Name <address>" or full name. */
  require(asked: string): Person {
    const address = /<([^<>]*)>\s*$/.exec(asked)?.[1] ?? asked;
    const found = this.find(address) ?? this.#named(asked);
    if (found !== undefined) return found;
    const near = nearest(address.toLowerCase(), [...this.#byEmail.keys()]);
    const hint = near === undefined ? "" : ` The nearest known address is ${near}.`;
    throw new ToolError(`Nobody here has the address ${shortened(asked)}.${hint}`);
  }

  #named(asked: string): Person | undefined {
    const name = asked.trim().toLowerCase();
    const found = this.all.filter((person) => person.name.toLowerCase() === name);
    return found.length === 1 ? found[0] : undefined;
  }
}

/** Throws `ToolError` where nobody is set up: such a sandbox has no calendar and no mail. */
export async function loadPeople(world: World): Promise<People> {
  const path = `${await world.stateOf("people")}/people.json`;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    throw new ToolError("Nobody is set up here: there are no people, no calendars and no mail.");
  }
  const { me, people } = FILE.parse(JSON.parse(text));
  const mine = people.find(({ email }) => email.toLowerCase() === me.toLowerCase());
  if (mine === undefined) throw new Error(`people.json: me (${me}) is not among people`);
  return new People(mine, people);
}

function shortened(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, " ");
  return plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
}
