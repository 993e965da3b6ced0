import fc from "fast-check";

/** A change to bytes. Places are any whole numbers and are taken modulo the length. */
export type Mutation =
  | { readonly kind: "flip"; readonly at: number; readonly by: number }
  | { readonly kind: "cut"; readonly at: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "copy"; readonly at: number; readonly to: number; readonly length: number }
  | { readonly kind: "end"; readonly at: number };

/** Bytes that parsers stumble over. */
const ODD = ["\0", "\n", "\r\n", "\uFEFF", "\u2028", "../", "/", '"', "\\", "{", "[", "1e999", "-0"]
  .concat(["null", "NaN", '"__proto__":', "\u{1F600}", "\x1b]52;c;\x07", "=1+1", "9".repeat(30)])
  .map((text) => new Uint8Array(Buffer.from(text)))
  .concat([new Uint8Array([0xff, 0xfe]), new Uint8Array([0xed, 0xa0, 0x80]), new Uint8Array(512)]);

export const oddBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom(...ODD),
  fc.uint8Array({ maxLength: 24 }),
);

const place = fc.nat(0x7fff_ffff);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    kind: fc.constant("flip" as const),
    at: place,
    by: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant("insert" as const), at: place, bytes: oddBytes }),
  fc.record({ kind: fc.constant("copy" as const), at: place, to: place, length: fc.nat(600) }),
  fc.record({ kind: fc.constant("end" as const), at: place }),
);

export function mutated(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  return mutations.reduce(applied, bytes);
}

function applied(bytes: Buffer, mutation: Mutation): Buffer {
  const at = bytes.length === 0 ? 0 : mutation.at % bytes.length;
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (mutation.kind) {
    case "flip": {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ mutation.by;
      return copy;
    }
    case "cut":
      return Buffer.concat([before, after.subarray(mutation.length)]);
    case "insert":
      return Buffer.concat([before, mutation.bytes, after]);
    case "copy": {
      const to = bytes.length === 0 ? 0 : mutation.to % bytes.length;
      const piece = bytes.subarray(at, at + mutation.length);
      return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)]);
    }
    case "end":
      return before;
  }
}

/** The bytes in pieces, as a stream might bring them; sizes are taken in turn. */
export function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 4096);
    all.push(bytes.subarray(at, at + size));
    at += size;
  }
  return all;
}

export const pieceSizes: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom([65_536], [512], [513, 1], [700, 33, 5000], [100]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 4 }),
  },
);

/** Mostly null, else what `arbitrary` makes. */
export function seldom<T>(arbitrary: fc.Arbitrary<T>, weight = 30): fc.Arbitrary<T | null> {
  return fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}
