import { today } from "../dates.ts";
import { money } from "../money.ts";
import type { Basket, Coupon, Order, Product, ShopConfig, ShopData } from "./data.ts";

export interface Line {
  readonly product: Product;
  readonly quantity: number;
  readonly totalCents: number;
}

export interface Totals {
  readonly lines: readonly Line[];
  readonly subtotalCents: number;
  readonly coupon: Coupon | undefined;
  readonly discountCents: number;
}

/** What a basket costs before delivery. A coupon that no longer holds counts for nothing. */
export function totalsOf(basket: Basket | undefined, data: ShopData): Totals {
  const lines = (basket?.items ?? []).flatMap(({ sku, quantity }) => {
    const product = data.products.find((each) => each.sku === sku);
    return product === undefined
      ? []
      : [{ product, quantity, totalCents: product.price_cents * quantity }];
  });
  const subtotalCents = lines.reduce((sum, { totalCents }) => sum + totalCents, 0);
  const coupon = data.coupons.find(({ code }) => code === basket?.coupon);
  const holds = coupon !== undefined && couponProblem(coupon, subtotalCents, "") === undefined;
  const discountCents = holds ? Math.round((subtotalCents * coupon.percent) / 100) : 0;
  return { lines, subtotalCents, coupon: holds ? coupon : undefined, discountCents };
}

/** Why a coupon cannot be used, if it cannot. */
export function couponProblem(
  { code, last_day: lastDay, min_cents: least }: Coupon,
  subtotalCents: number,
  currency: string,
): string | undefined {
  if (lastDay !== undefined && today() > lastDay) return `The code ${code} is no longer valid.`;
  if (subtotalCents >= least) return undefined;
  return `The code ${code} needs an order of at least ${money(least, currency)}.`;
}

export function deliveryCents(
  { price_cents: price, free_from_cents: freeFrom }: ShopConfig["delivery"][number],
  { subtotalCents, discountCents }: Totals,
): number {
  return freeFrom !== undefined && subtotalCents - discountCents >= freeFrom ? 0 : price;
}

/** What is short, in sentences; empty when all can be delivered. */
export function shortages({ lines }: Totals): string[] {
  return lines
    .filter(({ product, quantity }) => product.stock < quantity)
    .map(({ product: { name, stock }, quantity }) =>
      stock === 0
        ? `${name} is sold out. Remove it from your basket.`
        : `Only ${stock} of ${name} are left; your basket has ${quantity}. Lower the quantity.`,
    );
}

/** The tax that is in an amount. */
export function taxIn(order: Pick<Order, "total_cents">, percent: number): number {
  return Math.round((order.total_cents * percent) / (100 + percent));
}
