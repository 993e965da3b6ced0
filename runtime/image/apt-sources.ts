import { globSync, readFileSync } from "node:fs";

/** Mirrors of Debian: addresses without release and component. */
export interface AptSources {
  readonly main: string;
  readonly security: string;
}

/**
 * The mirrors of a Debian host, since they are near and known to answer; undefined for any other
 * host, and where the lists do not name both: mmdebstrap knows Debian's public ones by itself.
 * `osRelease` is the text of /etc/os-release.
 */
export function aptSources(osRelease: string, listFiles = hostLists): AptSources | undefined {
  if (!/^ID="?debian"?$/m.test(osRelease)) return undefined;
  const addresses = listFiles().flatMap(addressesOf);
  const last = (address: string) => address.replace(/\/+$/, "").split("/").at(-1) ?? "";
  const main = addresses.find((address) => last(address) === "debian");
  const security = addresses.find((address) => last(address) === "debian-security");
  return main === undefined || security === undefined ? undefined : { main, security };
}

function hostLists(): string[] {
  const paths = [
    "/etc/apt/sources.list",
    ...globSync("/etc/apt/sources.list.d/*.{list,sources}").sort(),
  ];
  return paths.flatMap((path) => {
    try {
      return [readFileSync(path, "utf8")];
    } catch {
      return [];
    }
  });
}

/** Of both forms of list: `deb [options] address …` and `URIs: address …`; comments are skipped. */
function addressesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/.exec(line)?.[1];
    if (oneLine !== undefined) return [oneLine];
    return /^URIs:\s*(.+)$/.exec(line)?.[1]?.trim().split(/\s+/) ?? [];
  });
}
