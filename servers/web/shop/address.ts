import { html } from "hono/html";
import type { Form } from "../form.ts";
import { inputField, type Markup, selectField } from "../markup.ts";
import type { Address, ShopConfig } from "./data.ts";

/** The fields of an address. */
export function addressFields(
  { countries }: ShopConfig,
  required: boolean,
  kept: Address | undefined,
  form: Form | undefined,
): Markup {
  const choices = countries.map((country) => ({ value: country, label: country }));
  const field = (name: keyof Address, label: string, optional = false) =>
    inputField(
      {
        ...{ name, label, value: kept?.[name] ?? "" },
        ...{ required: required && !optional, depends: !optional },
      },
      form,
    );
  return html`${field("name", "Name")}${field("line1", "Street and number")}
    ${field("line2", "Floor, building, department", true)}
    ${field("postcode", "Postcode")}${field("city", "City")}
    ${selectField({ name: "country", label: "Country", value: kept?.country ?? countries[0] ?? "" }, choices, form)}`;
}

/** The address that was sent. */
export function addressOf({ countries }: ShopConfig, form: Form): Address {
  const address = {
    name: form.text("name", "a name", { max: 120 }),
    line1: form.text("line1", "a street and number", { max: 120 }),
    line2: form.text("line2", "the second line", { max: 120, optional: true }),
    postcode: form.text("postcode", "a postcode", { max: 12 }),
    city: form.text("city", "a city", { max: 80 }),
    country: form.choice("country", "a country", countries),
  };
  if (address.postcode !== "" && !/^[A-Za-z0-9][A-Za-z0-9 -]{2,11}$/.test(address.postcode)) {
    form.problem("postcode", "Enter a postcode of 3 to 12 letters and digits.");
  }
  return address;
}

/** In one line. */
export function shownAddress({ name, line1, line2, postcode, city, country }: Address): string {
  return [name, line1, line2, `${postcode} ${city}`, country].filter(Boolean).join(", ");
}
