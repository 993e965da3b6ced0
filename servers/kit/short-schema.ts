import type * as z from "zod";

type Json = Record<string, unknown>;
type Way = "input" | "output";

/**
 * The same schema, told in fewer words: what a tool takes and answers is checked as before, but
 * bounds that nobody meets by chance, what JSON Schema means anyway, and words about what comes back
 * are left out: a model reads the answer's text, and a program knows the fields by name.
 */
export function shortly(schema: z.ZodObject) {
  const standard = schema["~standard"];
  const told = (way: Way) => {
    let made: Json | undefined;
    return () => {
      made ??= short(standard.jsonSchema[way]({ target: "draft-2020-12" }), way) as Json;
      return made;
    };
  };
  const { version, vendor, validate } = standard;
  const jsonSchema = { input: told("input"), output: told("output") };
  return { "~standard": { version, vendor, validate, jsonSchema } };
}

function short(value: unknown, way: Way): unknown {
  if (Array.isArray(value)) return value.map((one) => short(one, way));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, held]) => !saysNothing(key, held, way));
  const { anyOf, ...rest } = Object.fromEntries(kept.map(([key, held]) => [key, short(held, way)]));
  if (anyOf === undefined) return rest;
  const types = plainTypes(anyOf);
  return types === undefined ? { anyOf, ...rest } : { type: types, ...rest };
}

const LARGEST = 9_007_199_254_740_991;
const MANY = 100;

/** Not to be confused with properties of such names: their values are objects. */
function saysNothing(key: string, held: unknown, way: Way): boolean {
  if (key === "$schema") return typeof held === "string";
  if (key === "maxLength") return typeof held === "number";
  if (key === "maxItems") return typeof held === "number" && held >= MANY;
  if (key === "maximum") return held === LARGEST;
  if (key === "minimum") return held === -LARGEST;
  if (key === "additionalProperties") return held === false && way === "output";
  if (key === "description") return typeof held === "string" && way === "output";
  return key === "propertyNames" && JSON.stringify(held) === '{"type":"string"}';
}

/** Of an `anyOf` that offers nothing but types. */
function plainTypes(offered: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(offered)) return undefined;
  const types = offered.map((one: Json) => (Object.keys(one).length === 1 ? one["type"] : null));
  return types.every((type) => typeof type === "string") ? types : undefined;
}
