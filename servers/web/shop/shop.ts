import type { Context } from "hono";
import { html } from "hono/html";
import { type PageContent, type PageFrame, sendPage } from "../page.ts";
import { newSessionKey, rememberSession, sessionOf } from "../session.ts";
import { nextNumber, type SiteStore } from "../store.ts";
import type { Account, Basket, ShopConfig, ShopData, ShopSession } from "./data.ts";

/** What all pages of a shop work with. */
export class Shop {
  readonly id: string;
  readonly config: ShopConfig;
  readonly store: SiteStore<ShopData>;

  constructor(id: string, config: ShopConfig, store: SiteStore<ShopData>) {
    this.id = id;
    this.config = config;
    this.store = store;
  }

  get data(): ShopData {
    return this.store.data;
  }

  session(c: Context): ShopSession | undefined {
    return sessionOf(c, this.data.sessions);
  }

  account(c: Context): Account | undefined {
    const email = this.session(c)?.account;
    return this.data.accounts.find((account) => account.email === email);
  }

  basket(c: Context): Basket | undefined {
    const key = this.session(c)?.key;
    return key === undefined ? undefined : this.data.baskets.find((each) => each.session === key);
  }

  /** The browser's session, made if need be; inside a change. */
  keptSession(c: Context, data: ShopData): ShopSession {
    const found = sessionOf(c, data.sessions);
    if (found !== undefined) return found;
    const session = { key: newSessionKey(this.id, data.counters), account: null };
    data.sessions.push(session);
    rememberSession(c, session);
    return session;
  }

  /** The browser's basket, made if need be; inside a change. */
  keptBasket(c: Context, data: ShopData): Basket {
    const { key } = this.keptSession(c, data);
    const found = data.baskets.find((basket) => basket.session === key);
    if (found !== undefined) return found;
    const id = nextNumber(data.counters, "basket");
    const basket: Basket = { id, session: key, items: [], coupon: null, checkout: null };
    data.baskets.push(basket);
    return basket;
  }

  send(c: Context, content: PageContent) {
    return sendPage(c, this.#frame(c), content);
  }

  notFound(c: Context, what: string) {
    return this.send(c, {
      title: "Page not found",
      status: 404,
      main: html`<p>${what}</p><p><a href="/products">See all products</a></p>`,
    });
  }

  #frame(c: Context): PageFrame {
    const account = this.account(c);
    const items = this.basket(c)?.items ?? [];
    const count = items.reduce((sum, { quantity }) => sum + quantity, 0);
    return {
      site: this.config.title,
      tagline: this.config.tagline,
      nav: [
        { href: "/products", label: "All products" },
        ...this.data.categories.slice(0, 8).map(({ id, name }) => {
          return { href: `/products?${new URLSearchParams({ category: id })}`, label: name };
        }),
        { href: "/delivery", label: "Delivery and payment" },
      ],
      aside: html`<a href="/basket">Basket (${count})</a>
        ${
          account === undefined
            ? html`<a href="/login">Sign in</a>`
            : html`<a href="/account">${account.name}</a> <a href="/orders">Orders</a>
              <form method="post" action="/logout"><button class="second">Sign out</button></form>`
        }`,
      footer: this.config.about || this.config.title,
    };
  }
}
