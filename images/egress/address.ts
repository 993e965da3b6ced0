import { BlockList, isIP } from "node:net";

/** Further ranges beyond those of this file, as "192.0.2.0/24" or a single address. */
export interface AddressRules {
  /** Refused although the public may reach them: the addresses of the engine's own machine. */
  readonly deny?: readonly string[];
  /** Allowed although they are set aside. For tests, whose "internet" is a range for documents. */
  readonly allow?: readonly string[];
}

/**
 * Whether an address may be reached, after a name was resolved to it: undefined if it may, else why
 * not. Of IPv4 all is refused that IANA has set aside (private, shared, link-local, loopback,
 * multicast, reserved), of IPv6 all but global unicast; also every form of IPv6 that holds an
 * IPv4 address (mapped, compatible, translated, 6to4, Teredo), since where it ends is up to the way.
 */
export type AddressCheck = (address: string) => string | undefined;

/** @throws Error for a range that is none */
export function addressCheck({ deny = [], allow = [] }: AddressRules = {}): AddressCheck {
  const denied = listOf(deny);
  const allowed = listOf(allow);
  return (address) => {
    const version = isIP(address);
    if (version === 0 || address.includes("%")) return "is no address";
    const family = version === 4 ? "ipv4" : "ipv6";
    if (denied.check(address, family)) return "is of this machine, or denied";
    if (version === 6 && EMBEDDING.check(address, family)) return "holds an IPv4 address";
    if (allowed.check(address, family)) return undefined;
    if (SET_ASIDE.check(address, family)) return "is private, local or set aside";
    if (version === 6 && !GLOBAL.check(address, family)) return "is no global address";
    return undefined;
  };
}

/** IANA's registry of special-purpose IPv4 addresses, and one cloud's metadata service. */
const SET_ASIDE = listOf([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Looks public, but is answered by the host of a virtual machine.
  "168.63.129.16",
  // Of 2000::/3: protocol assignments (Teredo, ORCHID, benchmarks among them) and documents.
  "2001::/23",
  "2001:db8::/32",
  "3fff::/20",
]);

const GLOBAL = listOf(["2000::/3"]);

const EMBEDDING = listOf([
  "::/96",
  "::ffff:0:0/96",
  "::ffff:0:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2001::/32",
  "2002::/16",
]);

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", length] = range.split("/");
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const bits = length === undefined ? (family === "ipv6" ? 128 : 32) : Number(length);
    list.addSubnet(address, bits, family);
  }
  return list;
}
