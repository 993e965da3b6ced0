import { readFileSync } from "node:fs";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What package-lock.json pins, as far as images depend on it. */
export class Lockfile {
  readonly #packages: Readonly<Record<string, LockedPackage>>;

  constructor(path: string) {
    const text = readFileSync(path, "utf8");
    this.#packages = (JSON.parse(text) as { packages: Record<string, LockedPackage> }).packages;
  }

  /** The pinned version of a package at the top of node_modules. Throws if there is none. */
  version(name: string): string {
    const version = this.#packages[`node_modules/${name}`]?.version;
    if (version === undefined) throw new Error(`package-lock.json pins no version of ${name}`);
    return version;
  }

  /** What is pinned in a folder such as "node_modules/zod". Throws if nothing is. */
  at(folder: string): { readonly version: string; readonly integrity: string | undefined } {
    const { version, integrity } = this.#packages[folder] ?? {};
    if (version === undefined) throw new Error(`package-lock.json pins nothing in ${folder}`);
    return { version, integrity };
  }

  /** Whether a package is pinned at the top of node_modules. */
  pins(name: string): boolean {
    return this.#packages[`node_modules/${name}`]?.version !== undefined;
  }

  /**
   * `path version integrity` of a package and of everything it may load, sorted: two equal lists
   * are the same code.
   */
  closure(name: string): readonly string[] {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const { dependencies, optionalDependencies } = this.#packages[path] ?? {};
      for (const wanted of Object.keys({ ...dependencies, ...optionalDependencies })) {
        const found = this.#resolve(wanted, path);
        if (found !== undefined) visit(found);
      }
    };
    this.version(name);
    visit(`node_modules/${name}`);
    const line = (path: string) => {
      const { version = "", integrity = "" } = this.#packages[path] ?? {};
      return `${path} ${version} ${integrity}`;
    };
    return [...seen].sort().map(line);
  }

  /** As Node does it: in the package's own node_modules, then in those above it. */
  #resolve(wanted: string, from: string): string | undefined {
    let folder = from;
    for (;;) {
      const path = folder === "" ? `node_modules/${wanted}` : `${folder}/node_modules/${wanted}`;
      if (path in this.#packages) return path;
      if (folder === "") return undefined;
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
    }
  }
}
