import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { Form } from "../form.ts";
import { errorSummary, type Markup } from "../markup.ts";
import { money } from "../money.ts";
import { seeOther, sentFields } from "../page.ts";
import { productPage } from "./catalogue.ts";
import type { Shop } from "./shop.ts";
import { couponProblem, shortages, type Totals, totalsOf } from "./totals.ts";

const NOTICES: Readonly<Record<string, string>> = {
  added: "Added to your basket.",
  updated: "Your basket was updated.",
  removed: "The product was removed from your basket.",
  coupon: "The discount code was applied.",
};
const MOST_OF_ONE = 9_999;

/** The basket: shown, filled, changed. */
export function basketRoutes(app: Hono, shop: Shop): void {
  app.get("/basket", (c) => basketPage(c, shop));
  app.post("/basket/items", (c) => addItem(c, shop));
  app.post("/basket/update", (c) => update(c, shop));
  app.post("/basket/remove", async (c) => {
    const sku = (await sentFields(c)).get("sku");
    const basket = shop.basket(c);
    if (!basket?.items.some((item) => item.sku === sku)) return seeOther(c, "/basket");
    shop.store.change((data) => {
      const kept = shop.keptBasket(c, data);
      kept.items = kept.items.filter((item) => item.sku !== sku);
    });
    return seeOther(c, "/basket?notice=removed");
  });
  app.post("/basket/coupon", (c) => applyCoupon(c, shop));
}

async function addItem(c: Context, shop: Shop) {
  const form = new Form(await sentFields(c));
  const product = shop.data.products.find(({ sku }) => sku === form.value("sku"));
  if (product === undefined) return shop.notFound(c, "There is no such product.");
  const quantity = form.whole("quantity", "a quantity", { min: 1, max: MOST_OF_ONE });
  const { sku, name, stock } = product;
  const already = shop.basket(c)?.items.find((item) => item.sku === sku)?.quantity ?? 0;
  if (form.ok && already + quantity > stock) {
    const left = stock === 0 ? `${name} is sold out.` : `Only ${stock} of ${name} are in stock.`;
    const had = already > 0 ? ` Your basket has ${already} already.` : "";
    form.problem("quantity", left + had);
  }
  if (!form.ok) return productPage(c, shop, product, form);
  shop.store.change((data) => {
    const basket = shop.keptBasket(c, data);
    const item = basket.items.find((each) => each.sku === sku);
    if (item === undefined) basket.items.push({ sku, quantity });
    else item.quantity += quantity;
  });
  return seeOther(c, "/basket?notice=added");
}

async function update(c: Context, shop: Shop) {
  const form = new Form(await sentFields(c));
  const { lines } = totalsOf(shop.basket(c), shop.data);
  const quantities = new Map<string, number>();
  for (const { product } of lines) {
    const { sku, name, stock } = product;
    const field = `quantity-${sku}`;
    if (!form.has(field)) continue;
    const quantity = form.whole(field, `the quantity of ${name}`, { min: 0, max: MOST_OF_ONE });
    if (quantity > stock) form.problem(field, `Only ${stock} of ${name} are in stock.`);
    quantities.set(sku, quantity);
  }
  if (!form.ok) return basketPage(c, shop, form);
  if (quantities.size === 0) return seeOther(c, "/basket");
  shop.store.change((data) => {
    const basket = shop.keptBasket(c, data);
    for (const item of basket.items) item.quantity = quantities.get(item.sku) ?? item.quantity;
    basket.items = basket.items.filter(({ quantity }) => quantity > 0);
  });
  return seeOther(c, "/basket?notice=updated");
}

async function applyCoupon(c: Context, shop: Shop) {
  const form = new Form(await sentFields(c));
  const code = form.text("coupon", "a discount code", { max: 40, optional: true }).toUpperCase();
  const { subtotalCents } = totalsOf(shop.basket(c), shop.data);
  const coupon = shop.data.coupons.find((each) => each.code === code);
  if (code !== "" && form.ok) {
    const problem =
      coupon === undefined
        ? `There is no discount code “${code}”.`
        : couponProblem(coupon, subtotalCents, shop.config.currency);
    if (problem !== undefined) form.problem("coupon", problem);
  }
  if (!form.ok) return basketPage(c, shop, form);
  if (shop.basket(c) === undefined) return seeOther(c, "/basket");
  shop.store.change((data) => {
    shop.keptBasket(c, data).coupon = coupon?.code ?? null;
  });
  return seeOther(c, `/basket?notice=${coupon === undefined ? "updated" : "coupon"}`);
}

