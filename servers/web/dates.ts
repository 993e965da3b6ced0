const DAY_MS = 24 * 60 * 60 * 1000;
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** Today's date by the sandbox's clock, as 2026-03-02. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** This moment, to the second. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** Whether it is a day of the calendar, written as 2026-03-02. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The first day from which `days` working days lie between it and `day`. */
export function addWorkingDays(day: string, days: number): string {
  let at = day;
  for (let left = days; left > 0; ) {
    at = addDays(at, 1);
    if (!isWeekend(at)) left -= 1;
  }
  return at;
}

export function isWeekend(day: string): boolean {
  return weekdayNumber(day) % 6 === 0;
}

/** "Monday" and so on. */
export function weekday(day: string): string {
  return WEEKDAYS[weekdayNumber(day)] ?? "";
}

/** "Monday, 2 March 2026". */
export function longDay(day: string): string {
  const [year, month = "1", date] = day.split("-");
  return `${weekday(day)}, ${Number(date)} ${MONTHS[Number(month) - 1]} ${year}`;
}

/** "2 March 2026, 09:00", or only the day where no time is given. */
export function shown(moment: string): string {
  const [year, month = "1", date = "1"] = moment.slice(0, 10).split("-");
  const day = `${Number(date)} ${MONTHS[Number(month) - 1]} ${year}`;
  return moment.length > 10 ? `${day}, ${moment.slice(11, 16)}` : day;
}

function weekdayNumber(day: string): number {
  return new Date(`${day}T00:00:00Z`).getUTCDay();
}
