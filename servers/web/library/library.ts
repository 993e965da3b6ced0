import type { Context } from "hono";
import { html } from "hono/html";
import { now } from "../dates.ts";
import { type PageContent, type PageFrame, seeOther, sendPage } from "../page.ts";
import { newSessionKey, rememberSession, sessionOf } from "../session.ts";
import { nextId, type SiteStore } from "../store.ts";
import type { LibraryConfig, LibraryData, LibrarySession, Member, Staff, Title } from "./data.ts";
import type { TitleFields } from "./title-form.ts";

/** What all pages of a library work with. */
export class Library {
  readonly id: string;
  readonly config: LibraryConfig;
  readonly store: SiteStore<LibraryData>;

  constructor(id: string, config: LibraryConfig, store: SiteStore<LibraryData>) {
    this.id = id;
    this.config = config;
    this.store = store;
  }

  get data(): LibraryData {
    return this.store.data;
  }

  member(c: Context): Member | undefined {
    const card = sessionOf(c, this.data.sessions)?.member;
    return this.data.members.find((member) => member.card === card);
  }

  staff(c: Context): Staff | undefined {
    const user = sessionOf(c, this.data.sessions)?.staff;
    return this.data.staff.find((each) => each.user === user);
  }

  title(id: string | undefined): Title | undefined {
    return this.data.titles.find((title) => title.id === id);
  }

  /** The browser's session, made if need be; inside a change. */
  keptSession(c: Context, data: LibraryData): LibrarySession {
    const found = sessionOf(c, data.sessions);
    if (found !== undefined) return found;
    const session = { key: newSessionKey(this.id, data.counters), member: null, staff: null };
    data.sessions.push(session);
    rememberSession(c, session);
    return session;
  }

  /** Signs out member and staff of this browser. */
  endSession(c: Context): void {
    const key = sessionOf(c, this.data.sessions)?.key;
    if (key === undefined) return;
    this.store.change((data) => {
      data.sessions = data.sessions.filter((session) => session.key !== key);
    });
  }

  /** Writes down what a member of staff changes; inside a change. */
  edit<Row extends object>(
    data: LibraryData,
    by: Staff,
    place: { readonly table: string; readonly id: string; readonly row: Row },
    fields: Partial<Row>,
  ): number {
    let changed = 0;
    for (const [field, to] of Object.entries(fields)) {
      const from: unknown = (place.row as Record<string, unknown>)[field];
      if (JSON.stringify(from) === JSON.stringify(to)) continue;
      (place.row as Record<string, unknown>)[field] = to;
      const { table, id } = place;
      data.changes.push({ at: now(), by: by.user, table, id, field, from: from ?? null, to });
      changed += 1;
    }
    return changed;
  }

  /** Writes down what a member of staff adds; inside a change. */
  added(
    data: LibraryData,
    by: Staff,
    { table, id }: { readonly table: string; readonly id: string },
  ) {
    data.changes.push({ at: now(), by: by.user, table, id, field: "", from: null, to: "added" });
  }

  /** A new record of the catalogue; inside a change. Returns its id. */
  addTitle(data: LibraryData, by: Staff, fields: TitleFields): string {
    const id = nextId(data.counters, "title", { prefix: "T-", taken: data.titles });
    data.titles.push({ id, ...fields });
    this.added(data, by, { table: "titles", id });
    return id;
  }

  /** For pages that need a member: sends to the sign-in, which leads back. */
  toLogin(c: Context) {
    return seeOther(c, `/login?${new URLSearchParams({ next: new URL(c.req.url).pathname })}`);
  }

  send(c: Context, content: PageContent) {
    return sendPage(c, this.#frame(c), content);
  }

  notFound(c: Context, what: string) {
    const main = html`<p>${what}</p><p><a href="/catalogue">Search the catalogue</a></p>`;
    return this.send(c, { title: "Page not found", status: 404, main });
  }

  /** A request that cannot be met, with a way back. */
  refuse(c: Context, sentence: string, back: string) {
    const main = html`<p class="alert" role="alert">${sentence}</p><p><a href="${back}">Back</a></p>`;
    return this.send(c, { title: "Not possible", status: 409, main });
  }

  #frame(c: Context): PageFrame {
    const [member, staff] = [this.member(c), this.staff(c)];
    const portal = [
      { href: "/staff", label: "Staff desk" },
      { href: "/staff/items", label: "Items" },
      { href: "/staff/titles", label: "Titles" },
      { href: "/staff/holds", label: "Holds" },
      { href: "/staff/members", label: "Members" },
      { href: "/staff/bookings", label: "Bookings" },
    ];
    const open = [
      { href: "/catalogue", label: "Catalogue" },
      { href: "/rooms", label: "Rooms" },
      { href: "/account", label: "My account" },
    ];
    const links = staff === undefined ? [...open, { href: "/staff", label: "For staff" }] : portal;
    const who = [member?.name, staff && `${staff.name} (staff)`].filter(Boolean).join(" and ");
    return {
      site: this.config.title,
      tagline: this.config.tagline,
      nav: staff === undefined ? links : [...open.slice(0, 2), ...portal],
      aside:
        who === ""
          ? html`<a href="/login">Sign in</a>`
          : html`<span>${who}</span>
            <form method="post" action="/logout"><button class="second">Sign out</button></form>`,
      footer: this.config.about || this.config.title,
    };
  }
}
