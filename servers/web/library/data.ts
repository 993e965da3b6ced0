import * as z from "zod";

const TEXT = z.string();
const DAY = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "a day such as 2026-03-02");
const CLOCK = z.string().regex(/^([01]\d|2[0-4]):[0-5]\d$/, "a time such as 09:30");
const HOURS = z.tuple([CLOCK, CLOCK]).nullable();
const WORKDAY: [string, string] = ["09:00", "19:00"];

/** What a library is, from its site.json. */
export const LIBRARY_CONFIG = z.looseObject({
  title: TEXT,
  tagline: TEXT.default(""),
  about: TEXT.default(""),
  per_page: z.number().int().min(1).max(100).default(20),
  loan_days: z.number().int().min(1).default(21),
  max_loans: z.number().int().min(1).default(10),
  max_renewals: z.number().int().min(0).default(2),
  max_holds: z.number().int().min(1).default(5),
  branches: z.array(TEXT).min(1).default(["Central"]),
  /** Opening hours for rooms, by weekday; null where it is closed. */
  hours: z.record(TEXT, HOURS).default({
    ...{ Monday: WORKDAY, Tuesday: WORKDAY, Wednesday: WORKDAY, Thursday: WORKDAY },
    ...{ Friday: WORKDAY, Saturday: ["10:00", "14:00"], Sunday: null },
  }),
  booking: z
    .object({
      slot_minutes: z.number().int().min(15).max(120).default(30),
      max_minutes: z.number().int().min(15).default(240),
      days_ahead: z.number().int().min(1).default(60),
      max_open: z.number().int().min(1).default(5),
    })
    .prefault({}),
});
export type LibraryConfig = z.output<typeof LIBRARY_CONFIG>;

const TITLE = z.looseObject({
  id: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, '.', '-' and '_'"),
  title: TEXT,
  author: TEXT,
  isbn: TEXT.default(""),
  year: z.number().int().nullable().default(null),
  format: TEXT.default("Book"),
  language: TEXT.default("English"),
  publisher: TEXT.default(""),
  subjects: z.array(TEXT).default([]),
  description: TEXT.default(""),
});
export type Title = z.output<typeof TITLE>;

const ITEM = z.looseObject({
  barcode: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, '.', '-' and '_'"),
  title: TEXT,
  branch: TEXT,
  shelf: TEXT.default(""),
  status: TEXT.default("available"),
  note: TEXT.default(""),
});
export type Item = z.output<typeof ITEM>;

const MEMBER = z.looseObject({
  card: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, '.', '-' and '_'"),
  name: TEXT,
  email: TEXT.default(""),
  pin: TEXT,
  /** Why this member may neither borrow nor reserve. */
  blocked: TEXT.default(""),
});
export type Member = z.output<typeof MEMBER>;

const HOLD = z.looseObject({
  id: TEXT,
  title: TEXT,
  member: TEXT,
  branch: TEXT,
  placed_at: TEXT,
  status: z.enum(["waiting", "ready", "collected", "cancelled"]).default("waiting"),
  item: TEXT.nullable().default(null),
});
export type Hold = z.output<typeof HOLD>;

const LOAN = z.looseObject({
  id: TEXT,
  item: TEXT,
  member: TEXT,
  lent_on: DAY,
  due_on: DAY,
  returned_on: DAY.nullable().default(null),
  renewals: z.number().int().default(0),
});
export type Loan = z.output<typeof LOAN>;

const ROOM = z.looseObject({
  id: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, '.', '-' and '_'"),
  name: TEXT,
  branch: TEXT,
  capacity: z.number().int().min(1),
  equipment: z.array(TEXT).default([]),
});
export type Room = z.output<typeof ROOM>;

const BOOKING = z.looseObject({
  id: TEXT,
  room: TEXT,
  member: TEXT,
  date: DAY,
  start: CLOCK,
  end: CLOCK,
  people: z.number().int(),
  purpose: TEXT.default(""),
  status: z.enum(["booked", "cancelled"]).default("booked"),
  made_at: TEXT.default(""),
});
export type Booking = z.output<typeof BOOKING>;

/** The rows of a library: its data.json. */
export const LIBRARY_DATA = z.looseObject({
  titles: z.array(TITLE).default([]),
  items: z.array(ITEM).default([]),
  members: z.array(MEMBER).default([]),
  staff: z.array(z.object({ user: TEXT, name: TEXT, password: TEXT })).default([]),
  loans: z.array(LOAN).default([]),
  holds: z.array(HOLD).default([]),
  rooms: z.array(ROOM).default([]),
  bookings: z.array(BOOKING).default([]),
  /** What staff changed, field by field. */
  changes: z
    .array(
      z.object({
        at: TEXT,
        by: TEXT,
        table: TEXT,
        id: TEXT,
        field: TEXT,
        from: z.unknown(),
        to: z.unknown(),
      }),
    )
    .default([]),
  sessions: z
    .array(z.object({ key: TEXT, member: TEXT.nullable(), staff: TEXT.nullable() }))
    .default([]),
  counters: z.record(TEXT, z.number().int()).default({}),
});
export type LibraryData = z.output<typeof LIBRARY_DATA>;
export type LibrarySession = LibraryData["sessions"][number];
export type Staff = LibraryData["staff"][number];

/** What staff may set an item to; loans and holds come and go at the desk. */
export const SHELF_STATUSES = [
  "available",
  "reference only",
  "in repair",
  "missing",
  "withdrawn",
] as const;
export const ON_LOAN = "on loan";
export const ON_HOLD_SHELF = "on hold shelf";
