import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

export const SCRIPT = '<script>alert("x")</script>';
/** Who has an account in the shop. */
export const ANA = { email: "ana.ruiz@example.test", password: "tulip-42" };

/** A shop of a few products, as a fixture would bring it. */
export const SHOP = {
  site: {
    ...{ kind: "shop", title: "Paper & Pine", tagline: "Office supplies", host: "shop.test" },
    per_page: 6,
  },
  data: {
    categories: [
      { id: "paper", name: "Paper" },
      { id: "writing", name: "Pens & pencils" },
    ],
    products: [
      product("PAP-A4", "Copy paper A4, 500 sheets", "paper", 549, 200),
      product("PAP-A3", "Copy paper A3, 500 sheets", "paper", 1099, 3),
      product("PEN-BL", "Gel pen, blue", "writing", 189, 40),
      product("PEN-BK", "Gel pen, black", "writing", 189, 0),
      ...Array.from({ length: 12 }, (_, n) =>
        product(`NOTE-${n + 1}`, `Notebook number ${n + 1}`, "paper", 300 + n, 10),
      ),
    ],
    accounts: [
      {
        ...{ email: "ana.ruiz@example.test", name: "Ana Ruiz", password: "tulip-42" },
        addresses: [
          {
            ...{ id: "office", name: "Ana Ruiz", line1: "Calle Mayor 1", line2: "2nd floor" },
            ...{ postcode: "28013", city: "Madrid", country: "Spain" },
          },
        ],
      },
    ],
    coupons: [
      { code: "SPRING", percent: 10, min_cents: 2000 },
      { code: "OLD", percent: 50, last_day: "2020-01-01" },
    ],
    orders: [
      {
        ...{ id: "SO-1001", placed_at: "2026-02-01T10:00:00Z", status: "shipped" },
        ...{ account: "ana.ruiz@example.test", email: "ana.ruiz@example.test" },
        address: {
          ...{ name: "Ana Ruiz", line1: "Calle Mayor 1", postcode: "28013" },
          ...{ city: "Madrid", country: "Spain" },
        },
        lines: [
          { sku: "PEN-BL", name: "Gel pen, blue", quantity: 2, unit_cents: 189, total_cents: 378 },
        ],
        ...{ subtotal_cents: 378, delivery: "standard", delivery_date: "2026-02-04" },
        ...{ delivery_cents: 495, total_cents: 873, payment: "invoice", reference: "PO-1" },
      },
    ],
  },
};

/** A library of a few titles, members and rooms. */
export const LIBRARY = {
  site: {
    ...{
      kind: "library",
      title: "Riverside Library",
      tagline: "Open to all",
      host: "library.test",
    },
    ...{ branches: ["Central", "Harbour"], max_holds: 2, per_page: 10 },
    hours: Object.fromEntries(
      "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
        .split(" ")
        .map((day) => [day, ["00:00", "24:00"]]),
    ),
  },
  data: {
    titles: [
      title("T-1", "The Salt Path", "Winn, Raynor", "9780241349649", 2018, ["Walking", "Travel"]),
      title("T-2", "Über die Dörfer", "Handke, Peter", "", 1981, ["Plays"]),
      title("T-3", "Silent Spring", "Carson, Rachel", "0618249060", 2002, ["Nature"]),
      ...Array.from({ length: 25 }, (_, n) =>
        title(`T-${n + 10}`, `Field Notes ${n + 1}`, `Author ${n}`, "", 2000 + n, ["Nature"]),
      ),
    ],
    items: [
      { barcode: "B001", title: "T-1", branch: "Central", shelf: "914.2 WIN" },
      { barcode: "B002", title: "T-1", branch: "Harbour", shelf: "914.2 WIN", status: "on loan" },
      { barcode: "B003", title: "T-2", branch: "Central", shelf: "832 HAN" },
      { barcode: "B004", title: "T-3", branch: "Central", shelf: "363.7 CAR", status: "in repair" },
    ],
    members: [
      { card: "M100", name: "Noor Haddad", email: "noor@example.test", pin: "1234" },
      { card: "M200", name: "Tom Okafor", email: "tom@example.test", pin: "2345" },
      { card: "M300", name: "Lee Sand", email: "lee@example.test", pin: "3456", blocked: "fees" },
    ],
    staff: [{ user: "desk", name: "Iris Blom", password: "stamps" }],
    loans: [
      { id: "L-1", item: "B002", member: "M100", lent_on: "2026-01-02", due_on: "2026-01-23" },
    ],
    rooms: [
      { id: "maple", name: "Maple", branch: "Central", capacity: 8, equipment: ["Screen"] },
      { id: "oak", name: "Oak", branch: "Harbour", capacity: 20 },
    ],
  },
};

interface Seed {
  readonly site: object;
  readonly data: object;
}

/** Puts a site's files where the surface looks for them. */
export async function seedSite(state: string, name: string, { site, data }: Seed): Promise<void> {
  const folder = join(state, "web", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "site.json"), JSON.stringify(site));
  await writeFile(join(folder, "data.json"), JSON.stringify(data));
}

/** The rows of a site as they lie on disk; each row is open to any question. */
export async function rowsOf(
  state: string,
  name: string,
): Promise<Readonly<Record<string, Row[]>>> {
  return JSON.parse(await readFile(join(state, "web", name, "data.json"), "utf8"));
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into rows of every table.
type Row = Record<string, any>;

function product(sku: string, name: string, category: string, cents: number, stock: number) {
  return {
    ...{ sku, name, category, brand: category === "paper" ? "Pine" : "Inka", unit: "1 piece" },
    ...{ description: `${name} for the office.`, price_cents: cents, stock },
    attributes: { Colour: "white" },
  };
}

function title(
  id: string,
  name: string,
  author: string,
  isbn: string,
  year: number,
  subjects: readonly string[],
) {
  return { ...{ id, title: name, author, isbn, year, subjects }, description: `About ${name}.` };
}
