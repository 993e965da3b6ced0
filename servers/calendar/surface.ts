import { Lock } from "../kit/people/lock.ts";
import type { Surface, World } from "../kit/surface.ts";
import type { ServerFacts } from "../kit/tool.ts";
import { CalendarStore } from "./calendar-store.ts";
import type { CalendarParts } from "./parts.ts";
import { createTools } from "./tools-create.ts";
import { planTools } from "./tools-plan.ts";
import { readTools } from "./tools-read.ts";
import { replyTools } from "./tools-reply.ts";
import { updateTools } from "./tools-update.ts";

/** Calendars of people and rooms, as iCalendar files. */
export const calendarSurface: Surface = (world: World): ServerFacts => {
  const parts: CalendarParts = { world, store: new CalendarStore(world), lock: new Lock() };
  return {
    name: "calendar",
    title: "Calendar",
    instructions:
      "The calendars of the user you act for, and when other people and rooms are free. " +
      "Times without an offset are in the user's own time zone unless time_zone says otherwise. " +
      "Rooms are booked by inviting them: they answer at once. Inviting people puts the event into their calendars and mails them.",
    tools: [
      ...readTools(parts),
      ...planTools(parts),
      ...createTools(parts),
      ...updateTools(parts),
      ...replyTools(parts),
    ],
  };
};
