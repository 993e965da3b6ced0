import type { Lock } from "../kit/people/lock.ts";
import type { World } from "../kit/surface.ts";
import type { CalendarStore } from "./calendar-store.ts";

/** What the tools share. */
export interface CalendarParts {
  readonly world: World;
  readonly store: CalendarStore;
  /** Whoever changes calendars holds it: what was read is what is replaced. */
  readonly lock: Lock;
}
