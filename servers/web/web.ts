import { openSites, type Site, unknownHost } from "./sites.ts";

/** The sites of one sandbox. Read at the first request, since the fixture comes after start-up. */
export class Web {
  readonly #folder: () => Promise<string>;
  #sites: readonly Site[] = [];

  constructor(folder: () => Promise<string>) {
    this.#folder = folder;
  }

  async sites(): Promise<readonly Site[]> {
    // Nothing is not remembered: a probe may come before the fixture.
    if (this.#sites.length > 0) return this.#sites;
    const folder = await this.#folder();
    if (this.#sites.length === 0) this.#sites = openSites(folder);
    return this.#sites;
  }

  /** Answers for whatever host the request names. */
  async fetch(request: Request): Promise<Response> {
    const { hostname } = new URL(request.url);
    const sites = await this.sites();
    const site = sites.find(({ host }) => host === hostname || `www.${host}` === hostname);
    return await (site === undefined ? unknownHost(hostname, sites) : site.fetch(request));
  }
}
