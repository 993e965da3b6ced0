import type { Part, Parts } from "./formula-tree.ts";

/** LET written out: each name replaced by what it stands for. */
export function withoutLet(parts: Parts, names: ReadonlyMap<string, Parts> = new Map()): Parts {
  return parts.map((part) => replaced(part, names));
}

function replaced(part: Part, names: ReadonlyMap<string, Parts>): Part {
  switch (part.kind) {
    case "token": {
      const value =
        part.token.kind === "name" ? names.get(part.token.text.toLowerCase()) : undefined;
      return value === undefined ? part : { kind: "group", args: [value] };
    }
    case "group":
      return { kind: "group", args: part.args.map((arg) => withoutLet(arg, names)) };
    case "call":
      if (part.name === "LET") return letValue(part.args, names);
      return { ...part, args: part.args.map((arg) => withoutLet(arg, names)) };
    default:
      return part;
  }
}

function letValue(args: readonly Parts[], outer: ReadonlyMap<string, Parts>): Part {
  const names = new Map(outer);
  for (let n = 0; n + 2 < args.length; n += 2) {
    const [name] = args[n] ?? [];
    if (name?.kind !== "token" || name.token.kind !== "name") {
      throw new SyntaxError("LET needs a name before each value");
    }
    names.set(name.token.text.toLowerCase(), withoutLet(args[n + 1] ?? [], names));
  }
  return { kind: "group", args: [withoutLet(args.at(-1) ?? [], names)] };
}
