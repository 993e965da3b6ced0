import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { addDays, addWorkingDays, isWeekend, longDay, now, today } from "../dates.ts";
import { Form } from "../form.ts";
import {
  checkField,
  errorSummary,
  facts,
  inputField,
  type Markup,
  radioField,
  selectField,
  textField,
} from "../markup.ts";
import { money } from "../money.ts";
import { seeOther, sentFields } from "../page.ts";
import { nextId } from "../store.ts";
import { addressFields, addressOf, shownAddress } from "./address.ts";
import type { Basket, Checkout, Order, ShopData } from "./data.ts";
import { linesTable } from "./orders.ts";
import type { Shop } from "./shop.ts";
import { deliveryCents, shortages, totalsOf } from "./totals.ts";

const LATEST_DAYS = 60;
const NEW_ADDRESS = "new";

/** From the basket to an order: details, then a page to look over, then the order. */
export function checkoutRoutes(app: Hono, shop: Shop): void {
  app.get("/checkout", (c) => {
    return isEmpty(c, shop) ? seeOther(c, "/basket") : detailsPage(c, shop);
  });
  app.post("/checkout", (c) => takeDetails(c, shop));
  app.get("/checkout/review", (c) => {
    const basket = shop.basket(c);
    if (isEmpty(c, shop) || !basket) return seeOther(c, "/basket");
    if (basket.checkout === null) return seeOther(c, "/checkout");
    return reviewPage(c, shop, basket, basket.checkout);
  });
  app.post("/checkout/place", (c) => place(c, shop));
}

function isEmpty(c: Context, shop: Shop): boolean {
  return totalsOf(shop.basket(c), shop.data).lines.length === 0;
}

