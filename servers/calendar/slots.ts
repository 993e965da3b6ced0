import { joined } from "./busy.ts";
import { utcToWall, wallToUtc, type Zone } from "./zones.ts";

export interface WorkingHours {
  /** Minutes after midnight. */
  readonly from: number;
  readonly to: number;
  readonly weekendsToo: boolean;
}

export interface SlotSearch {
  readonly from: number;
  readonly to: number;
  readonly durationMs: number;
  /** Begins are at multiples of it, on the clock of the first zone. */
  readonly stepMs: number;
  /** When at least one who must come has no time. */
  readonly taken: readonly { readonly from: number; readonly to: number }[];
  /** The slot must lie within the working hours of all these places. */
  readonly zones: readonly Zone[];
  readonly hours: WorkingHours;
  readonly most: number;
}

export interface Slot {
  readonly from: number;
  readonly to: number;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/** The earliest slots that suit, not more than `most`, that `also` agrees to. */
export function freeSlots(search: SlotSearch, also: (slot: Slot) => boolean = () => true): Slot[] {
  const taken = joined(search.taken);
  const found: Slot[] = [];
  const [home] = search.zones;
  if (home === undefined) return found;
  let next = 0;
  for (const { from, to } of workingSpans(home, search)) {
    const wall = utcToWall(home, from);
    const first = Math.ceil(wall / search.stepMs) * search.stepMs - wall + from;
    for (let at = first; at + search.durationMs <= to; at += search.stepMs) {
      const slot = { from: at, to: at + search.durationMs };
      while ((taken[next]?.to ?? Number.POSITIVE_INFINITY) <= at) next++;
      const busy = taken[next];
      if (busy !== undefined && busy.from < slot.to) {
        // Nothing before its end will do.
        at += Math.max(0, Math.floor((busy.to - at - 1) / search.stepMs)) * search.stepMs;
        continue;
      }
      if (!search.zones.every((zone) => isWithin(slot, zone, search.hours)) || !also(slot))
        continue;
      found.push(slot);
      if (found.length >= search.most) return found;
    }
  }
  return found;
}

/** Working hours of each day between from and to, cut to them. */
function* workingSpans(zone: Zone, { from, to, hours }: SlotSearch): Generator<Slot> {
  const first = Math.floor(utcToWall(zone, from) / DAY) * DAY;
  for (let day = first; wallToUtc(zone, day) < to; day += DAY) {
    if (!hours.weekendsToo && isWeekend(day)) continue;
    const begin = Math.max(from, wallToUtc(zone, day + hours.from * MINUTE));
    const end = Math.min(to, wallToUtc(zone, day + hours.to * MINUTE));
    if (begin < end) yield { from: begin, to: end };
  }
}

function isWithin(slot: Slot, zone: Zone, hours: WorkingHours): boolean {
  const [from, to] = [utcToWall(zone, slot.from), utcToWall(zone, slot.to)];
  const day = Math.floor(from / DAY) * DAY;
  if (!hours.weekendsToo && isWeekend(day)) return false;
  return from >= day + hours.from * MINUTE && to <= day + hours.to * MINUTE;
}

function isWeekend(day: number): boolean {
  const weekday = new Date(day).getUTCDay();
  return weekday === 0 || weekday === 6;
}
