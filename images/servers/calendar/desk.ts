import type { World } from "../office/surface.ts";
import type { Lock } from "../people/lock.ts";
import type { CalendarStore } from "./calendar-store.ts";

/** What the tools share. */
export interface Desk {
  readonly world: World;
  readonly store: CalendarStore;
  /** Whoever changes calendars holds it: what was read is what is replaced. */
  readonly lock: Lock;
}
