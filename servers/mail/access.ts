import { homeOf } from "../calendar/calendar-file.ts";
import type { Zone } from "../calendar/zones.ts";
import { loadPeople, type People } from "../kit/people/people.ts";
import type { World } from "../kit/surface.ts";
import { mailboxOf, mailLock } from "./deliver.ts";
import { Mailbox } from "./mailbox.ts";
import type { Maildir } from "./maildir.ts";

/** What one call works with. */
export interface Session {
  readonly world: World;
  readonly people: People;
  readonly zone: Zone;
  readonly maildir: Maildir;
  readonly mailbox: Mailbox;
}

/** Opens the user's mailbox for one call at a time. */
export class MailAccess {
  readonly #world: World;
  readonly #mailbox = new Mailbox();

  constructor(world: World) {
    this.#world = world;
  }

  async run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await mailLock.run(async () => {
      const people = await loadPeople(this.#world);
      const maildir = await mailboxOf(this.#world, people.me);
      return await work({
        world: this.#world,
        people,
        zone: homeOf(people.me),
        maildir,
        mailbox: this.#mailbox,
      });
    });
  }
}
