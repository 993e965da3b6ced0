import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";
import { ANA, rowsOf, SCRIPT, SHOP, seedSite } from "./sites.ts";
import { freePort, type Visit, Visitor } from "./visitor.ts";

describe("orders in a shop", () => {
  let web: OfficeClient;
  let port: number;
  let visitor: Visitor;

  beforeEach(async () => {
    port = await freePort();
    web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(web.state, "shop", SHOP);
    visitor = new Visitor(port, "shop.test");
  });

  afterEach(() => web[Symbol.asyncDispose]());

  it("says what is wrong with a checkout's details, and keeps what was typed", async () => {
    await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 1 });
    const bare = await visitor.post("/checkout", {});
    assert.equal(bare.status, 422);
    for (const field of [
      "email",
      "name",
      "line1",
      "postcode",
      "city",
      "country",
      "delivery",
      "payment",
    ]) {
      assert.match(bare.text, new RegExp(`href="#${field}"`), field);
      assert.match(bare.text, new RegExp(`id="${field}"`), field);
    }
    const wrongs: Record<string, string> = {
      ...{ email: "ana@", postcode: "!", country: "Atlantis", delivery: "pigeon" },
      ...{ delivery_date: "2026-02-30", name: "x".repeat(200), note: "y".repeat(600) },
    };
    for (const [field, value] of Object.entries(wrongs)) {
      const refused = await visitor.post("/checkout", { ...(await details()), [field]: value });
      assert.equal(refused.status, 422, field);
      assert.match(refused.text, new RegExp(`id="${field}-error"`), field);
      assert.match(refused.text, /value="Ana &amp; Söhne|value="x{100}/, "what was typed stays");
    }
    const saturday = { ...(await details()), delivery_date: weekendAhead() };
    assert.match((await visitor.post("/checkout", saturday)).text, /Monday to Friday/);
    const early = { ...(await details()), delivery_date: new Date().toISOString().slice(0, 10) };
    assert.match((await visitor.post("/checkout", early)).text, /no earlier than/);
    const unnamed = { ...(await details()), reference: "" };
    assert.match(
      (await visitor.post("/checkout", unnamed)).text,
      /Enter the purchase order number/,
    );
    const orders = (await rowsOf(web.state, "shop"))["orders"];
    assert.equal(orders?.length, 1);
  });

  it("takes an order once, however often the button is pressed", async () => {
    await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 3 });
    const review = await visitor.post("/checkout", await details());
    assert.equal(review.path, "/checkout/review");
    assert.match(review.text, /Ana &amp; Söhne/);
    assert.match(review.text, /Total<\/dt><dd class="total">€21\.42/);
    const basket = /name="basket" value="(\d+)"/.exec(review.text)?.[1] ?? "";
    const placed = await Promise.all(
      [1, 2, 3].map(() => visitor.post("/checkout/place", { basket })),
    );
    for (const { text } of placed) assert.match(text, /Your order SO-1002 was placed/);
    const { orders = [], products = [], baskets } = await rowsOf(web.state, "shop");
    assert.equal(orders.length, 2);
    assert.equal(orders[1]?.["total_cents"], 3 * 549 + 495);
    assert.equal(orders[1]?.["address"].name, "Ana & Söhne");
    assert.equal(products.find(({ sku }) => sku === "PAP-A4")?.["stock"], 197);
    assert.ok(baskets?.every(({ id }) => String(id) !== basket));
    assert.match((await visitor.get("/orders")).text, /SO-1002/);
    const stranger = new Visitor(port, "shop.test");
    assert.equal((await stranger.get("/orders/SO-1002")).status, 404);
    assert.equal((await stranger.post("/orders/SO-1002/cancel")).status, 404);
  });

  it("never sells more than there is, to however many at once", async () => {
    const visitors = Array.from({ length: 8 }, () => new Visitor(port, "shop.test"));
    const sent = await details();
    const baskets = await Promise.all(
      visitors.map(async (each) => {
        await each.post("/basket/items", { sku: "PAP-A3", quantity: 1 });
        const { text } = await each.post("/checkout", sent);
        return /name="basket" value="(\d+)"/.exec(text)?.[1] ?? "";
      }),
    );
    const placed = await Promise.all(
      visitors.map((each, at) => each.post("/checkout/place", { basket: baskets[at] ?? "" })),
    );
    assert.equal(placed.filter(({ status }) => status === 200).length, 3);
    const refused = placed.filter(({ status }) => status === 409);
    assert.equal(refused.length, 5);
    assert.match(refused[0]?.text ?? "", /Copy paper A3, 500 sheets is sold out/);
    const { products = [], orders = [] } = await rowsOf(web.state, "shop");
    assert.equal(products.find(({ sku }) => sku === "PAP-A3")?.["stock"], 0);
    assert.equal(new Set(orders.map(({ id }) => id)).size, 4);
  });

  it("keeps addresses of an account, delivers to them, and gives stock back", async () => {
    await visitor.post("/login", ANA);
    const bad = await visitor.post("/account/addresses", { name: SCRIPT });
    assert.equal(bad.status, 422);
    assert.doesNotMatch(bad.text, /<script/);
    const { name, line1, postcode, city, country } = await details();
    const address = { name, line1, postcode, city, country } as Record<string, string>;
    assert.match((await visitor.post("/account/addresses", address)).text, /address was added/);
    assert.equal((await visitor.post("/account/addresses", address)).status, 422, "twice");
    await visitor.post("/account/addresses/remove", { address: "A-1" });
    await visitor.post("/basket/items", { sku: "PAP-A3", quantity: 3 });
    const { email, delivery, delivery_date: date, payment, reference } = await details();
    const sent = { email, delivery, delivery_date: date, payment, reference, terms: "yes" };
    const review = await visitor.post("/checkout", { ...sent, saved_address: "office" } as never);
    assert.match(review.text, /Calle Mayor 1, 2nd floor, 28013 Madrid/);
    const order = await place(visitor, review);
    assert.match(order.text, /SO-1002/);
    const cancelled = await visitor.post("/orders/SO-1002/cancel");
    assert.match(cancelled.text, /The order was cancelled/);
    await visitor.post("/orders/SO-1002/cancel");
    const { products = [], orders = [] } = await rowsOf(web.state, "shop");
    assert.equal(products.find(({ sku }) => sku === "PAP-A3")?.["stock"], 3);
    assert.equal(orders[1]?.["account"], ANA.email);
  });

  it("shows what was typed as text, wherever it is shown again", async () => {
    await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 1 });
    const nasty = {
      name: SCRIPT,
      line1: `"><img src=x onerror=alert(1)>`,
      note: SCRIPT,
      city: "&lt;",
    };
    const review = await visitor.post("/checkout", { ...(await details()), ...nasty });
    assert.doesNotMatch(review.text, /<script|<img/);
    const order = await place(visitor, review);
    assert.match(order.text, /&lt;script&gt;/);
    assert.doesNotMatch(order.text, /<script|<img/);
    const { orders = [] } = await rowsOf(web.state, "shop");
    assert.equal(orders[1]?.["address"].city, "&lt;");
  });

  /** Details that are in order: the date is the one that the form proposes. */
  async function details(): Promise<Record<string, string>> {
    const other = new Visitor(port, "shop.test");
    await other.post("/basket/items", { sku: "NOTE-1", quantity: 1 });
    const { text } = await other.get("/checkout");
    return {
      ...{ email: "ana@example.test", name: "Ana & Söhne", line1: "Harbour Road 5" },
      ...{ postcode: "1012 AB", city: "Amsterdam", country: "Netherlands", delivery: "standard" },
      delivery_date: /name="delivery_date"[^>]*value="([\d-]+)"/s.exec(text)?.[1] ?? "",
      ...{ payment: "invoice", reference: "PO-77", terms: "yes" },
    };
  }
});

async function place(visitor: Visitor, review: Visit): Promise<Visit> {
  const basket = /name="basket" value="(\d+)"/.exec(review.text)?.[1] ?? "";
  return await visitor.post("/checkout/place", { basket });
}

function weekendAhead(): string {
  const at = new Date();
  at.setUTCDate(at.getUTCDate() + 14);
  while (at.getUTCDay() !== 6) at.setUTCDate(at.getUTCDate() + 1);
  return at.toISOString().slice(0, 10);
}