function detailsPage(c: Context, shop: Shop, form?: Form) {
  const { config } = shop;
  const account = shop.account(c);
  const kept = shop.basket(c)?.checkout;
  const totals = totalsOf(shop.basket(c), shop.data);
  const deliveries = config.delivery.map((each) => {
    const price = money(deliveryCents(each, totals), config.currency);
    const day = longDay(addWorkingDays(today(), each.days));
    return { value: each.id, label: `${each.name}: ${price}, from ${day}` };
  });
  const payments = config.payment.map(({ id, name }) => ({ value: id, label: name }));
  const saved = account?.addresses ?? [];
  const addresses = [
    ...saved.map((each) => ({ value: each.id, label: shownAddress(each) })),
    { value: NEW_ADDRESS, label: "Another address, entered below" },
  ];
  const references = config.payment.flatMap(({ reference }) => reference ?? []);
  const referenceLabel = references[0] ?? "Payment reference";
  const delivery = kept?.delivery ?? config.delivery[0]?.id ?? "";
  return shop.send(c, {
    title: "Checkout",
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}<form class="panel" method="post" action="/checkout">
      <h2>Contact</h2>
      ${inputField({ name: "email", label: "Email", type: "email", required: true, autocomplete: "email", value: kept?.email ?? account?.email ?? "" }, form)}
      <h2>Delivery address</h2>
      ${saved.length > 0 && selectField({ name: "saved_address", label: "Address", value: saved[0]?.id ?? NEW_ADDRESS }, addresses, form)}
      ${addressFields(config, saved.length === 0, saved.length > 0 ? undefined : kept?.address, form)}
      <h2>Delivery</h2>
      ${radioField({ name: "delivery", label: "Kind of delivery", value: delivery }, deliveries, form)}
      ${inputField(dateSpec(shop, delivery, kept?.delivery_date), form)}
      <h2>Payment</h2>
      ${radioField({ name: "payment", label: "Way of payment", value: kept?.payment ?? payments[0]?.value ?? "" }, payments, form)}
      ${inputField(
        {
          name: "reference",
          label: referenceLabel,
          depends: true,
          hint: `Needed for: ${
            config.payment
              .filter((each) => each.reference)
              .map((each) => each.name)
              .join("; ") || "nothing"
          }.`,
          value: kept?.reference ?? "",
        },
        form,
      )}
      ${textField({ name: "note", label: "Note for the delivery", value: kept?.note ?? "" }, form)}
      ${checkField({ name: "terms", label: "I accept the terms of sale" }, form)}
      <button>Continue to review</button></form>`,
  });
}

function dateSpec(shop: Shop, delivery: string, kept = "") {
  const days = shop.config.delivery.find(({ id }) => id === delivery)?.days ?? 0;
  const earliest = addWorkingDays(today(), days);
  return {
    ...({ name: "delivery_date", label: "Delivery date", type: "date", required: true } as const),
    hint: "A working day, Monday to Friday, not before the first day of the kind of delivery.",
    value: kept >= earliest ? kept : earliest,
  };
}

async function takeDetails(c: Context, shop: Shop) {
  if (isEmpty(c, shop)) return seeOther(c, "/basket");
  const form = new Form(await sentFields(c));
  const checkout = detailsOf(c, shop, form);
  if (!form.ok) return detailsPage(c, shop, form);
  shop.store.change((data) => {
    shop.keptBasket(c, data).checkout = checkout;
  });
  return seeOther(c, "/checkout/review");
}

function detailsOf(c: Context, shop: Shop, form: Form): Checkout {
  const { config } = shop;
  const email = form.email("email", "your email address");
  const saved = shop.account(c)?.addresses.find(({ id }) => id === form.value("saved_address"));
  const { id: _, ...address } = saved ?? { id: NEW_ADDRESS, ...addressOf(config, form) };
  const ids = config.delivery.map(({ id }) => id);
  const delivery = form.choice("delivery", "a kind of delivery", ids);
  const days = config.delivery.find(({ id }) => id === delivery)?.days ?? 0;
  const from = addWorkingDays(today(), days);
  const date = form.day("delivery_date", "a delivery date", {
    from,
    to: addDays(today(), LATEST_DAYS),
  });
  if (!form.errors.has("delivery_date") && isWeekend(date)) {
    form.problem("delivery_date", "Choose a delivery date from Monday to Friday.");
  }
  const payment = form.choice(
    "payment",
    "a way of payment",
    config.payment.map(({ id }) => id),
  );
  const wanted = config.payment.find(({ id }) => id === payment)?.reference;
  const label = wanted === undefined ? "the reference" : `the ${wanted.toLowerCase()}`;
  const reference = form.text("reference", label, { max: 60, optional: wanted === undefined });
  const note = form.text("note", "the note", { max: 500, optional: true });
  if (form.value("terms") !== "yes") form.problem("terms", "Accept the terms of sale.");
  return { email, address, delivery, delivery_date: date, payment, reference, note };
}

function reviewPage(
  c: Context,
  shop: Shop,
  basket: Basket,
  checkout: Checkout,
  problems: string[] = [],
) {
  const order = orderOf(shop, shop.data, basket, checkout);
  const alert = html`<div class="alert" role="alert"><h2>The order could not be placed</h2>
    <ul>${problems.map((each) => html`<li>${each}</li>`)}</ul><p><a href="/basket">Change your basket</a> or <a href="/checkout">your details</a></p></div>`;
  return shop.send(c, {
    title: "Review your order",
    status: problems.length > 0 ? 409 : 200,
    main: html`${problems.length > 0 && alert}${linesTable(shop, order)}
      ${checkoutFacts(shop, checkout)}
      <p><a href="/basket">Change basket</a> · <a href="/checkout">Change details</a></p>
      <form method="post" action="/checkout/place"><input type="hidden" name="basket" value="${basket.id}">
      <button>Place order</button></form>`,
  });
}

function checkoutFacts({ config }: Shop, checkout: Checkout): Markup {
  return facts([
    ["Email", checkout.email],
    ["Delivery address", shownAddress(checkout.address)],
    ["Delivery", config.delivery.find(({ id }) => id === checkout.delivery)?.name],
    ["Delivery date", longDay(checkout.delivery_date)],
    ["Payment", config.payment.find(({ id }) => id === checkout.payment)?.name],
    ["Reference", checkout.reference],
    ["Note", checkout.note],
  ]);
}

/** A basket makes one order, however often the button is pressed. */
async function place(c: Context, shop: Shop) {
  const sent = new Form(await sentFields(c)).value("basket");
  const { key } = shop.session(c) ?? {};
  const before = shop.data.orders.find((order) => {
    return String(order.basket) === sent && order.session === key;
  });
  if (before !== undefined) return seeOther(c, `/orders/${before.id}?placed=yes`);
  const basket = shop.basket(c);
  if (isEmpty(c, shop) || !basket) return seeOther(c, "/basket");
  const { checkout } = basket;
  if (checkout === null || String(basket.id) !== sent) return seeOther(c, "/checkout/review");
  const problems = shortages(totalsOf(basket, shop.data));
  const days = shop.config.delivery.find(({ id }) => id === checkout.delivery)?.days ?? 0;
  if (checkout.delivery_date < addWorkingDays(today(), days)) {
    problems.push("The delivery date is too early by now. Choose another.");
  }
  if (problems.length > 0) return reviewPage(c, shop, basket, checkout, problems);
  const id = shop.store.change((data) => {
    const kept = shop.keptBasket(c, data);
    const order = orderOf(shop, data, kept, checkout);
    const account = data.sessions.find((each) => each.key === kept.session)?.account ?? null;
    const taken = data.orders;
    const number = nextId(data.counters, "order", { prefix: "SO-", first: 1001, taken });
    const final = { ...order, id: number, account, session: kept.session };
    for (const { sku, quantity } of final.lines) {
      const product = data.products.find((each) => each.sku === sku);
      if (product !== undefined) product.stock -= quantity;
    }
    data.orders.push(final);
    data.baskets = data.baskets.filter((each) => each !== kept);
    return final.id;
  });
  return seeOther(c, `/orders/${id}?placed=yes`);
}

function orderOf(shop: Shop, data: ShopData, basket: Basket, checkout: Checkout): Order {
  const totals = totalsOf(basket, data);
  const { subtotalCents, discountCents, coupon } = totals;
  const delivery = shop.config.delivery.find(({ id }) => id === checkout.delivery);
  const freight = delivery === undefined ? 0 : deliveryCents(delivery, totals);
  return {
    ...{ id: "", placed_at: now(), status: "placed", account: null },
    ...{ email: checkout.email, address: checkout.address },
    lines: totals.lines.map(({ product, quantity, totalCents }) => {
      const { sku, name, price_cents: unit } = product;
      return { sku, name, quantity, unit_cents: unit, total_cents: totalCents };
    }),
    ...{ subtotal_cents: subtotalCents, coupon: coupon?.code ?? null },
    ...{ discount_cents: discountCents, delivery: checkout.delivery },
    ...{ delivery_date: checkout.delivery_date, delivery_cents: freight },
    total_cents: subtotalCents - discountCents + freight,
    ...{ payment: checkout.payment, reference: checkout.reference, note: checkout.note },
    ...{ basket: basket.id, session: basket.session },
  };
}
