import type { Context, Hono } from "hono";
import { html } from "hono/html";
import { asked, type Form } from "../form.ts";
import { facts, type Markup, options, type Paged, paged, pageLinks } from "../markup.ts";
import { cents, money } from "../money.ts";
import { folded } from "../words.ts";
import type { Product } from "./data.ts";
import type { Shop } from "./shop.ts";

const SORTS = [
  { value: "relevance", label: "Relevance" },
  { value: "price", label: "Price, lowest first" },
  { value: "-price", label: "Price, highest first" },
  { value: "name", label: "Name" },
];

/** Home, list of products with search, and each product's page. */
export function catalogueRoutes(app: Hono, shop: Shop): void {
  app.get("/", (c) => home(c, shop));
  app.get("/products", (c) => productList(c, shop));
  app.get("/products/:sku", (c) => {
    const product = shop.data.products.find(({ sku }) => sku === c.req.param("sku"));
    if (product === undefined) return shop.notFound(c, "There is no such product.");
    return productPage(c, shop, product);
  });
}

function home(c: Context, shop: Shop) {
  const { categories, products } = shop.data;
  const cards = categories.map(({ id, name }) => {
    const count = products.filter(({ category }) => category === id).length;
    const href = `/products?${new URLSearchParams({ category: id })}`;
    return html`<li><h3><a href="${href}">${name}</a></h3><p class="quiet">${count} products</p></li>`;
  });
  return shop.send(c, {
    title: `Welcome to ${shop.config.title}`,
    main: html`${searchForm("")}
      <h2>Categories</h2><ul class="grid">${cards}</ul>
      <h2>From our range</h2>${productGrid(shop, products.slice(0, 6))}`,
  });
}

function searchForm(query: string): Markup {
  return html`<form class="line panel" method="get" action="/products" role="search">
    <div class="field"><label for="q">Search products</label>
    <input id="q" name="q" type="search" value="${query}"></div><button>Search</button></form>`;
}

interface Wanted {
  readonly q: string;
  readonly category: string;
  readonly brand: string;
  readonly min: string;
  readonly max: string;
  readonly stock: string;
  readonly sort: string;
}

function productList(c: Context, shop: Shop) {
  const ask = (name: string) => asked(c.req.query(name));
  const wanted: Wanted = {
    ...{ q: ask("q"), category: ask("category"), brand: ask("brand") },
    ...{ min: ask("min"), max: ask("max"), stock: ask("stock"), sort: ask("sort") },
  };
  const found = ordered(
    shop.data.products.filter((product) => fits(product, wanted)),
    wanted,
  );
  const page = paged(found, c.req.query("page"), shop.config.per_page);
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
  const named = shop.data.categories.find(({ id }) => id === wanted.category)?.name;
  const title = wanted.q === "" ? (named ?? "All products") : `Results for “${wanted.q}”`;
  return shop.send(c, {
    title,
    main: html`<div class="split">
      <aside aria-label="Filters">${filterForm(shop, wanted)}</aside>
      <div><p role="status">${counted(page)}</p>
        ${productGrid(shop, page.items)}${pageLinks(page, "/products", query)}</div></div>`,
  });
}

function counted({ total, page, pages }: Paged<Product>): string {
  if (total === 0) return "No products were found. Try other words or fewer filters.";
  const products = total === 1 ? "1 product" : `${total} products`;
  return pages === 1 ? products : `${products}, page ${page} of ${pages}`;
}

function fits(product: Product, { q, category, brand, min, max, stock }: Wanted): boolean {
  if (category !== "" && product.category !== category) return false;
  if (brand !== "" && product.brand !== brand) return false;
  if (stock === "yes" && product.stock === 0) return false;
  const [from, to] = [cents(min), cents(max)];
  if (from !== undefined && product.price_cents < from) return false;
  if (to !== undefined && product.price_cents > to) return false;
  const text = searchable(product);
  return folded(q)
    .split(" ")
    .every((word) => text.includes(word));
}

function searchable({ sku, name, brand, description, attributes }: Product): string {
  return folded([name, sku, brand, description, ...Object.values(attributes)].join(" "));
}

function ordered(found: readonly Product[], { q, sort }: Wanted): readonly Product[] {
  if (sort === "price") return found.toSorted((a, b) => a.price_cents - b.price_cents);
  if (sort === "-price") return found.toSorted((a, b) => b.price_cents - a.price_cents);
  if (sort === "name") return found.toSorted((a, b) => (folded(a.name) < folded(b.name) ? -1 : 1));
  const words = folded(q).split(" ");
  const missing = ({ name }: Product) =>
    words.filter((word) => !folded(name).includes(word)).length;
  return q === "" ? found : found.toSorted((a, b) => missing(a) - missing(b));
}

