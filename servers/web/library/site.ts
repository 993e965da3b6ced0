import { Hono } from "hono";
import type { SiteParts } from "../site-kind.ts";
import { SiteStore } from "../store.ts";
import { accountRoutes } from "./account.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { LIBRARY_CONFIG, LIBRARY_DATA } from "./data.ts";
import { Library } from "./library.ts";
import { roomRoutes } from "./rooms.ts";
import { staffRoutes } from "./staff.ts";
import { listRoutes } from "./staff-lists.ts";
import { recordRoutes } from "./staff-records.ts";

/** A public library: catalogue, members' accounts, rooms, and the staff's portal. */
export function openLibrary(id: string, folder: string, config: unknown): SiteParts {
  const store = new SiteStore(folder, LIBRARY_DATA);
  const library = new Library(id, LIBRARY_CONFIG.parse(config), store);
  const app = new Hono();
  catalogueRoutes(app, library);
  accountRoutes(app, library);
  roomRoutes(app, library);
  staffRoutes(app, library);
  recordRoutes(app, library);
  listRoutes(app, library);
  app.notFound((c) => library.notFound(c, "There is no page at this address."));
  const { title } = library.config;
  const about =
    `Public library with ${library.data.titles.length} titles: catalogue, loans and holds, rooms ` +
    "to book, and a portal for staff.";
  return { app, title, about, accent: "#7a3b12" };
}
