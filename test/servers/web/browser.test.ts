import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { type CallToolResult, Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { tempFolder } from "../../support/temp-folder.ts";
import { officeClient, textOf } from "../office-client.ts";
import { LIBRARY, rowsOf, SHOP, seedSite } from "./sites.ts";
import { freePort } from "./visitor.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

describe("the sites in a browser", { skip }, () => {
  it("are read and filled in by the roles and names that a snapshot shows", async () => {
    const port = await freePort();
    await using web = await officeClient("web", { env: { CLOCHE_WEB_PORT: String(port) } });
    await using browser = await openBrowser(port);
    await seedSite(web.state, "shop", SHOP);
    await seedSite(web.state, "library", LIBRARY);
    const product = await browser.goTo("http://shop.test/products/PAP-A4");
    assert.match(product, /heading "Copy paper A4, 500 sheets" \[level=1\]/);
    await browser.type("spinbutton", "Quantity", "2");
    const basket = await browser.click("button", "Add to basket");
    assert.match(basket, /status.*Added to your basket/s);
    await browser.click("link", "Go to checkout");
    await browser.type("textbox", "Email", "ana@example.test");
    const wrong = await browser.type("textbox", "Name", "Ana Ruiz");
    assert.match(wrong, /Checkout/);
    await browser.type("textbox", "Street and number", "Calle Mayor 1");
    await browser.type("textbox", "Postcode", "28013");
    await browser.type("textbox", "City", "Madrid");
    await browser.type("textbox", "Purchase order number", "PO-9");
    await browser.click("checkbox", "I accept the terms of sale");
    assert.match(await browser.click("button", "Continue to review"), /Review your order/);
    const order = await browser.click("button", "Place order");
    assert.match(order, /Your order SO-1002 was placed/);
    const { orders = [] } = await rowsOf(web.state, "shop");
    assert.equal(orders[1]?.["total_cents"], 2 * 549 + 495);

    await browser.goTo("http://library.test/staff/items/B001");
    await browser.type("textbox", "User name", "desk");
    await browser.type("textbox", "Password", "stamps");
    await browser.click("button", "Sign in");
    const snapshot = await browser.choose("combobox", "Status", "in repair");
    assert.match(snapshot, /Item B001/);
    assert.match(await browser.click("button", "Save item"), /Your changes were saved/);
    const { items = [] } = await rowsOf(web.state, "library");
    assert.equal(items[0]?.["status"], "in repair");
    assert.match(await browser.console(), /Errors: 0, Warnings: 0/);
  });
});

/** The browser surface as an agent has it, its names led to our port. */
async function openBrowser(port: number) {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await tempFolder());
  const config = join(path, "config.json");
  const args = ["--no-sandbox", `--host-resolver-rules=MAP *.test:80 127.0.0.1:${port}`];
  const launchOptions = { executablePath: CHROMIUM, headless: true, chromiumSandbox: false, args };
  const browser = { browserName: "chromium", isolated: true, launchOptions };
  await writeFile(config, JSON.stringify({ browser, outputDir: path }));
  const packageFile = createRequire(import.meta.url).resolve("@playwright/mcp/package.json");
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(dirname(packageFile), "cli.js"), "--config", config],
    env: { PATH: process.env["PATH"] ?? "", HOME: path },
    stderr: "ignore",
  });
  const client = new Client({ name: "browser-test", version: "1.0.0" });
  stack.defer(() => client.close());
  await client.connect(transport);
  let page = "";
  const call = async (name: string, fields: Readonly<Record<string, unknown>>) => {
    const result = await client.callTool({ name, arguments: { ...fields } }, { timeout: 60_000 });
    const text = textOf(result as CallToolResult);
    if (result.isError) throw new Error(`${name}: ${text}`);
    return text;
  };
  const act = async (name: string, fields: Readonly<Record<string, unknown>>) => {
    await call(name, fields);
    page = await call("browser_snapshot", {});
    return page;
  };
  const target = (role: string, name: string) => {
    const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const found = new RegExp(`${role} "${escaped}[^"]*".*?\\[ref=(\\w+)\\]`).exec(page);
    if (found?.[1] === undefined) throw new Error(`no ${role} "${name}" in:\n${page}`);
    return { element: name, target: found[1], ref: found[1] };
  };
  const parts = stack.move();
  return {
    goTo: (url: string) => act("browser_navigate", { url }),
    click: (role: string, name: string) => act("browser_click", target(role, name)),
    type: (role: string, name: string, text: string) =>
      act("browser_type", { ...target(role, name), text }),
    choose: (role: string, name: string, value: string) =>
      act("browser_select_option", { ...target(role, name), values: [value] }),
    console: () => call("browser_console_messages", { level: "error" }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
