import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";
import { LIBRARY, SHOP, seedSite } from "./sites.ts";
import { freePort, send, Visitor } from "./visitor.ts";

const FORM = "application/x-www-form-urlencoded";

describe("the door of the web surface", () => {
  let web: OfficeClient;
  let port: number;

  before(async () => {
    port = await freePort();
    web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
  });

  after(() => web[Symbol.asyncDispose]());

  it("answers before there is a site, and serves sites that come later", async () => {
    const early = await new Visitor(port, "shop.test").get("/");
    assert.equal(early.status, 404);
    assert.match(early.text, /There are no sites here/);
    await seedSite(web.state, "shop", SHOP);
    await seedSite(web.state, "library", LIBRARY);
    const later = await new Visitor(port, "shop.test").get("/");
    assert.equal(later.status, 200);
    assert.match(later.text, /Welcome to Paper &amp; Pine/);
    const upper = await new Visitor(port, `WWW.Library.Test.:${port}`).get("/");
    assert.match(upper.text, /Riverside Library/);
  });

  it("shows which sites there are to who asks for another host", async () => {
    for (const host of ["evil.test", "127.0.0.1", "localhost"]) {
      const { status, text: page } = await new Visitor(port, host).get("/");
      assert.equal(status, 404);
      assert.match(page, /http:\/\/library\.test\/.*http:\/\/shop\.test\//s);
    }
    for (const host of ["a b", "<script>", "[::1]", "x".repeat(300), "shop.test/../x"]) {
      const answered = await send(port, { method: "GET", path: "/", headers: { host } });
      assert.equal(answered.status, 400, host);
    }
  });

  it("refuses methods, bodies and headers that no page needs", async () => {
    const host = { host: "shop.test" };
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const { status } = await send(port, { method, path: "/", headers: host });
      assert.equal(status, 405, method);
    }
    const body = `sku=PAP-A4&quantity=1&x=${"y".repeat(1024 * 1024)}`;
    const form = { ...host, "content-type": FORM };
    const large = await send(port, { method: "POST", path: "/basket/items", body, headers: form });
    assert.equal(large.status, 413);
    const chunked = { ...form, "transfer-encoding": "chunked" };
    const unsaid = await send(port, { method: "POST", path: "/login", body, headers: chunked });
    assert.equal(unsaid.status, 413);
    const json = { ...host, "content-type": "application/json" };
    const other = await send(port, { method: "POST", path: "/login", body: "{}", headers: json });
    assert.equal(other.status, 415);
    const cookie = { ...host, cookie: `visit=${"z".repeat(20_000)}` };
    const heads = await send(port, { method: "GET", path: "/", headers: cookie });
    assert.equal(heads.status, 431);
    const head = await send(port, { method: "HEAD", path: "/", headers: host });
    assert.equal(head.status, 200);
    assert.equal(head.text, "");
  });

  it("outlives visitors that say nothing, half of something, or nonsense", async () => {
    const open = [
      "",
      "GET / HTTP/1.1\r\nHost: shop.test\r\n",
      "POST /login HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 500\r\n\r\nemail=",
      "POST /login HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "\u0000\u0001\u0002\r\n\r\n",
      "GET http://shop.test/ HTTP/9.9\r\n\r\n",
    ];
    const sockets = Array.from({ length: 60 }, (_, n) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(open[n % open.length] ?? "");
      return socket;
    });
    const { status } = await new Visitor(port, "shop.test").get("/");
    assert.equal(status, 200);
    for (const socket of sockets) socket.destroy();
    assert.equal((await new Visitor(port, "shop.test").get("/basket")).status, 200);
  });

  it("leaves no path, no header and no script of a visitor's in its answers", async () => {
    const paths = [
      "/../../etc/passwd",
      "/..%2f..%2fetc%2fpasswd",
      "/%2e%2e/%2e%2e/site.json",
      "/data.json",
      "/products/..%2f..%2fdata.json",
      "/products/__proto__",
      "/%",
      "/%ff%fe",
      "//evil.test/",
      `/${"a/".repeat(2000)}`,
    ];
    for (const path of paths) {
      const answered = await new Visitor(port, "shop.test").get(path, { follow: false });
      assert.ok([200, 404].includes(answered.status), `${path}: ${answered.status}`);
      assert.doesNotMatch(answered.text, /root:|tulip-42|"products"/);
    }
    const payload = '"><script>alert(1)</script>';
    const query = new URLSearchParams({ q: payload, category: payload, sort: payload, page: "-9" });
    for (const [host, path] of [
      ["shop.test", `/products?${query}`],
      ["library.test", `/catalogue?${query}`],
      ["library.test", `/rooms?${new URLSearchParams({ date: payload, people: payload })}`],
      ["shop.test", `/login?${new URLSearchParams({ next: `//evil.test/${payload}` })}`],
      ["evil.test", `/${payload}`],
    ] as const) {
      const { text: page } = await new Visitor(port, host).get(encodeURI(path));
      assert.doesNotMatch(page, /<script/i, path);
    }
    const away = await new Visitor(port, "shop.test").post(
      "/login",
      { email: "ana.ruiz@example.test", password: "tulip-42", next: "//evil.test/" },
      { follow: false },
    );
    assert.equal(away.headers["location"], "/account");
  });

  it("forbids scripts and what comes from elsewhere, and tells the sandbox's time", async () => {
    const { headers } = await new Visitor(port, "shop.test").get("/");
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.ok(!Number.isNaN(Date.parse(String(headers["date"]))));
  });

  it("answers several requests on one connection", async () => {
    const socket = connect(port, "127.0.0.1");
    const one = "GET /style.css HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    socket.write(`${one}${one}GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n`);
    const answers = (await text(socket)).match(/HTTP\/1\.1 200 OK/g);
    assert.equal(answers?.length, 3);
  });

  it("lets the process end while visitors hold connections open", async () => {
    const own = await freePort();
    const other = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(own) } });
    const socket = connect(own, "127.0.0.1");
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    const { pid } = other;
    await other[Symbol.asyncDispose]();
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
    socket.destroy();
  });
});

