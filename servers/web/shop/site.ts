import { Hono } from "hono";
import { html } from "hono/html";
import { facts, table } from "../markup.ts";
import { money } from "../money.ts";
import type { SiteParts } from "../site-kind.ts";
import { SiteStore } from "../store.ts";
import { accountRoutes } from "./account.ts";
import { basketRoutes } from "./basket.ts";
import { catalogueRoutes } from "./catalogue.ts";
import { checkoutRoutes } from "./checkout.ts";
import { SHOP_CONFIG, SHOP_DATA } from "./data.ts";
import { orderRoutes } from "./orders.ts";
import { Shop } from "./shop.ts";

/** A shop: catalogue, basket, checkout, orders, accounts. */
export function openShop(id: string, folder: string, config: unknown): SiteParts {
  const shop = new Shop(id, SHOP_CONFIG.parse(config), new SiteStore(folder, SHOP_DATA));
  const app = new Hono();
  catalogueRoutes(app, shop);
  basketRoutes(app, shop);
  checkoutRoutes(app, shop);
  orderRoutes(app, shop);
  accountRoutes(app, shop);
  app.get("/delivery", (c) => shop.send(c, deliveryPage(shop)));
  app.notFound((c) => shop.notFound(c, "There is no page at this address."));
  const { products } = shop.data;
  const { title } = shop.config;
  const about = `Online shop with ${products.length} products: search, basket, checkout, orders.`;
  return { app, title, about, accent: "#0b5c8a" };
}

function deliveryPage({ config }: Shop) {
  const amount = (cents: number) => money(cents, config.currency);
  const rows = config.delivery.map((each) => [
    each.name,
    amount(each.price_cents),
    each.free_from_cents === undefined ? "never" : `from ${amount(each.free_from_cents)}`,
    each.days === 1 ? "the next working day" : `${each.days} working days after the order`,
  ]);
  return {
    title: "Delivery and payment",
    main: html`${table("Kinds of delivery", ["Delivery", "Price", "Free", "Earliest"], rows)}
      <p>We deliver from Monday to Friday to: ${config.countries.join(", ")}.</p>
      <h2>Payment</h2>${facts(config.payment.map(({ name, reference }) => [name, reference ? `${reference} is needed` : "nothing more is needed"]))}
      <p>All prices include ${config.tax_percent}% VAT.</p>`,
  };
}
