import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressCheck } from "../../images/egress/address.ts";
import { allowedHost, hostName } from "../../runtime/base/host-name.ts";

const check = addressCheck();
const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet);
const text = (octets: readonly number[]) => octets.join(".");

/** The ranges once more, by arithmetic: [first address, number of bits]. */
const SET_ASIDE: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
  ["168.63.129.16", 32],
];

const numberOf = (octets: readonly number[]) => octets.reduce((sum, one) => sum * 256 + one, 0);
const isSetAside = (octets: readonly number[]) =>
  SET_ASIDE.some(([first, bits]) => {
    const size = 2 ** (32 - bits);
    const from = numberOf(first.split(".").map(Number));
    return Math.floor(numberOf(octets) / size) === Math.floor(from / size);
  });

/** Addresses in and around the ranges, where mistakes are made. */
const nearRanges = fc
  .tuple(fc.constantFrom(...SET_ASIDE), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([[first, bits], offset, atEnd]) => {
    const from = numberOf(first.split(".").map(Number)) + (atEnd ? 2 ** (32 - bits) - 1 : 0);
    const number = (from + offset + 2 ** 32) % 2 ** 32;
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256);
  });

test("an IPv4 address is refused if, and only if, it is set aside", () => {
  fc.assert(
    fc.property(fc.oneof(ipv4, nearRanges), (octets) => {
      assert.equal(check(text(octets)) !== undefined, isSetAside(octets), text(octets));
    }),
    { numRuns: 20_000 },
  );
});

const hex = (octets: readonly number[], from: number) =>
  octets
    .slice(from, from + 2)
    .map((one) => one.toString(16).padStart(2, "0"))
    .join("");

/** Ways to hold an IPv4 address in an IPv6 one. */
const EMBEDDED: readonly ((octets: readonly number[]) => string)[] = [
  (octets) => `::ffff:${text(octets)}`,
  (octets) => `::FFFF:${hex(octets, 0)}:${hex(octets, 2)}`,
  (octets) => `0:0:0:0:0:ffff:${hex(octets, 0)}:${hex(octets, 2)}`,
  (octets) => `::ffff:0:${text(octets)}`,
  (octets) => `::${text(octets)}`,
  (octets) => `64:ff9b::${text(octets)}`,
  (octets) => `64:ff9b::${hex(octets, 0)}:${hex(octets, 2)}`,
  (octets) => `64:ff9b:1::${text(octets)}`,
  (octets) => `2002:${hex(octets, 0)}:${hex(octets, 2)}::1`,
  (octets) => `2001:0:${hex(octets, 0)}:${hex(octets, 2)}::1`,
];

test("no IPv6 address that holds an IPv4 address is reached, whichever it holds", () => {
  fc.assert(
    fc.property(ipv4, fc.constantFrom(...EMBEDDED), (octets, form) => {
      assert.ok(check(form(octets)) !== undefined, form(octets));
    }),
    { numRuns: 10_000 },
  );
});

const group = fc.integer({ min: 0, max: 0xffff });
const groups = fc.array(group, { minLength: 8, maxLength: 8 });

test("of IPv6 nothing but global unicast is reached", () => {
  fc.assert(
    fc.property(groups, (all) => {
      const [first = 0, second = 0] = all;
      const isGlobal = first >= 0x2000 && first <= 0x3fff;
      const isKept = first === 0x2001 && (second < 0x200 || second === 0xdb8);
      const isOther = first === 0x2002 || (first === 0x3fff && second < 0x1000);
      const address = all.map((one) => one.toString(16)).join(":");
      assert.equal(check(address) === undefined, isGlobal && !isKept && !isOther, address);
    }),
    { numRuns: 20_000 },
  );
  const local = ["::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"];
  for (const address of [...local, "fec0::1", "100::1", "5f00::1", "4000::1"]) {
    assert.ok(check(address) !== undefined, address);
  }
  for (const address of ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"]) {
    assert.equal(check(address), undefined, address);
  }
});

test("what is no address in its plain form is refused", () => {
  const forms = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "1.2.3", "01.2.3.4", ""];
  for (const form of [...forms, "1.2.3.4 ", "1.2.3.4:80", "[::1]", "localhost", "8.8.8.8%1"]) {
    assert.equal(check(form), "is no address", form);
  }
});

test("this machine's own addresses are refused, also inside of IPv6, and before what is allowed", () => {
  const own = addressCheck({ deny: ["8.8.8.8", "2606:4700::/32"], allow: ["8.8.8.0/24"] });
  for (const address of ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1"]) {
    assert.ok(own(address) !== undefined, address);
  }
  assert.equal(own("8.8.8.9"), undefined);
  assert.equal(addressCheck({ allow: ["203.0.113.0/24"] })("203.0.113.5"), undefined);
  assert.ok(addressCheck({ allow: ["203.0.113.0/24"] })("::ffff:203.0.113.5") !== undefined);
});

test("a host name is never an address, in whatever spelling", () => {
  const spelled = fc.oneof(
    ipv4.map(text),
    ipv4.map((octets) => String(numberOf(octets))),
    ipv4.map((octets) => `0x${numberOf(octets).toString(16)}`),
    ipv4.map((octets) => octets.map((one) => `0${one.toString(8)}`).join(".")),
    ipv4.map((octets) => octets.map((one) => `0x${one.toString(16)}`).join(".")),
    ipv4.map(([a, , , d]) => `${a}.${d}`),
    ipv4.map((octets) => `${text(octets)}.`),
    groups.map((all) => all.map((one) => one.toString(16)).join(":")),
  );
  fc.assert(
    fc.property(spelled, (form) => {
      assert.equal(hostName(form), undefined, form);
      assert.equal(allowedHost(`${form}:443`), undefined, form);
    }),
    { numRuns: 10_000 },
  );
});

test("a host is named in one form, and only whole names of letters, digits and hyphens are", () => {
  assert.equal(hostName("API.Example.Test."), "api.example.test");
  assert.deepEqual(allowedHost("API.example.test:8443"), { host: "api.example.test", port: 8443 });
  assert.equal(allowedHost("api.example.test"), undefined, "without a port");
  const wrong = [
    "localhost",
    "*.example.test",
    "a..test",
    "-a.test",
    "a_b.test",
    "a.test/x",
    "ä.test",
  ];
  for (const name of [...wrong, "user@a.test", "a.test\n", "10.0.0.1", "[::1]", ".", ""]) {
    assert.equal(allowedHost(`${name}:443`), undefined, name);
  }
  for (const port of ["0", "65536", "01", "", "x", "443\n", "443:443", "-1"]) {
    assert.equal(allowedHost(`a.test:${port}`), undefined, port);
  }
});
