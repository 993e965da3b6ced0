import { readdirSync, readFileSync } from "node:fs";
import type { Hono } from "hono";
import { html } from "hono/html";
import * as z from "zod";
import { openLibrary } from "./library/site.ts";
import { type PageContent, pageOf } from "./page.ts";
import { openShop } from "./shop/site.ts";
import type { OpenSite, SiteParts } from "./site-kind.ts";
import { styleSheet } from "./style.ts";

/** To add a kind of site: what opens it, here. */
const KINDS: Readonly<Record<string, OpenSite>> = { shop: openShop, library: openLibrary };

const SITE_FILE = z.looseObject({
  kind: z.enum(Object.keys(KINDS)),
  host: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?$/, "a host name such as shop.test")
    .optional(),
  description: z.string().max(500).optional(),
  accent: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, "a colour such as #0b5c8a")
    .optional(),
});

export interface Site {
  /** The name of its folder. */
  readonly id: string;
  readonly kind: string;
  readonly host: string;
  readonly title: string;
  readonly description: string;
  /** Answers a request; never rejects. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** What is wrong with its files, if it cannot be served. */
  readonly problem?: string;
}

/** What every answer says: no scripts, nothing from elsewhere, nothing kept for the next time. */
const HEADERS: readonly (readonly [string, string])[] = [
  [
    "content-security-policy",
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; " +
      "base-uri 'none'; frame-ancestors 'none'",
  ],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "same-origin"],
  ["cache-control", "no-store"],
];

const FORM = "application/x-www-form-urlencoded";

/** All sites whose folders are in `folder`, in the order of their names. */
export function openSites(folder: string): readonly Site[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const visible = names.filter((name) => !name.startsWith("."));
  return visible.sort().map((name) => openSite(name, `${folder}/${name}`));
}

function openSite(id: string, folder: string): Site {
  let host = `${id}.test`;
  let kind = "unknown";
  try {
    const config: unknown = JSON.parse(readFileSync(`${folder}/site.json`, "utf8"));
    const file = SITE_FILE.parse(config);
    host = file.host ?? host;
    kind = file.kind;
    const open = KINDS[file.kind];
    if (open === undefined) throw new Error(`there is no kind of site "${file.kind}"`);
    const parts = open(id, folder, config);
    const { title, about } = parts;
    const served = appOf(id, { ...parts, accent: file.accent ?? parts.accent });
    const description = file.description ?? about;
    return { id, kind, host, title, description, fetch: (request) => answered(served, request) };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    const problem = `The site ${id} cannot be shown: ${why}`;
    process.stderr.write(`${problem}\n`);
    const content = { title: "Out of order", main: html`<p>${problem}</p>`, status: 503 } as const;
    const fetch = () => plainPage(content);
    return { id, kind, host, title: id, description: problem, problem, fetch };
  }
}

async function answered(app: Hono, request: Request): Promise<Response> {
  const type = request.headers.get("content-type") ?? FORM;
  const foreign = request.method === "POST" && !type.toLowerCase().startsWith(FORM);
  const response = foreign
    ? await plainPage({
        title: "Form not understood",
        main: html`<p>Forms of this site are sent as ${FORM}.</p>`,
        status: 415,
      })
    : await app.fetch(request);
  for (const [name, value] of HEADERS) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

function appOf(id: string, { app, title, accent }: SiteParts): Hono {
  app.get("/style.css", (c) => c.body(styleSheet(accent), 200, { "content-type": "text/css" }));
  app.get("/favicon.ico", (c) => c.body(null, 204));
  app.get("/robots.txt", (c) => c.text("User-agent: *\nAllow: /\n"));
  app.onError(async (error) => {
    process.stderr.write(`web, ${id}: ${error.stack}\n`);
    const main = html`<p>Nothing was changed. Please try again.</p><p><a href="/">Home</a></p>`;
    return await plainPage({ title: "Something went wrong", main, status: 500 }, title);
  });
  return app;
}

/** A page that is no site's own. */
async function plainPage(content: PageContent, site = "Local web"): Promise<Response> {
  const page = await pageOf({ site, nav: [{ href: "/", label: "Home" }] }, content);
  const headers = { "content-type": "text/html; charset=UTF-8", "cache-control": "no-store" };
  return new Response(page, { status: content.status ?? 200, headers });
}

/** For a host name that is nobody's. */
export async function unknownHost(host: string, sites: readonly Site[]): Promise<Response> {
  const items = sites.map(
    (site) => html`<li><a href="http://${site.host}/">${site.host}</a>: ${site.description}</li>`,
  );
  const list = items.length === 0 ? html`<p>There are no sites here.</p>` : html`<ul>${items}</ul>`;
  const main = html`<p>There is no site “${host}”. These sites can be visited:</p>${list}`;
  return await plainPage({ title: "No such site", main, status: 404 });
}