describe("the web surface", () => {
  it("works by its tools where the port is taken, and says so", async () => {
    const port = await freePort();
    await using first = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await first.text("list_sites");
    await using second = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(second.state, "shop", SHOP);
    assert.match(await second.text("list_sites"), /shop\.test.*cannot reach them.*EADDRINUSE/s);
    assert.match(await second.text("read_web_page", { url: "shop.test/products" }), /16 products/);
  });

  it("names what is wrong with a site's files, and serves the others", async () => {
    const port = await freePort();
    await using web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(web.state, "shop", SHOP);
    await seedSite(web.state, "bad", { site: { kind: "casino" }, data: {} });
    const broken = { ...SHOP, data: { products: [{ sku: "a/b", name: 3 }] } };
    await seedSite(web.state, "worse", broken);
    const listed = await web.text("list_sites");
    assert.match(listed, /bad\.test.*cannot be shown.*kind/s);
    assert.match(listed, /cannot be shown.*sku/s);
    const page = await new Visitor(port, "bad.test").get("/");
    assert.equal(page.status, 503);
    assert.match(page.text, /cannot be shown/);
  });

  it("reads pages as text with links and forms, and only those of its sites", async () => {
    const port = await freePort();
    await using web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(web.state, "library", LIBRARY);
    const page = await web.data("read_web_page", { url: "http://library.test/titles/T-1" });
    assert.match(String(page["text"]), /ISBN: 9780241349649/);
    assert.match(JSON.stringify(page["links"]), /\/login\?next=/);
    const found = await web.data("read_web_page", { url: `library.test:${port}/catalogue?q=salt` });
    assert.match(String(found["text"]), /The Salt Path \| Winn, Raynor \| 2018 \| Book \| 1 of 2/);
    const login = await web.data("read_web_page", { url: "http://library.test/account" });
    assert.equal(login["url"], "http://library.test/login?next=%2Faccount");
    assert.match(JSON.stringify(login["forms"]), /card: Library card number/);
    assert.match(
      await web.refusal("read_web_page", { url: "http://example.com/" }),
      /no site example/,
    );
    assert.match(await web.refusal("read_web_page", { url: "file:///etc/passwd" }), /by http/);
    assert.match(await web.refusal("read_web_page", { url: "http://[" }), /no address/);
  });
});