function basketPage(c: Context, shop: Shop, form?: Form) {
  const basket = shop.basket(c);
  const totals = totalsOf(basket, shop.data);
  const notice = NOTICES[c.req.query("notice") ?? ""];
  if (totals.lines.length === 0) {
    const empty = html`<p>Your basket is empty.</p><p><a href="/products">See all products</a></p>`;
    return shop.send(c, { title: "Basket", notice, main: empty });
  }
  const short = shortages(totals);
  return shop.send(c, {
    title: "Basket",
    notice,
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}
      ${short.length > 0 && html`<div class="alert" role="alert"><ul>${short.map((each) => html`<li>${each}</li>`)}</ul></div>`}
      ${linesForm(shop, totals, form)}
      <div class="halves"><div>${couponForm(basket?.coupon ?? "", heldBack(shop, totals, basket?.coupon), form)}</div>
      <div class="card">${sums(shop, totals)}<p><a class="button" href="/checkout">Go to checkout</a></p></div></div>`,
  });
}

function linesForm({ config }: Shop, { lines }: Totals, form: Form | undefined): Markup {
  const rows = lines.map(({ product, quantity, totalCents }) => {
    const field = `quantity-${product.sku}`;
    return html`<tr><td><a href="/products/${product.sku}">${product.name}</a><br><span class="quiet">${product.sku}</span></td>
      <td class="number">${money(product.price_cents, config.currency)}</td>
      <td><input id="${field}" name="${field}" form="lines" type="number" min="0" value="${form?.value(field) || quantity}"
        aria-label="Quantity of ${product.name}" ${form?.errors.has(field) && html`aria-invalid="true"`}></td>
      <td class="number">${money(totalCents, config.currency)}</td>
      <td><form method="post" action="/basket/remove"><input type="hidden" name="sku" value="${product.sku}">
        <button class="second" aria-label="Remove ${product.name}">Remove</button></form></td></tr>`;
  });
  return html`<table><caption>Products in your basket</caption><thead><tr><th scope="col">Product</th>
    <th scope="col" class="number">Price</th><th scope="col">Quantity</th><th scope="col" class="number">Total</th>
    <th scope="col">Remove</th></tr></thead><tbody>${rows}</tbody></table>
    <form id="lines" method="post" action="/basket/update"><p><button class="second">Update quantities</button></p></form>`;
}

/** Why the code of a basket takes nothing off now. */
function heldBack({ data, config }: Shop, totals: Totals, code: string | null = null) {
  const coupon = data.coupons.find((each) => each.code === code);
  return coupon && couponProblem(coupon, totals.subtotalCents, config.currency);
}

function couponForm(code: string, held: string | undefined, form: Form | undefined): Markup {
  const error = form?.errors.get("coupon");
  return html`<form class="panel" method="post" action="/basket/coupon">
    <div class="field${error ? " wrong" : ""}"><label for="coupon">Discount code</label>
    ${error && html`<p class="error" id="coupon-error">${error}</p>`}
    ${!error && held && html`<p class="hint">${held}</p>`}
    <input id="coupon" name="coupon" value="${form?.value("coupon") || code}"></div>
    <button class="second">Apply code</button></form>`;
}

/** What the products come to. */
function sums({ config }: Shop, totals: Totals): Markup {
  const { subtotalCents, discountCents, coupon } = totals;
  const amount = (cents: number) => money(cents, config.currency);
  return html`<dl><dt>Products</dt><dd>${amount(subtotalCents)}</dd>
    ${coupon && html`<dt>Discount (${coupon.code}, ${coupon.percent}%)</dt><dd>${amount(-discountCents)}</dd>`}
    <dt>Before delivery</dt><dd class="total">${amount(subtotalCents - discountCents)}</dd></dl>`;
}
