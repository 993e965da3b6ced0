import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { Form } from "../form.ts";
import { errorSummary, facts, inputField } from "../markup.ts";
import { localPath, seeOther, sentFields } from "../page.ts";
import { nextId } from "../store.ts";
import { addressFields, addressOf, shownAddress } from "./address.ts";
import type { Account } from "./data.ts";
import type { Shop } from "./shop.ts";

const NOTICES: Readonly<Record<string, string>> = {
  address: "The address was added.",
  removed: "The address was removed.",
  out: "You are signed out.",
};
const MOST_ADDRESSES = 20;

/** Signing in and out, and what an account keeps. */
export function accountRoutes(app: Hono, shop: Shop): void {
  app.get("/login", (c) => {
    return shop.account(c) === undefined ? loginPage(c, shop) : seeOther(c, "/account");
  });
  app.post("/login", (c) => login(c, shop));
  app.post("/logout", (c) => {
    const key = shop.session(c)?.key;
    if (shop.account(c) !== undefined) {
      shop.store.change((data) => {
        data.sessions = data.sessions.filter((session) => session.key !== key);
        data.baskets = data.baskets.filter((basket) => basket.session !== key);
      });
    }
    return seeOther(c, "/login?notice=out");
  });
  app.get("/account", (c) => {
    const account = shop.account(c);
    return account ? accountPage(c, shop, account) : seeOther(c, "/login?next=/account");
  });
  app.post("/account/addresses", (c) => addAddress(c, shop));
  app.post("/account/addresses/remove", async (c) => {
    const account = shop.account(c);
    if (account === undefined) return seeOther(c, "/login?next=/account");
    const sent = (await sentFields(c)).get("address");
    if (!account.addresses.some(({ id }) => id === sent)) return seeOther(c, "/account");
    shop.store.change(() => {
      account.addresses = account.addresses.filter(({ id }) => id !== sent);
    });
    return seeOther(c, "/account?notice=removed");
  });
}

function loginPage(c: Context, shop: Shop, form?: Form) {
  const next = form?.value("next") ?? c.req.query("next") ?? "";
  return shop.send(c, {
    title: "Sign in",
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: form === undefined ? 200 : 422,
    main: html`${errorSummary(form)}<form class="panel" method="post" action="/login">
      <input type="hidden" name="next" value="${localPath(next, "")}">
      ${inputField({ name: "email", label: "Email", type: "email", required: true, autocomplete: "username" }, form)}
      ${inputField({ name: "password", label: "Password", type: "password", required: true, autocomplete: "current-password" }, form)}
      <button>Sign in</button></form>
      <p class="quiet">You can also order without an account.</p>`,
  });
}

async function login(c: Context, shop: Shop) {
  const form = new Form(await sentFields(c));
  const email = form.email("email", "your email address");
  const password = form.text("password", "your password");
  const account = shop.data.accounts.find((each) => each.email === email);
  if (form.ok && account?.password !== password) {
    form.problem("email", "Email and password do not match an account.");
  }
  if (!form.ok) return loginPage(c, shop, form);
  shop.store.change((data) => {
    shop.keptSession(c, data).account = email;
  });
  return seeOther(c, localPath(form.value("next"), "/account"));
}

function accountPage(c: Context, shop: Shop, account: Account, form?: Form) {
  const items = account.addresses.map(
    (address) => html`<li class="card">${shownAddress(address)}
      <form method="post" action="/account/addresses/remove"><input type="hidden" name="address" value="${address.id}">
      <button class="second" aria-label="Remove address ${address.line1}">Remove</button></form></li>`,
  );
  return shop.send(c, {
    title: "Your account",
    notice: NOTICES[c.req.query("notice") ?? ""],
    status: form === undefined ? 200 : 422,
    main: html`${facts([
      ["Name", account.name],
      ["Email", account.email],
      ["Company", account.company],
    ])}
      <p><a href="/orders">Your orders</a></p>
      <h2>Addresses</h2>${items.length === 0 ? html`<p>No address is saved.</p>` : html`<ul class="grid">${items}</ul>`}
      <h2>Add an address</h2>${errorSummary(form)}
      <form class="panel" method="post" action="/account/addresses">
      ${addressFields(shop.config, true, undefined, form)}<button>Save address</button></form>`,
  });
}

async function addAddress(c: Context, shop: Shop) {
  const account = shop.account(c);
  if (account === undefined) return seeOther(c, "/login?next=/account");
  const form = new Form(await sentFields(c));
  const address = addressOf(shop.config, form);
  if (account.addresses.some((each) => shownAddress(each) === shownAddress(address))) {
    form.problem("line1", "This address is saved already.");
  }
  if (account.addresses.length >= MOST_ADDRESSES) {
    form.problem("name", `No more than ${MOST_ADDRESSES} addresses can be saved.`);
  }
  if (!form.ok) return accountPage(c, shop, account, form);
  shop.store.change((data) => {
    const id = nextId(data.counters, "address", { prefix: "A-", taken: account.addresses });
    account.addresses.push({ id, ...address });
  });
  return seeOther(c, "/account?notice=address");
}
