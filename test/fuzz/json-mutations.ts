import fc from "fast-check";

/** A change somewhere in a JSON document. `where` picks a place among all places, modulo their number. */
export interface JsonMutation {
  readonly where: number;
  readonly how: "replace" | "remove" | "repeat" | "rename" | "wrap" | "add";
  readonly value: unknown;
  readonly key: string;
}

const KEYS = ["__proto__", "constructor", "toString", "extra", "", "id", "path", "score", "schema"];

/** Values that a reader may take for others. */
export const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, 1, -1, 0.5, 2, 1e308, 5e-324, 2 ** 53 + 1),
  fc.constantFrom<unknown>("", "1", "NaN", "\0", "\ud800", "../x", "a/b", "0".repeat(64), [], {}),
  fc.double(),
  fc.string({ maxLength: 12, unit: "binary" }),
  fc.jsonValue({ maxDepth: 3 }),
);

export const jsonMutation: fc.Arbitrary<JsonMutation> = fc.record({
  where: fc.nat(0x7fff_ffff),
  how: fc.constantFrom("replace", "replace", "remove", "repeat", "rename", "wrap", "add"),
  value: oddValues,
  key: fc.constantFrom(...KEYS),
});

/** A copy with the changes. What is not JSON (NaN, Infinity) stays for the caller to write down. */
export function jsonMutated(value: unknown, mutations: readonly JsonMutation[]): unknown {
  return mutations.reduce<unknown>((whole, mutation) => {
    const holder = { whole: structuredClone(whole) };
    const places = placesIn(holder);
    const place = places[mutation.where % places.length];
    if (place !== undefined) change(place.parent, place.key, mutation);
    return holder.whole;
  }, value);
}

type Parent = Record<string, unknown> | unknown[];

interface Place {
  readonly parent: Parent;
  readonly key: string;
}

function placesIn(value: unknown, places: Place[] = []): Place[] {
  if (typeof value !== "object" || value === null) return places;
  for (const [key, member] of Object.entries(value)) {
    places.push({ parent: value as Parent, key });
    placesIn(member, places);
  }
  return places;
}

function change(parent: Parent, key: string, { how, value, key: name }: JsonMutation): void {
  const members = parent as Record<string, unknown>;
  const old = members[key];
  if (how === "replace") set(members, key, value);
  else if (how === "wrap") set(members, key, [old]);
  else if (how === "remove" && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (how === "remove") delete members[key];
  else if (how === "repeat" && Array.isArray(parent)) parent.splice(Number(key), 0, old);
  else if (how === "rename" && !Array.isArray(parent)) {
    delete members[key];
    set(members, name, old);
  } else if (typeof old === "object" && old !== null) {
    set(old as Record<string, unknown>, Array.isArray(old) ? String(old.length) : name, value);
  } else set(members, key, value);
}

/** Also "__proto__" becomes a member of its own, as JSON.parse makes it. */
function set(members: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(members, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
