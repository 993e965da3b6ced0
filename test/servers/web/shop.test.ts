import assert from "node:assert/strict";
import { mkdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";
import { ANA, SCRIPT, SHOP, seedSite } from "./sites.ts";
import { freePort, Visitor } from "./visitor.ts";

describe("a shop", () => {
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

  it("answers every page, and says so of what is not there", async () => {
    const pages = [
      "/",
      "/products",
      "/products/PAP-A4",
      "/basket",
      "/login",
      "/orders",
      "/delivery",
    ];
    for (const path of pages) {
      const { status, text } = await visitor.get(path);
      assert.equal(status, 200, path);
      assert.match(text, /<h1>/);
      assert.doesNotMatch(text, /undefined|\[object|NaN|https?:\/\//, path);
    }
    for (const path of ["/nowhere", "/products/NONE", "/orders/SO-1001", "/orders/1"]) {
      assert.equal((await visitor.get(path)).status, 404, path);
    }
    assert.equal((await visitor.get("/style.css")).headers["content-type"], "text/css");
    assert.equal((await visitor.get("/favicon.ico")).status, 204);
    assert.equal((await visitor.get("/checkout")).path, "/basket");
    assert.equal((await visitor.get("/checkout/review")).path, "/basket");
    assert.equal((await visitor.get("/account")).path, "/login?next=/account");
  });

  it("searches, filters, sorts and pages its products", async () => {
    assert.deepEqual(await names("q=gel+PEN"), ["Gel pen, blue", "Gel pen, black"]);
    assert.deepEqual(await names("q=gel+pen&stock=yes"), ["Gel pen, blue"]);
    assert.deepEqual(await names("brand=Inka&sort=name"), ["Gel pen, black", "Gel pen, blue"]);
    assert.deepEqual(await names("min=5.49&max=10.99&sort=-price"), [
      "Copy paper A3, 500 sheets",
      "Copy paper A4, 500 sheets",
    ]);
    assert.deepEqual(await names("q=pap-a4"), ["Copy paper A4, 500 sheets"]);
    assert.deepEqual(await names("q=zebra"), []);
    const last = await visitor.get("/products?page=99");
    assert.match(last.text, /Page 3 of 3/);
    const second = await visitor.get("/products?q=notebook&page=2");
    assert.match(second.text, /12 products, page 2 of 2/);
    assert.match(second.text, /href="\/products\?q=notebook&amp;page=1">Previous page/);
  });

  it("refuses quantities that are none, or more than there is", async () => {
    for (const quantity of ["0", "-1", "1.5", "x", "", "1e3", "99999999999"]) {
      const refused = await visitor.post("/basket/items", { sku: "PAP-A4", quantity });
      assert.equal(refused.status, 422, quantity);
      assert.match(refused.text, /role="alert">Enter a quantity as a whole number/);
    }
    const more = await visitor.post("/basket/items", { sku: "PAP-A3", quantity: 4 });
    assert.match(more.text, /Only 3 of Copy paper A3, 500 sheets are in stock\./);
    await visitor.post("/basket/items", { sku: "PAP-A3", quantity: 2 });
    const again = await visitor.post("/basket/items", { sku: "PAP-A3", quantity: 2 });
    assert.match(again.text, /Your basket has 2 already/);
    const none = await visitor.post("/basket/items", { sku: "PEN-BK", quantity: 1 });
    assert.match(none.text, /Gel pen, black is sold out/);
    assert.equal((await visitor.post("/basket/items", { sku: "X", quantity: 1 })).status, 404);
    assert.doesNotMatch((await visitor.get("/products/PEN-BK")).text, /Add to basket/);
  });

  it("changes a basket: quantities, removal, discount codes", async () => {
    await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 2 });
    await visitor.post("/basket/items", { sku: "PEN-BL", quantity: 4 });
    const low = await visitor.post("/basket/coupon", { coupon: "spring" });
    assert.match(low.text, /needs an order of at least €20\.00/);
    const wrong = await visitor.post("/basket/update", { "quantity-PAP-A4": 999 });
    assert.equal(wrong.status, 422);
    assert.match(wrong.text, /Only 200 of Copy paper A4/);
    const right = await visitor.post("/basket/update", {
      "quantity-PAP-A4": 4,
      "quantity-PEN-BL": 0,
    });
    assert.match(right.text, /Your basket was updated/);
    assert.doesNotMatch(right.text, /Gel pen/);
    const good = await visitor.post("/basket/coupon", { coupon: "spring" });
    assert.match(good.text, /Discount \(SPRING, 10%\)<\/dt><dd>-€2\.20/);
    assert.match(good.text, /€19\.76/);
    for (const coupon of ["OLD", SCRIPT, "NOPE"]) {
      const refused = await visitor.post("/basket/coupon", { coupon });
      assert.equal(refused.status, 422, coupon);
      assert.doesNotMatch(refused.text, /<script/);
    }
    const empty = await visitor.post("/basket/remove", { sku: "PAP-A4" });
    assert.match(empty.text, /Your basket is empty/);
    assert.equal((await new Visitor(port, "shop.test").get("/basket")).status, 200);
  });

  it("signs in with the right password alone, and shows an account its own orders", async () => {
    for (const password of ["", "tulip", "Tulip-42", "' OR '1'='1"]) {
      const refused = await visitor.post("/login", { ...ANA, password });
      assert.equal(refused.status, 422);
      assert.doesNotMatch(refused.text, /tulip-42/);
    }
    const unknown = await visitor.post("/login", { ...ANA, email: "nobody@example.test" });
    assert.match(unknown.text, /do not match an account/);
    const account = await visitor.post("/login", ANA);
    assert.equal(account.path, "/account");
    assert.match(account.text, /Calle Mayor 1/);
    const order = await visitor.get("/orders/SO-1001");
    assert.match(order.text, /shipped/);
    const cancel = await visitor.post("/orders/SO-1001/cancel");
    assert.equal(cancel.status, 409);
    assert.match(cancel.text, /is shipped; it cannot be cancelled/);
    const other = new Visitor(port, "shop.test");
    other.cookie = "visit=00000000000000000000000000000000";
    assert.equal((await other.get("/orders/SO-1001")).status, 404);
    await visitor.post("/logout");
    assert.equal((await visitor.get("/orders/SO-1001")).status, 404);
  });

  it("writes the same bytes for the same visits", async () => {
    const play = async (each: Visitor) => {
      await each.post("/login", ANA);
      await each.post("/basket/items", { sku: "PAP-A4", quantity: 1 });
      await each.post("/basket/items", { sku: "PEN-BL", quantity: 2 });
    };
    await play(visitor);
    const first = await readFile(join(web.state, "web/shop/data.json"), "utf8");
    const elsewhere = await freePort();
    await using other = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(elsewhere) } });
    await seedSite(other.state, "shop", SHOP);
    await play(new Visitor(elsewhere, "shop.test"));
    assert.equal(await readFile(join(other.state, "web/shop/data.json"), "utf8"), first);
    assert.ok(first.split("\n").length > 20, "a row is a line");
  });

  it("changes nothing where it cannot write", async () => {
    await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 1 });
    const path = join(web.state, "web/shop");
    const kept = await readFile(join(path, "data.json"), "utf8");
    await mkdir(join(path, "data.json.draft"));
    const failed = await visitor.post("/basket/items", { sku: "PEN-BL", quantity: 1 });
    assert.equal(failed.status, 500);
    assert.match(failed.text, /Nothing was changed/);
    assert.equal(await readFile(join(path, "data.json"), "utf8"), kept);
    await rmdir(join(path, "data.json.draft"));
    assert.match((await visitor.get("/basket")).text, /Basket \(1\)/);
    assert.match(
      (await visitor.post("/basket/items", { sku: "PEN-BL", quantity: 1 })).text,
      /Basket \(2\)/,
    );
  });

  async function names(query: string): Promise<string[]> {
    const { text } = await visitor.get(`/products?${query}`);
    return [...text.matchAll(/<h3><a href="\/products\/[^"]+">([^<]+)</g)].map(
      (each) => each[1] ?? "",
    );
  }
});

describe("a shop whose process is killed", () => {
  it("goes on from the last change", async () => {
    const port = await freePort();
    const state: string[] = [];
    let order = "";
    {
      await using web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
      await seedSite(web.state, "shop", SHOP);
      const visitor = new Visitor(port, "shop.test");
      await visitor.post("/basket/items", { sku: "PAP-A4", quantity: 2 });
      order = visitor.cookie;
      process.kill(web.pid, "SIGKILL");
      state.push(
        await readFile(join(web.state, "web/shop/site.json"), "utf8"),
        await readFile(join(web.state, "web/shop/data.json"), "utf8"),
      );
    }
    await using web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    const [site = "", data = ""] = state.map((text) => JSON.parse(text));
    await seedSite(web.state, "shop", { site, data } as never);
    const visitor = new Visitor(port, "shop.test");
    visitor.cookie = order;
    assert.match((await visitor.get("/basket")).text, /Basket \(2\)/);
  });
});
