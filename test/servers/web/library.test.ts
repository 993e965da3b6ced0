import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";
import { LIBRARY, rowsOf, SCRIPT, seedSite } from "./sites.ts";
import { freePort, Visitor } from "./visitor.ts";

const NOOR = { card: "m100", pin: "1234" };
const TOM = { card: "M200", pin: "2345" };

describe("a library", () => {
  let web: OfficeClient;
  let port: number;
  let visitor: Visitor;

  beforeEach(async () => {
    port = await freePort();
    web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(web.state, "library", LIBRARY);
    visitor = new Visitor(port, "library.test");
  });

  afterEach(() => web[Symbol.asyncDispose]());

  it("answers every public page, and says so of what is not there", async () => {
    const pages = [
      "/",
      "/catalogue",
      "/titles/T-1",
      "/rooms",
      "/rooms/maple",
      "/login",
      "/staff/login",
    ];
    for (const path of pages) {
      const { status, text } = await visitor.get(path);
      assert.equal(status, 200, path);
      assert.doesNotMatch(text, /undefined|\[object|NaN|https?:\/\//, path);
    }
    for (const path of ["/nowhere", "/titles/T-999", "/rooms/attic", "/titles/__proto__"]) {
      assert.equal((await visitor.get(path)).status, 404, path);
    }
    assert.equal((await visitor.get("/account")).path, "/login?next=%2Faccount");
  });

  it("finds titles by words, author, ISBN and subject, and filters them", async () => {
    assert.deepEqual(await found("q=salt+path&field=title"), ["The Salt Path"]);
    assert.deepEqual(await found("q=carson&field=author"), ["Silent Spring"]);
    assert.deepEqual(await found("q=carson&field=title"), []);
    assert.deepEqual(await found("q=978-0-241-34964-9&field=isbn"), ["The Salt Path"]);
    assert.deepEqual(await found("q=9780241349649"), ["The Salt Path"]);
    assert.deepEqual(await found("q=uber+dorfer"), ["Über die Dörfer"]);
    assert.deepEqual(await found("available=yes"), ["The Salt Path", "Über die Dörfer"]);
    assert.deepEqual(await found("branch=Harbour"), ["The Salt Path"]);
    assert.equal((await found("q=notes&sort=-year"))[0], "Field Notes 25");
    const last = await visitor.get("/catalogue?q=nature&field=subject&page=3");
    assert.match(last.text, /26 titles, page 3 of 3/);
  });

  it("signs members in with card and PIN, and nobody else", async () => {
    for (const pin of ["", "12345", "4321", "' OR 1=1 --"]) {
      assert.equal((await visitor.post("/login", { card: "M100", pin })).status, 422);
    }
    const unknown = await visitor.post("/login", { card: SCRIPT, pin: "1" });
    assert.doesNotMatch(unknown.text, /<script/);
    const back = await visitor.post("/login", { ...NOOR, next: "/titles/T-1" });
    assert.equal(back.path, "/titles/T-1");
    assert.match((await visitor.get("/account")).text, /The Salt Path.*overdue/s);
    assert.equal((await visitor.post("/logout")).path, "/login?notice=out");
    assert.equal((await visitor.get("/account")).path, "/login?next=%2Faccount");
    assert.equal((await visitor.get("/staff")).path, "/staff/login?next=%2Fstaff");
  });

  it("takes holds within its rules, and gives a returned copy to who waits longest", async () => {
    const stranger = await visitor.post("/titles/T-1/hold", { branch: "Central" });
    assert.match(stranger.path, /^\/login/);
    await visitor.post("/login", TOM);
    assert.match(await refused("/titles/T-4/hold", "Central"), /Page not found/);
    assert.match(await refused("/titles/T-1/hold", "Moon"), /Choose a branch/);
    assert.match(await refused("/titles/T-3/hold", "Central"), /no copy of this title to lend/);
    const placed = await visitor.post("/titles/T-1/hold", { branch: "Harbour" });
    assert.match(placed.text, /Your hold was placed/);
    assert.match(await refused("/titles/T-1/hold", "Harbour"), /already have a hold.*H-1/);
    await visitor.post("/titles/T-2/hold", { branch: "Central" });
    const desk = await staffDesk();
    const returned = await desk.post("/staff/return", { returned: "B002" });
    assert.match(returned.text, /due on 2026-01-23\. Put it on the hold shelf at Harbour for M200/);
    assert.match((await visitor.get("/account")).text, /ready to collect/);
    const foreign = await desk.post("/staff/lend", { card: "M100", barcode: "B002" });
    assert.match(foreign.text, /B002 cannot be lent: it is on hold shelf for the hold H-1/);
    const lent = await desk.post("/staff/lend", { card: "M200", barcode: "B002" });
    assert.match(lent.text, /B002 was lent to M200/);
    assert.match(await refused("/titles/T-1/hold", "Central"), /have this title on loan/);
    await visitor.post("/holds/H-2/cancel");
    const { holds = [], items = [], loans = [] } = await rowsOf(web.state, "library");
    assert.deepEqual(
      holds.map(({ status }) => status),
      ["collected", "cancelled"],
    );
    assert.equal(items.find(({ barcode }) => barcode === "B002")?.["status"], "on loan");
    assert.equal(loans.length, 2);
    const blocked = new Visitor(port, "library.test");
    await blocked.post("/login", { card: "M300", pin: "3456" });
    const no = await blocked.post("/titles/T-1/hold", { branch: "Central" });
    assert.match(no.text, /Your card is blocked: fees/);
  });

  it("renews a loan until somebody waits, and cancels only one's own", async () => {
    await visitor.post("/login", NOOR);
    assert.match((await visitor.post("/loans/L-1/renew")).text, /The loan was renewed/);
    const soon = await visitor.post("/loans/L-1/renew");
    assert.equal(soon.status, 409);
    assert.match(soon.text, /too early/);
    const tom = new Visitor(port, "library.test");
    await tom.post("/login", TOM);
    await tom.post("/titles/T-1/hold", { branch: "Central" });
    assert.match((await visitor.post("/loans/L-1/renew")).text, /Another reader is waiting/);
    assert.equal((await tom.post("/loans/L-1/renew")).status, 404);
    assert.equal((await visitor.post("/holds/H-1/cancel")).status, 404);
    assert.equal((await visitor.post("/holds/H-9/cancel")).status, 404);
  });

  it("books rooms without conflicts, and once when the button is pressed twice", async () => {
    const day = inDays(3);
    const wish = { date: day, start: "10:00", end: "12:00", people: 4, purpose: `Club ${SCRIPT}` };
    assert.match((await visitor.post("/rooms/maple/book", wish)).path, /^\/login/);
    await visitor.post("/login", NOOR);
    const wrongs = [
      [{ date: inDays(-1) }, "date"],
      [{ date: inDays(400) }, "date"],
      [{ date: "tomorrow" }, "date"],
      [{ start: "10:10" }, "start"],
      [{ start: "25:00" }, "start"],
      [{ end: "10:00" }, "end"],
      [{ end: "09:00" }, "end"],
      [{ end: "20:00" }, "end"],
      [{ people: 9 }, "people"],
      [{ people: 0 }, "people"],
      [{ purpose: " " }, "purpose"],
    ] as const;
    for (const [wrong, field] of wrongs) {
      const no = await visitor.post("/rooms/maple/book", { ...wish, ...wrong });
      assert.equal(no.status, 422, JSON.stringify(wrong));
      assert.match(no.text, new RegExp(`id="${field}-error"`), JSON.stringify(wrong));
    }
    const answers = await Promise.all([1, 2, 3].map(() => visitor.post("/rooms/maple/book", wish)));
    for (const { text } of answers) assert.match(text, /Your room is booked/);
    const tom = new Visitor(port, "library.test");
    await tom.post("/login", TOM);
    for (const [start, end] of [
      ["09:00", "10:30"],
      ["11:00", "11:30"],
      ["11:30", "13:00"],
      ["09:00", "13:00"],
    ]) {
      const taken = await tom.post("/rooms/maple/book", { ...wish, start, end } as never);
      assert.equal(taken.status, 409, start);
      assert.match(taken.text, /Maple is booked from 10:00 to 12:00/);
      assert.doesNotMatch(taken.text, /<script/);
    }
    const after = await tom.post("/rooms/maple/book", { ...wish, start: "12:00", end: "13:00" });
    assert.match(after.text, /Your room is booked/);
    assert.match((await tom.get(`/rooms?date=${day}&people=8`)).text, /00:00–10:00, 13:00–24:00/);
    assert.doesNotMatch((await tom.get("/rooms?people=9")).text, /Maple/);
    assert.equal((await tom.post("/bookings/B-1/cancel")).status, 404);
    assert.match((await visitor.post("/bookings/B-1/cancel")).text, /The booking was cancelled/);
    const { bookings = [] } = await rowsOf(web.state, "library");
    assert.deepEqual(
      bookings.map(({ id, status }) => [id, status]),
      [
        ["B-1", "cancelled"],
        ["B-2", "booked"],
      ],
    );
    const again = await tom.post("/rooms/maple/book", wish);
    assert.match(again.text, /Your room is booked/);
  });

  it("books nothing on a day when it is closed", async () => {
    const elsewhere = await freePort();
    await using other = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(elsewhere) } });
    const closed = { ...LIBRARY, site: { ...LIBRARY.site, hours: {} } };
    await seedSite(other.state, "library", closed);
    const reader = new Visitor(elsewhere, "library.test");
    await reader.post("/login", NOOR);
    assert.match((await reader.get("/rooms")).text, /closed/);
    const wish = { date: inDays(2), start: "10:00", end: "11:00", people: 1, purpose: "x" };
    const no = await reader.post("/rooms/oak/book", wish);
    assert.match(no.text, /The library is closed on/);
  });

  async function found(query: string): Promise<string[]> {
    const { text } = await visitor.get(`/catalogue?${query}`);
    return [...text.matchAll(/<a href="\/titles\/[^"]+">([^<]+)</g)].map((each) => each[1] ?? "");
  }

  async function refused(path: string, branch: string): Promise<string> {
    const { status, text } = await visitor.post(path, { branch });
    assert.ok(status === 409 || status === 404, `${path}: ${status}`);
    return text;
  }

  async function staffDesk(): Promise<Visitor> {
    const desk = new Visitor(port, "library.test");
    await desk.post("/staff/login", { user: "desk", password: "stamps" });
    return desk;
  }
});

function inDays(days: number): string {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}
