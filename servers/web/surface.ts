import * as z from "zod";
import type { Surface } from "../kit/surface.ts";
import { tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import { Door } from "./door.ts";
import type { Web } from "./web.ts";

const DEFAULT_PORT = 80;

/**
 * The fixture's own web sites, `/state/web/<site>/`, served on loopback for a browser. The door is
 * opened here, at start-up: a browser may come before any tool of this surface is called. What is
 * heavy, and the state, wait for the first visitor.
 */
export const webSurface: Surface = (world) => {
  let opened: Promise<Web> | undefined;
  const web = () => {
    opened ??= import("./web.ts").then(({ Web: Sites }) => new Sites(() => world.stateOf("web")));
    return opened;
  };
  const { CLOCHE_WEB_PORT: asked = "" } = process.env;
  const port = /^\d{1,5}$/.test(asked) ? Number(asked) : DEFAULT_PORT;
  const door = new Door(port, web);
  const within = port === DEFAULT_PORT ? "" : `:${port}`;
  return {
    name: "web",
    title: "Local web",
    instructions:
      "Tells which web sites there are in this sandbox. Visit them, and fill in their forms, with " +
      "the browser; read_web_page reads a page where there is no browser.",
    tools: [listSites(web, door, within), readPage(web)],
  };
};

function listSites(web: () => Promise<Web>, door: Door, within: string) {
  return tool({
    name: "list_sites",
    title: "List web sites",
    description:
      "Lists the web sites that can be visited from here, with their addresses and what each is " +
      "for. There is no internet: only these can be reached.",
    input: z.object({}),
    output: z.object({
      sites: z.array(z.object({ url: z.string(), title: z.string(), description: z.string() })),
    }),
    hints: { readOnly: true },
    run: async () => {
      const problem = await door.listening;
      const sites = (await (await web()).sites()).map(({ host, title, description }) => {
        return { url: `http://${host}${within}/`, title, description };
      });
      const lines = sites.map(({ url, title, description }) => `${url} ${title}: ${description}`);
      if (sites.length === 0) lines.push("There are no web sites here.");
      if (problem !== undefined) lines.push(`A browser cannot reach them (${problem}).`);
      return { text: lines.join("\n"), data: { sites } };
    },
  });
}

const MOST_LINKS = 100;

function readPage(web: () => Promise<Web>) {
  return tool({
    name: "read_web_page",
    title: "Read web page",
    description:
      "Reads a page of one of the local web sites as text, with its links and the fields of its " +
      "forms. It only looks: to sign in or to send a form, use the browser.",
    input: z.object({
      url: z
        .string()
        .min(1)
        .max(2000)
        .describe('Address of the page, such as "http://shop.test/products?q=paper".'),
      offset: z.number().int().min(0).default(0).describe("Characters of the text to skip."),
    }),
    output: z.object({
      url: z.string(),
      status: z.number(),
      title: z.string(),
      text: z.string(),
      links: z.array(z.object({ text: z.string(), href: z.string() })),
      forms: z.array(
        z.object({ method: z.string(), action: z.string(), fields: z.array(z.string()) }),
      ),
      next_offset: z.number().nullable(),
    }),
    hints: { readOnly: true },
    run: async ({ url: asked, offset }) => {
      const sites = await web();
      const { url, response } = await visited(sites, addressOf(asked));
      const { readablePage } = await import("./readable.ts");
      const page = readablePage(await response.text());
      const end = Math.min(page.text.length, offset + PAGE_CHARACTERS);
      const next = end < page.text.length ? end : null;
      const text = page.text.slice(offset, end).toWellFormed();
      // Whole addresses: this tool takes no others.
      const links = page.links.slice(0, MOST_LINKS).map(({ text: name, href }) => {
        return { text: name, href: URL.canParse(href, url) ? new URL(href, url).href : href };
      });
      const forms = page.forms.slice(0, 30).map((form) => ({ ...form, fields: [...form.fields] }));
      const lines = [
        `${page.title} [${response.status}, ${url}]`,
        text,
        ...(next === null ? [] : [`[go on with offset ${next}]`]),
        "Links:",
        ...links.map((link) => `- ${link.text}: ${link.href}`),
        ...(forms.length === 0 ? [] : ["Forms:"]),
        ...forms.map(({ method, action, fields }) => `- ${method} ${action}: ${fields.join("; ")}`),
      ];
      const { title } = page;
      const { status } = response;
      const data = { url, status, title, text, links, forms, next_offset: next };
      return { text: lines.join("\n"), data };
    },
  });
}

const PAGE_CHARACTERS = 12_000;
const MOST_REDIRECTS = 5;

function addressOf(asked: string): URL {
  const written = /^[a-z]+:\/\//i.test(asked) ? asked : `http://${asked}`;
  if (!URL.canParse(written)) throw new ToolError(`"${asked}" is no address. Use list_sites.`);
  const url = new URL(written);
  if (url.protocol === "http:") return url;
  throw new ToolError(`Sites here are reached by http, not ${url.protocol.slice(0, -1)}.`);
}

async function visited(web: Web, first: URL) {
  let url = first;
  for (let at = 0; at < MOST_REDIRECTS; at++) {
    const sites = await web.sites();
    if (!sites.some(({ host }) => host === url.hostname)) {
      const known = sites.map(({ host }) => host).join(", ") || "none";
      throw new ToolError(`There is no site ${url.hostname} here. There are: ${known}.`);
    }
    const response = await web.fetch(new Request(url));
    const location = response.headers.get("location");
    if (location === null) return { url: url.href, response };
    url = new URL(location, url);
  }
  throw new ToolError(`${first.href} leads on and on; read another page.`);
}
