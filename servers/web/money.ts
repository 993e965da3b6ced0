const SIGNS: Readonly<Record<string, string>> = { EUR: "€", USD: "$", GBP: "£" };

/** "€1,234.50" for 123450 cents. */
export function money(cents: number, currency: string): string {
  const whole = String(Math.floor(Math.abs(cents) / 100)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
  const rest = String(Math.abs(cents) % 100).padStart(2, "0");
  return `${cents < 0 ? "-" : ""}${SIGNS[currency] ?? `${currency} `}${whole}.${rest}`;
}

/** Cents of an amount as typed: "12", "12.5" or "12.50"; undefined for what is none. */
export function cents(typed: string): number | undefined {
  const found = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(typed.replace(/^[€$£]/, "").trim());
  if (found === null) return undefined;
  return Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}
