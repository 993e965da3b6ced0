import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the user's calendars lie, under /state. */
export const MINE = "calendar/ana.ruiz@example.test";

/** A calendar in the manner of another program; files/README.md says which. */
export function file(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`files/${name}`, import.meta.url)));
}

/** The text of a VEVENT with these properties. */
export function event(uid: string, ...lines: readonly string[]): string {
  const own = [`UID:${uid}`, "DTSTAMP:20260101T000000Z"];
  return ["BEGIN:VEVENT", ...own, ...lines, "END:VEVENT"].join("\r\n");
}

/** The text of a file that holds these. */
export function calendar(...parts: readonly string[]): string {
  const head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"];
  return [...head, ...parts, "END:VCALENDAR", ""].join("\r\n");
}
