import type { Context } from "hono";
import { html } from "hono/html";
import type { Markup } from "./markup.ts";

export interface Link {
  readonly href: string;
  readonly label: string;
}

export interface PageFrame {
  readonly site: string;
  readonly tagline?: string;
  readonly nav: readonly Link[];
  /** Beside the navigation: who is signed in. */
  readonly aside?: Markup | "";
  readonly footer?: string;
}

export interface PageContent {
  readonly title: string;
  readonly main: Markup;
  /** A message of what was just done. */
  readonly notice?: string | undefined;
  /** Default 200. */
  readonly status?: 200 | 400 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 503;
}

/** A whole page of a site. */
export function pageOf(frame: PageFrame, { title, main, notice }: PageContent): Markup {
  const links = frame.nav.map(({ href, label }) => html`<li><a href="${href}">${label}</a></li>`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${frame.site}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<div class="bar"><p class="brand"><a href="/">${frame.site}</a>
${frame.tagline && html`<span class="quiet">${frame.tagline}</span>`}</p>
<div class="who">${frame.aside}</div></div>
<nav aria-label="Main"><ul>${links}</ul></nav>
</header>
<main id="main">
${notice && html`<p class="notice" role="status">${notice}</p>`}
<h1>${title}</h1>
${main}
</main>
<footer><p>${frame.footer ?? frame.site}</p></footer>
</body>
</html>
`;
}

/** Answers with a page. */
export async function sendPage(
  c: Context,
  frame: PageFrame,
  content: PageContent,
): Promise<Response> {
  return c.html(await pageOf(frame, content), content.status ?? 200);
}

/** After a form: the browser asks for that page, and reloading it sends nothing again. */
export function seeOther(c: Context, path: string): Response {
  return c.redirect(path, 303);
}

/** The fields of a sent form. */
export async function sentFields(c: Context): Promise<URLSearchParams> {
  return new URLSearchParams(await c.req.text());
}

/** A path of this site to go on to; anything else is the fallback, never another host. */
export function localPath(path: string, fallback: string): string {
  return /^\/(?![/\\])[\w/?=&.%+-]*$/.test(path) ? path : fallback;
}
