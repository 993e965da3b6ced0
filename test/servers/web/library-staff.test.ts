import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type OfficeClient, officeClient } from "../office-client.ts";
import { LIBRARY, rowsOf, SCRIPT, seedSite } from "./sites.ts";
import { freePort, Visitor } from "./visitor.ts";

const RECORD = {
  ...{ title: "Wilding", author: "Tree, Isabella", isbn: "9781509805105", year: "2018" },
  ...{ publisher: "Picador", format: "Book", language: "English", subjects: "Nature; Farming" },
  description: "A farm goes wild.",
};

describe("the staff's portal of a library", () => {
  let web: OfficeClient;
  let staff: Visitor;
  let stranger: Visitor;

  beforeEach(async () => {
    const port = await freePort();
    web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await seedSite(web.state, "library", LIBRARY);
    staff = new Visitor(port, "library.test");
    stranger = new Visitor(port, "library.test");
    await staff.post("/staff/login", { user: "desk", password: "stamps" });
    await stranger.post("/login", { card: "M100", pin: "1234" });
  });

  afterEach(() => web[Symbol.asyncDispose]());

  it("is closed to everybody else, members too", async () => {
    const before = JSON.stringify((await rowsOf(web.state, "library"))["items"]);
    const pages = [
      "",
      "/items",
      "/items/B001",
      "/titles",
      "/titles/new",
      "/titles/T-1",
      "/holds",
      "/members",
      "/members/M100",
      "/bookings",
    ];
    for (const path of pages) {
      assert.match((await stranger.get(`/staff${path}`)).path, /^\/staff\/login\?next=/, path);
    }
    const forms = [
      "/lend",
      "/return",
      "/items/B001",
      "/titles",
      "/titles/T-1",
      "/titles/T-1/items",
      "/members/M100",
      "/holds/H-1/cancel",
      "/bookings/B-1/cancel",
    ];
    for (const path of forms) {
      const no = await stranger.post(`/staff${path}`, { status: "withdrawn", ...RECORD });
      assert.equal(no.status, 403, path);
    }
    assert.equal(JSON.stringify((await rowsOf(web.state, "library"))["items"]), before);
    const wrong = await stranger.post("/staff/login", { user: "desk", password: "Stamps" });
    assert.equal(wrong.status, 422);
  });

  it("answers every page to staff", async () => {
    const pages = [
      "",
      "/items",
      "/items/B001",
      "/titles",
      "/titles/new",
      "/titles/T-1",
      "/holds",
      "/members",
      "/members/M100",
      "/bookings",
    ];
    for (const path of pages) {
      const { status, text } = await staff.get(`/staff${path}`);
      assert.equal(status, 200, path);
      assert.doesNotMatch(text, /undefined|\[object|NaN|https?:\/\//, path);
    }
    for (const path of ["/items/B999", "/titles/T-999", "/members/M999", "/nothing"]) {
      assert.equal((await staff.get(`/staff${path}`)).status, 404, path);
    }
    for (const path of [
      "/items/B999",
      "/titles/T-999",
      "/titles/T-999/items",
      "/members/M999",
      "/holds/H-9/cancel",
      "/bookings/B-9/cancel",
    ]) {
      assert.equal((await staff.post(`/staff${path}`, RECORD)).status, 404, path);
    }
    assert.match((await staff.get("/staff/items?q=winn&status=on+loan")).text, /B002/);
    assert.doesNotMatch((await staff.get("/staff/items?q=winn&status=on+loan")).text, /B001/);
    assert.match((await staff.get("/staff/members?q=okafor")).text, /1 members/);
  });

  it("edits an item, and writes down who changed what", async () => {
    const fields = { status: "missing", branch: "Harbour", shelf: "X 1", note: SCRIPT };
    const saved = await staff.post("/staff/items/B001", fields);
    assert.match(saved.text, /Your changes were saved/);
    assert.doesNotMatch(saved.text, /<script/);
    assert.match((await staff.post("/staff/items/B001", fields)).text, /nothing was changed/);
    const { items = [], changes = [] } = await rowsOf(web.state, "library");
    assert.deepEqual(items[0], { barcode: "B001", title: "T-1", ...fields });
    assert.deepEqual(
      changes.map(({ by, id, field, from, to }) => [by, id, field, from, to]),
      [
        ["desk", "B001", "status", "available", "missing"],
        ["desk", "B001", "branch", "Central", "Harbour"],
        ["desk", "B001", "shelf", "914.2 WIN", "X 1"],
        ["desk", "B001", "note", "", SCRIPT],
      ],
    );
    const bad = await staff.post("/staff/items/B001", { ...fields, status: "eaten" });
    assert.match(bad.text, /id="status-error"/);
    const lent = await staff.post("/staff/items/B002", { ...fields, status: "available" });
    assert.match(lent.text, /This item is on loan\. Take it back at the desk first/);
    const note = { status: "on loan", branch: "Harbour", shelf: "914.2 WIN", note: "stained" };
    assert.match((await staff.post("/staff/items/B002", note)).text, /saved/);
  });

  it("adds and edits titles, and refuses records that cannot be right", async () => {
    const wrongs = [
      [{ title: "" }, "title"],
      [{ author: "x".repeat(300) }, "author"],
      [{ isbn: "9781509805106" }, "isbn"],
      [{ isbn: "12345" }, "isbn"],
      [{ isbn: "978-0-241-34964-9" }, "isbn"],
      [{ year: "18" }, "year"],
      [{ year: "next" }, "year"],
      [{ language: "" }, "language"],
    ] as const;
    for (const [wrong, field] of wrongs) {
      const no = await staff.post("/staff/titles", { ...RECORD, ...wrong });
      assert.equal(no.status, 422, JSON.stringify(wrong));
      assert.match(no.text, new RegExp(`id="${field}-error"`), JSON.stringify(wrong));
    }
    const added = await staff.post("/staff/titles", RECORD);
    assert.equal(added.path, "/titles/T-35?notice=added");
    assert.match(added.text, /The title was added/);
    assert.equal((await staff.post("/staff/titles", RECORD)).status, 422, "a second press");
    const item = { barcode: "B100", branch: "Central", shelf: "639.9 TRE" };
    assert.match((await staff.post("/staff/titles/T-35/items", item)).text, /The item was added/);
    assert.match((await staff.post("/staff/titles/T-35/items", item)).text, /in use already/);
    const slash = await staff.post("/staff/titles/T-35/items", { ...item, barcode: "a/b" });
    assert.equal(slash.status, 422);
    const edited = await staff.post("/staff/titles/T-35", { ...RECORD, year: "2019" });
    assert.match(edited.text, /Your changes were saved/);
    assert.match((await stranger.get("/titles/T-35")).text, /2019.*1 of 1 available/s);
    const { titles = [], changes = [] } = await rowsOf(web.state, "library");
    assert.deepEqual(titles.at(-1)?.["subjects"], ["Nature", "Farming"]);
    const last = changes.at(-1);
    assert.deepEqual([last?.["field"], last?.["from"], last?.["to"]], ["year", 2018, 2019]);
  });

  it("lends and takes back at the desk, within the rules", async () => {
    const wrongs = [
      [{ card: "M999", barcode: "B001" }, /no member with the card M999/],
      [{ card: "M200", barcode: "B999" }, /no item with the barcode B999/],
      [{ card: "M200", barcode: "B002" }, /cannot be lent: it is on loan/],
      [{ card: "M200", barcode: "B004" }, /it is in repair/],
      [{ card: "M300", barcode: "B001" }, /The card is blocked: fees/],
      [{ card: "", barcode: "" }, /Enter a library card number/],
    ] as const;
    for (const [fields, why] of wrongs) {
      const no = await staff.post("/staff/lend", fields);
      assert.equal(no.status, 422);
      assert.match(no.text, why);
    }
    assert.match(
      (await staff.post("/staff/return", { returned: "B001" })).text,
      /B001 is not on loan/,
    );
    const lent = await staff.post("/staff/lend", { card: "M200", barcode: "B001" });
    assert.match(lent.text, /B001 was lent to M200 until .* \(L-2\)/);
    const back = await staff.post("/staff/return", { returned: "B001" });
    assert.match(back.text, /It is available again/);
    const { loans = [] } = await rowsOf(web.state, "library");
    assert.equal(loans[1]?.["returned_on"], new Date().toISOString().slice(0, 10));
  });

  it("edits members, and cancels holds and bookings of anybody", async () => {
    const saved = await staff.post("/staff/members/M300", {
      name: "Lee Sand",
      email: "lee@new.test",
      blocked: "",
    });
    assert.match(saved.text, /good standing/);
    const wrong = await staff.post("/staff/members/M300", { name: "", email: "lee" });
    assert.equal(wrong.status, 422);
    await stranger.post("/titles/T-2/hold", { branch: "Central" });
    const aside = await staff.post("/staff/holds/H-1/ready");
    assert.match(aside.text, /set aside.*ready: B003/s);
    assert.equal((await staff.post("/staff/holds/H-1/ready")).status, 409, "a second press");
    assert.match((await stranger.get("/titles/T-2")).text, /on hold shelf/);
    assert.match((await staff.post("/staff/holds/H-1/cancel")).text, /0 open holds/);
    assert.match((await stranger.get("/titles/T-2")).text, /1 of 1 available/);
    const day = new Date(Date.now() + 3 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
    const wish = { date: day, start: "10:00", end: "11:00", people: 2, purpose: "Talk" };
    await stranger.post("/rooms/oak/book", wish);
    assert.match((await staff.get("/staff/bookings?room=oak")).text, /1 bookings from today on/);
    assert.match((await staff.post("/staff/bookings/B-1/cancel")).text, /cancelled/);
    const { holds = [], bookings = [], changes = [] } = await rowsOf(web.state, "library");
    assert.equal(holds[0]?.["status"], "cancelled");
    assert.equal(bookings[0]?.["status"], "cancelled");
    assert.deepEqual(
      changes.map(({ table, field }) => `${table} ${field}`),
      ["members email", "members blocked", "holds status", "bookings status"],
    );
  });
});