function filterForm(shop: Shop, wanted: Wanted): Markup {
  const { categories, products } = shop.data;
  const brands = [...new Set(products.map(({ brand }) => brand))].filter((each) => each !== "");
  const any = { value: "", label: "All" };
  const categoryChoices = [any, ...categories.map(({ id, name }) => ({ value: id, label: name }))];
  const brandChoices = [any, ...brands.sort().map((brand) => ({ value: brand, label: brand }))];
  return html`<form method="get" action="/products" role="search" aria-label="Search and filter">
    <div class="field"><label for="q">Search</label>
      <input id="q" name="q" type="search" value="${wanted.q}"></div>
    <div class="field"><label for="category">Category</label>
      <select id="category" name="category">${options(categoryChoices, wanted.category)}</select></div>
    <div class="field"><label for="brand">Brand</label>
      <select id="brand" name="brand">${options(brandChoices, wanted.brand)}</select></div>
    <div class="field"><label for="min">Lowest price</label>
      <input id="min" name="min" inputmode="decimal" value="${wanted.min}"></div>
    <div class="field"><label for="max">Highest price</label>
      <input id="max" name="max" inputmode="decimal" value="${wanted.max}"></div>
    <div class="choice"><input id="stock" name="stock" type="checkbox" value="yes"
      ${wanted.stock === "yes" && html`checked`}> <label for="stock">In stock only</label></div>
    <div class="field"><label for="sort">Sort by</label>
      <select id="sort" name="sort">${options(SORTS, wanted.sort)}</select></div>
    <button>Show results</button> <a href="/products">Clear filters</a></form>`;
}

function productGrid({ config }: Shop, products: readonly Product[]): Markup {
  const cards = products.map(
    (product) => html`<li><div class="tile" aria-hidden="true">${initials(product.name)}</div>
      <h3><a href="/products/${product.sku}">${product.name}</a></h3>
      <p class="quiet">${[product.brand, product.unit].filter(Boolean).join(" · ")}</p>
      <p class="price">${money(product.price_cents, config.currency)}</p>${stockLine(product)}</li>`,
  );
  return html`<ul class="grid" aria-label="Products">${cards}</ul>`;
}

/** A product's page; after a mistake in its form with what was wrong. */
export function productPage(c: Context, shop: Shop, product: Product, form?: Form) {
  const { sku, name, brand, unit, description, stock, attributes } = product;
  const category = shop.data.categories.find(({ id }) => id === product.category)?.name;
  const error = form?.errors.get("quantity");
  const add = html`<form class="panel" method="post" action="/basket/items">
    <input type="hidden" name="sku" value="${sku}">
    <div class="field${error ? " wrong" : ""}"><label for="quantity">Quantity</label>
    ${error && html`<p class="error" id="quantity-error" role="alert">${error}</p>`}
    <input id="quantity" name="quantity" type="number" min="1" value="${form?.value("quantity") ?? 1}"
      ${error && html`aria-invalid="true" aria-describedby="quantity-error"`}></div>
    <button>Add to basket</button></form>`;
  return shop.send(c, {
    title: name,
    status: form === undefined ? 200 : 422,
    main: html`<div class="halves"><div><p>${description}</p>
      ${facts([["SKU", sku], ["Brand", brand], ["Unit", unit], ["Category", category], ...Object.entries(attributes)])}</div>
      <div><p class="price">${money(product.price_cents, shop.config.currency)}</p>
      ${stockLine(product)}${stock > 0 || form ? add : html`<p>This product cannot be ordered now.</p>`}</div></div>
      <p><a href="/products">Back to all products</a></p>`,
  });
}

function stockLine({ stock }: Product): Markup {
  if (stock === 0) return html`<p class="bad">Sold out</p>`;
  if (stock <= 5) return html`<p class="warn">Only ${stock} left in stock</p>`;
  return html`<p class="good">In stock (${stock} available)</p>`;
}

function initials(name: string): string {
  const letters = name.match(/\p{L}/gu) ?? ["·"];
  const words = name.split(/\s+/).map((word) => word.match(/\p{L}/u)?.[0] ?? "");
  return (words.join("") || letters.join("")).slice(0, 2).toUpperCase();
}
