import type { Hono } from "hono";

/** What a kind of site gives to be served. */
export interface SiteParts {
  readonly app: Hono;
  readonly title: string;
  /** One sentence for who chooses a site. */
  readonly about: string;
  readonly accent: string;
}

/** Throws what is wrong with the site's files. */
export type OpenSite = (id: string, folder: string, config: unknown) => SiteParts;
