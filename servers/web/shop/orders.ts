import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { longDay, shown } from "../dates.ts";
import { facts, type Markup, paged, pageLinks, table } from "../markup.ts";
import { money } from "../money.ts";
import { seeOther } from "../page.ts";
import { shownAddress } from "./address.ts";
import type { Order } from "./data.ts";
import type { Shop } from "./shop.ts";
import { taxIn } from "./totals.ts";

const PER_PAGE = 20;

/** What was ordered: the list, each order, and its cancelling. */
export function orderRoutes(app: Hono, shop: Shop): void {
  app.get("/orders", (c) => orderList(c, shop));
  app.get("/orders/:id", (c) => {
    const order = ownOrder(c, shop);
    if (order === undefined) return shop.notFound(c, "You have no order of this number.");
    return orderPage(c, shop, order);
  });
  app.post("/orders/:id/cancel", (c) => cancel(c, shop));
}

function ownOrders(c: Context, shop: Shop): readonly Order[] {
  const session = shop.session(c);
  if (session === undefined) return [];
  return shop.data.orders.filter(({ account, session: key }) => {
    return account === null ? key === session.key : account === session.account;
  });
}

function ownOrder(c: Context, shop: Shop): Order | undefined {
  return ownOrders(c, shop).find(({ id }) => id === c.req.param("id"));
}

function orderList(c: Context, shop: Shop) {
  const orders = ownOrders(c, shop).toReversed();
  if (orders.length === 0 && shop.account(c) === undefined) {
    return shop.send(c, {
      title: "Your orders",
      main: html`<p>There is no order from this browser. <a href="/login?next=/orders">Sign in</a> to see those of your account.</p>`,
    });
  }
  const page = paged(orders, c.req.query("page"), PER_PAGE);
  const rows = page.items.map((order) => [
    html`<a href="/orders/${order.id}">${order.id}</a>`,
    shown(order.placed_at),
    shown(order.delivery_date),
    money(order.total_cents, shop.config.currency),
    order.status,
  ]);
  const heads = ["Order", "Placed", "Delivery", "Total", "Status"];
  return shop.send(c, {
    title: "Your orders",
    main: html`${orders.length === 0 ? html`<p>You have not ordered yet.</p>` : table("Orders, newest first", heads, rows)}
      ${pageLinks(page, "/orders", new URLSearchParams())}`,
  });
}

function orderPage(c: Context, shop: Shop, order: Order, problem?: string) {
  const { config } = shop;
  const placed =
    c.req.query("placed") === "yes" ? `Thank you. Your order ${order.id} was placed.` : undefined;
  const cancelled = c.req.query("cancelled") === "yes" ? "The order was cancelled." : undefined;
  const cancelForm = html`<form method="post" action="/orders/${order.id}/cancel">
    <button class="second">Cancel order</button></form>`;
  return shop.send(c, {
    title: `Order ${order.id}`,
    notice: placed ?? (order.status === "cancelled" ? cancelled : undefined),
    status: problem === undefined ? 200 : 409,
    main: html`${problem && html`<p class="alert" role="alert">${problem}</p>`}
      ${facts([
        ["Order number", order.id],
        ["Status", order.status],
        ["Placed", shown(order.placed_at)],
        ["Email", order.email],
        ["Delivery address", shownAddress(order.address)],
        [
          "Delivery",
          config.delivery.find(({ id }) => id === order.delivery)?.name ?? order.delivery,
        ],
        ["Delivery date", longDay(order.delivery_date)],
        ["Payment", config.payment.find(({ id }) => id === order.payment)?.name ?? order.payment],
        ["Reference", order.reference],
        ["Note", order.note],
      ])}
      ${linesTable(shop, order)}${order.status === "placed" && cancelForm}
      <p><a href="/orders">All orders</a></p>`,
  });
}

/** The products of an order, and what they come to. */
export function linesTable({ config }: Shop, order: Order): Markup {
  const amount = (cents: number) => money(cents, config.currency);
  const rows = order.lines.map(({ sku, name, quantity, unit_cents: unit, total_cents: total }) => [
    html`<a href="/products/${sku}">${name}</a>`,
    sku,
    amount(unit),
    quantity,
    amount(total),
  ]);
  return html`${table("Products", ["Product", "SKU", "Price", "Quantity", "Total"], rows)}
    <dl><dt>Products</dt><dd>${amount(order.subtotal_cents)}</dd>
    ${order.coupon && html`<dt>Discount (${order.coupon})</dt><dd>${amount(-order.discount_cents)}</dd>`}
    <dt>Delivery</dt><dd>${amount(order.delivery_cents)}</dd>
    <dt>Total</dt><dd class="total">${amount(order.total_cents)}</dd>
    <dt>Including ${config.tax_percent}% VAT</dt><dd>${amount(taxIn(order, config.tax_percent))}</dd></dl>`;
}

function cancel(c: Context, shop: Shop) {
  const order = ownOrder(c, shop);
  if (order === undefined) return shop.notFound(c, "You have no order of this number.");
  if (order.status === "cancelled") return seeOther(c, `/orders/${order.id}?cancelled=yes`);
  if (order.status !== "placed") {
    const problem = `This order is ${order.status}; it cannot be cancelled any more.`;
    return orderPage(c, shop, order, problem);
  }
  shop.store.change((data) => {
    order.status = "cancelled";
    for (const { sku, quantity } of order.lines) {
      const product = data.products.find((each) => each.sku === sku);
      if (product !== undefined) product.stock += quantity;
    }
  });
  return seeOther(c, `/orders/${order.id}?cancelled=yes`);
}
