import * as z from "zod";

const CENTS = z.number().int().min(0);
const TEXT = z.string();

/** What a shop is, from its site.json. */
export const SHOP_CONFIG = z.looseObject({
  title: TEXT,
  tagline: TEXT.default(""),
  about: TEXT.default(""),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default("EUR"),
  tax_percent: z.number().min(0).max(100).default(21),
  per_page: z.number().int().min(1).max(100).default(12),
  countries: z
    .array(TEXT)
    .min(1)
    .default(["Spain", "France", "Germany", "Netherlands", "Portugal"]),
  /** `days`: working days until the earliest delivery. */
  delivery: z
    .array(
      z.object({
        id: TEXT,
        name: TEXT,
        price_cents: CENTS,
        days: z.number().int().min(0).max(60),
        free_from_cents: CENTS.optional(),
      }),
    )
    .min(1)
    .default([
      {
        id: "standard",
        name: "Standard delivery",
        price_cents: 495,
        days: 3,
        free_from_cents: 7500,
      },
      { id: "express", name: "Express delivery", price_cents: 1250, days: 1 },
    ]),
  payment: z
    .array(z.object({ id: TEXT, name: TEXT, reference: TEXT.optional() }))
    .min(1)
    .default([
      { id: "invoice", name: "Invoice, 30 days", reference: "Purchase order number" },
      { id: "on-delivery", name: "Pay on delivery" },
    ]),
});
export type ShopConfig = z.output<typeof SHOP_CONFIG>;

const ADDRESS = z.object({
  name: TEXT,
  line1: TEXT,
  line2: TEXT.default(""),
  postcode: TEXT,
  city: TEXT,
  country: TEXT,
});
export type Address = z.output<typeof ADDRESS>;

const PRODUCT = z.looseObject({
  sku: z.string().regex(/^[\w.-]{1,60}$/, "letters, digits, '.', '-' and '_'"),
  name: TEXT,
  category: TEXT,
  brand: TEXT.default(""),
  unit: TEXT.default(""),
  description: TEXT.default(""),
  price_cents: CENTS,
  stock: z.number().int().min(0),
  attributes: z.record(TEXT, z.union([TEXT, z.number()])).default({}),
});
export type Product = z.output<typeof PRODUCT>;

const ACCOUNT = z.looseObject({
  email: z.string().toLowerCase(),
  name: TEXT,
  password: TEXT,
  company: TEXT.default(""),
  addresses: z.array(ADDRESS.extend({ id: TEXT })).default([]),
});
export type Account = z.output<typeof ACCOUNT>;

const COUPON = z.looseObject({
  code: z.string().toUpperCase(),
  percent: z.number().min(1).max(100),
  min_cents: CENTS.default(0),
  last_day: TEXT.optional(),
});
export type Coupon = z.output<typeof COUPON>;

const CHECKOUT = z.object({
  email: TEXT,
  address: ADDRESS,
  delivery: TEXT,
  delivery_date: TEXT,
  payment: TEXT,
  reference: TEXT,
  note: TEXT,
});
export type Checkout = z.output<typeof CHECKOUT>;

const BASKET = z.object({
  id: z.number(),
  session: TEXT,
  items: z.array(z.object({ sku: TEXT, quantity: z.number().int().min(1) })),
  coupon: TEXT.nullable().default(null),
  checkout: CHECKOUT.nullable().default(null),
});
export type Basket = z.output<typeof BASKET>;

const ORDER = z.looseObject({
  id: TEXT,
  placed_at: TEXT,
  status: TEXT,
  account: TEXT.nullable().default(null),
  email: TEXT,
  address: ADDRESS,
  lines: z.array(
    z.object({
      sku: TEXT,
      name: TEXT,
      quantity: z.number().int(),
      unit_cents: CENTS,
      total_cents: CENTS,
    }),
  ),
  subtotal_cents: CENTS,
  coupon: TEXT.nullable().default(null),
  discount_cents: CENTS.default(0),
  delivery: TEXT,
  delivery_date: TEXT,
  delivery_cents: CENTS,
  total_cents: CENTS,
  payment: TEXT,
  reference: TEXT.default(""),
  note: TEXT.default(""),
  basket: z.number().nullable().default(null),
  session: TEXT.nullable().default(null),
});
export type Order = z.output<typeof ORDER>;

/** The rows of a shop: its data.json. */
export const SHOP_DATA = z.looseObject({
  categories: z.array(z.object({ id: TEXT, name: TEXT })).default([]),
  products: z.array(PRODUCT).default([]),
  accounts: z.array(ACCOUNT).default([]),
  coupons: z.array(COUPON).default([]),
  orders: z.array(ORDER).default([]),
  baskets: z.array(BASKET).default([]),
  sessions: z.array(z.object({ key: TEXT, account: TEXT.nullable() })).default([]),
  counters: z.record(TEXT, z.number().int()).default({}),
});
export type ShopData = z.output<typeof SHOP_DATA>;
export type ShopSession = ShopData["sessions"][number];
