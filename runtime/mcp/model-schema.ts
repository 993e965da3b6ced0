import { isObject } from "./json-rpc.ts";

type Schema = Readonly<Record<string, unknown>>;

/** What an object schema has at its top for models' APIs; they refuse or overlook the rest. */
const KEPT: readonly string[] = ["title", "description", "additionalProperties"];
const DEFINITIONS: readonly string[] = ["$defs", "definitions"];
const CHOICES = ["anyOf", "oneOf"] as const;
const MAX_LEVELS = 20;

interface Flat {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
  /** Sets of which one has to be there, if that is all that is known. */
  readonly choices: readonly (readonly string[])[];
}

const NOTHING: Flat = { properties: {}, required: [], choices: [] };

/**
 * The schema of a tool's arguments as models' APIs take it: an object at the top without `$schema`,
 * `$ref`, `anyOf`, `oneOf`, `allOf`, `not` or `enum`. What these say of members is merged into one
 * object that takes all that the tool takes, and maybe more; what is lost is said in words. Lists have
 * `items`. `shown` has what stands for the names of members that an API refuses: what is said of such a
 * one ends with its own name.
 */
export function modelSchema(
  given: unknown,
  shown: ReadonlyMap<string, string> = new Map(),
): Schema {
  const schema = isObject(given) ? given : {};
  const { properties, required, choices } = renamed(flat(schema, schema, 0), shown);
  const isMerged = Object.keys(schema).some((key) => MERGED.includes(key));
  const kept = Object.entries(schema).filter(([key]) => {
    return KEPT.includes(key) && !(isMerged && key === "additionalProperties");
  });
  const definitions = Object.entries(schema).filter(([key]) => DEFINITIONS.includes(key));
  const said = typeof schema["description"] === "string" ? [schema["description"]] : [];
  if (choices.length > 1) said.push(`Needed is one of: ${choices.map(inWords).join("; or ")}.`);
  return {
    type: "object",
    ...Object.fromEntries(kept),
    ...(said.length > 0 && { description: said.join(" ") }),
    properties: withItems(properties, 0),
    ...(required.length > 0 && { required }),
    ...Object.fromEntries(definitions.map(([key, value]) => [key, withItems(value, 0)])),
  };
}

/** The names of the arguments, in whatever branch they are. */
export function membersOf(schema: unknown): readonly string[] {
  return isObject(schema) ? Object.keys(flat(schema, schema, 0).properties) : [];
}

function renamed(flat: Flat, shown: ReadonlyMap<string, string>): Flat {
  if (shown.size === 0) return flat;
  const nameOf = (name: string) => shown.get(name) ?? name;
  const members = Object.entries(flat.properties).map(([name, schema]) => {
    return [nameOf(name), shown.has(name) ? standingFor(name, schema) : schema];
  });
  return {
    properties: Object.fromEntries(members),
    required: flat.required.map(nameOf),
    choices: flat.choices.map((names) => names.map(nameOf)),
  };
}

function standingFor(name: string, schema: unknown): unknown {
  if (typeof schema === "boolean") return schema;
  const said = isObject(schema) && typeof schema["description"] === "string";
  const words = said ? `${schema["description"]} ` : "";
  return { ...(schema as Schema), description: `${words}(Stands for ${JSON.stringify(name)}.)` };
}

const MERGED: readonly string[] = ["$ref", "allOf", ...CHOICES];

function inWords(names: readonly string[]): string {
  return names.length === 0 ? "nothing more" : names.join(", ");
}

function flat(schema: unknown, root: Schema, level: number): Flat {
  if (!isObject(schema) || level > MAX_LEVELS) return NOTHING;
  const own: Flat = {
    properties: isObject(schema["properties"]) ? schema["properties"] : {},
    required: textsOf(schema["required"]),
    choices: [],
  };
  const all = [own, ...listOf(schema["allOf"]).map((one) => flat(one, root, level + 1))];
  if (schema["$ref"] !== undefined) all.push(flat(referred(schema["$ref"], root), root, level + 1));
  for (const key of CHOICES) {
    const branches = listOf(schema[key]).map((one) => flat(one, root, level + 1));
    if (branches.length > 0) all.push(either(branches));
  }
  return all.reduce(both);
}

function both(one: Flat, other: Flat): Flat {
  return {
    properties: merged([one.properties, other.properties], "allOf"),
    required: [...new Set([...one.required, ...other.required])],
    choices: one.choices.length > 0 ? one.choices : other.choices,
  };
}

function either(branches: readonly Flat[]): Flat {
  const [first, ...others] = branches;
  const required = (first?.required ?? []).filter((name) => {
    return others.every((other) => other.required.includes(name));
  });
  const sets = branches.map((branch) => branch.required.filter((name) => !required.includes(name)));
  const choices = sets.some((names) => names.length > 0) ? sets : [];
  return {
    properties: merged(
      branches.map((one) => one.properties),
      "anyOf",
    ),
    required,
    choices,
  };
}

/** A member that several schemas speak of is what all of them, or any of them, say. */
function merged(
  all: readonly Readonly<Record<string, unknown>>[],
  how: "allOf" | "anyOf",
): Readonly<Record<string, unknown>> {
  const members = new Map<string, unknown[]>();
  for (const [name, schema] of all.flatMap((one) => Object.entries(one))) {
    const known = members.get(name) ?? [];
    const text = JSON.stringify(schema);
    if (!known.some((other) => JSON.stringify(other) === text)) known.push(schema);
    members.set(name, known);
  }
  return Object.fromEntries(
    [...members].map(([name, said]) => [name, said.length === 1 ? said[0] : { [how]: said }]),
  );
}

/** What a reference within the schema points to. */
function referred(ref: unknown, root: Schema): unknown {
  if (typeof ref !== "string" || !ref.startsWith("#")) return undefined;
  const keys = ref
    .slice(1)
    .split("/")
    .filter((key) => key !== "");
  return keys.reduce<unknown>((value, key) => {
    const name = decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }, root);
}

/** Lists without `items` are refused, wherever they are. */
function withItems(value: unknown, level: number): unknown {
  if (level > 100) return value;
  if (Array.isArray(value)) return value.map((one) => withItems(one, level + 1));
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, one]) => [key, withItems(one, level + 1)]);
  const isList = value["type"] === "array" && value["items"] === undefined;
  return { ...Object.fromEntries(members), ...(isList && { items: {} }) };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one) => typeof one === "string");
}
