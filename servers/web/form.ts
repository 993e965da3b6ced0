import { isDay, longDay } from "./dates.ts";

/** A form that was sent: read field by field, and what is wrong with it gathered by field. */
export class Form {
  readonly #values: URLSearchParams;
  /** By the name of the field, in the order of reading. */
  readonly errors = new Map<string, string>();

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  get ok(): boolean {
    return this.errors.size === 0;
  }

  /** As it was sent, to be shown again. */
  value(name: string): string {
    return clean(this.#values.get(name) ?? "").slice(0, 4000);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Names of all fields that were sent. */
  get names(): readonly string[] {
    return [...new Set(this.#values.keys())];
  }

  problem(name: string, sentence: string): void {
    if (!this.errors.has(name)) this.errors.set(name, sentence);
  }

  text(name: string, label: string, { max = 200, optional = false } = {}): string {
    const value = clean(this.#values.get(name) ?? "");
    if (value === "" && !optional) this.problem(name, `Enter ${label}.`);
    if (value.length > max) this.problem(name, `Shorten ${label} to ${max} characters.`);
    return value;
  }

  email(name: string, label = "an email address"): string {
    const value = this.text(name, label, { max: 254 });
    if (value !== "" && !/^[^\s@<>"]+@[^\s@<>".]+(\.[^\s@<>".]+)+$/.test(value)) {
      this.problem(name, `Enter ${label} such as name@example.test.`);
    }
    return value.toLowerCase();
  }

  whole(name: string, label: string, { min = 0, max = 999_999 } = {}): number {
    const value = clean(this.#values.get(name) ?? "");
    const number = /^-?\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      this.problem(name, `Enter ${label} as a whole number from ${min} to ${max}.`);
      return min;
    }
    return number;
  }

  day(name: string, label: string, { from, to }: { from: string; to: string }): string {
    const value = clean(this.#values.get(name) ?? "");
    if (!isDay(value)) this.problem(name, `Enter ${label} as YYYY-MM-DD, such as ${from}.`);
    else if (value < from) this.problem(name, `Choose ${label} no earlier than ${longDay(from)}.`);
    else if (value > to) this.problem(name, `Choose ${label} no later than ${longDay(to)}.`);
    return value;
  }

  choice(name: string, label: string, options: readonly string[]): string {
    const value = clean(this.#values.get(name) ?? "");
    if (!options.includes(value)) this.problem(name, `Choose ${label}.`);
    return value;
  }
}

/** Text as it is kept: one form of letters, no control characters, no blanks around. */
function clean(text: string): string {
  return (
    text
      .toWellFormed()
      .normalize("NFC")
      .replaceAll(/\r\n?/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
      .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f\u200b\u202a-\u202e\u2066-\u2069]/g, " ")
      .trim()
  );
}

/** What a search box or an address says, within bounds. */
export function asked(value: string | undefined, max = 200): string {
  return clean(value ?? "").slice(0, max);
}
