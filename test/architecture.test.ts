import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize, sep } from "node:path";
import { describe, it } from "node:test";

/**
 * The architecture: one floor per line. A room imports only rooms above it, and third-party code
 * only where it is named. `cli` is the one place where parts are put together.
 */
const ROOMS: readonly { room: string; packages: readonly string[] }[] = [
  { room: "base", packages: ["pino", "pino-pretty"] },
  { room: "engine", packages: [] },
  { room: "image", packages: ["esbuild", "execa"] },
  { room: "workspace", packages: [] },
  {
    room: "mcp",
    packages: [
      "@modelcontextprotocol/client",
      "@modelcontextprotocol/node",
      "@modelcontextprotocol/server",
      "zod",
    ],
  },
  { room: "grading", packages: ["zod"] },
  { room: "task", packages: ["zod", "smol-toml"] },
  { room: "store", packages: ["zod"] },
  { room: "rollout", packages: [] },
  { room: "service", packages: ["p-queue"] },
  { room: "policy", packages: [] },
  { room: "proof", packages: ["zod"] },
  {
    room: "api",
    packages: ["hono", "@hono/node-server", "@hono/zod-openapi", "prom-client", "zod"],
  },
  { room: "viewer", packages: [] },
  { room: "cli", packages: ["commander", "execa", "gpt-tokenizer", "picocolors"] },
];

/** Folders that may use more than their room: one engine each, and the client. */
const WINGS: Readonly<Record<string, readonly string[]>> = {
  "runtime/engine/docker": ["dockerode"],
  "runtime/api/client": ["@modelcontextprotocol/client"],
};

const IMPORT =
  /^(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

const NO_SUCH_FOLDERS = ["types", "utils", "common", "helpers"];
const FILES = globSync("runtime/**/*.ts");

interface Import {
  readonly file: string;
  readonly target: string;
}

describe("the house", () => {
  it("holds source files", () => {
    assert.ok(FILES.length > 30, `only ${FILES.length} files found; is this run from the root?`);
  });

  it("has no rooms beside those of the list, and no attic", () => {
    const known = new Set(ROOMS.map(({ room }) => room));
    assert.deepEqual(
      FILES.filter((file) => !known.has(roomOf(file) ?? "")),
      [],
    );
    const attic = FILES.filter((file) =>
      file.split(sep).some((part) => NO_SUCH_FOLDERS.includes(part)),
    );
    assert.deepEqual(attic, []);
  });

  it("imports only downwards: a room knows the rooms above it in the list and no others", () => {
    const order = ROOMS.map(({ room }) => room);
    const wrong = imports()
      .filter(({ target }) => target.startsWith("."))
      .map(({ file, target }) => ({ file, target: normalize(join(dirname(file), target)) }))
      .filter(({ target }) => target.startsWith("runtime"))
      .filter(
        ({ file, target }) =>
          order.indexOf(roomOf(target) ?? "") > order.indexOf(roomOf(file) ?? ""),
      );
    assert.deepEqual(wrong, []);
  });

  it("leaves runtime/ only from cli/, for what it measures itself by", () => {
    const wrong = imports()
      .filter(({ target }) => target.startsWith("."))
      .map(({ file, target }) => ({ file, target: normalize(join(dirname(file), target)) }))
      .filter(({ file, target }) => !target.startsWith("runtime") && roomOf(file) !== "cli");
    assert.deepEqual(wrong, []);
  });

  it("uses a package only in the room that the list names", () => {
    const wrong = imports()
      .filter(({ target }) => !target.startsWith(".") && !isBuiltin(target))
      .filter(({ file, target }) => !allowedPackages(file).includes(packageOf(target)));
    assert.deepEqual(wrong, []);
  });

  it("keeps node:sqlite in the store and the environment in the command line", () => {
    const sqlite = imports().filter(({ target }) => target === "node:sqlite");
    assert.deepEqual(
      sqlite.filter(({ file }) => roomOf(file) !== "store"),
      [],
    );
    const readers = FILES.filter((file) => roomOf(file) !== "cli").filter((file) =>
      /process\.(env|argv|exit\b)/.test(readFileSync(file, "utf8")),
    );
    assert.deepEqual(readers, []);
  });

  it("says in ARCHITECTURE.md the same rooms in the same order", () => {
    const text = readFileSync("ARCHITECTURE.md", "utf8");
    const rows = [...text.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, room]) => room);
    const built = new Set(FILES.map(roomOf));
    assert.deepEqual(
      rows,
      ROOMS.map(({ room }) => room).filter((room) => built.has(room)),
    );
  });
});

/** What a server's folder may take from another one than `servers/kit`, each with its reason. */
const NEIGHBOURS: Readonly<Record<string, string>> = {
  "servers/mail -> servers/calendar":
    "an invitation that comes by mail is answered into the calendar",
  "servers/calendar -> servers/mail": "who is invited hears of it by mail",
  "servers/web -> servers/search": "a page's text is what the search reads of one",
};

/** What programs in a sandbox share with the host: what a line of egress is, how a host is named. */
const SHARED_WITH_HOST: readonly string[] = [
  "images/egress/proxy.ts -> runtime/base/host-name.ts",
  "images/egress/record.ts -> runtime/store/egress-lines.ts",
];

describe("the two walks of ARCHITECTURE.md", () => {
  for (const [name, most] of [
    ["One tool call", 22],
    ["One rollout", 16],
  ] as const) {
    it(`${name} goes through at most ${most} files, each tied to another of them`, () => {
      const text = readFileSync("ARCHITECTURE.md", "utf8").split(`**${name}**`)[1] ?? "";
      const files = [...(text.split(/\n\n/)[0] ?? "").matchAll(/`(runtime\/[^`]+\.ts)`/g)].map(
        ([, file = ""]) => normalize(file),
      );
      assert.ok(files.length > most / 2 && files.length <= most, `${files.length} files`);
      assert.equal(new Set(files).size, files.length);
      const ties = importsOf(files).map(({ file, target }) => [file, join(dirname(file), target)]);
      for (const file of files) {
        const tied = ties.some(([from = "", to = ""]) =>
          from === file ? files.includes(to) : to === file,
        );
        assert.ok(tied, `${file} has nothing to do with the others`);
      }
    });
  }
});

describe("what sandboxes carry", () => {
  const inside = importsOf(globSync("{servers,images}/**/*.ts")).filter(({ target }) =>
    target.startsWith("."),
  );
  const resolved = inside.map(({ file, target }) => ({
    file,
    target: normalize(join(dirname(file), target)),
  }));

  it("knows nothing of the runtime but what it shares with the host", () => {
    const upwards = resolved
      .filter(({ target }) => target.startsWith(`runtime${sep}`))
      .map(({ file, target }) => `${file} -> ${target}`);
    assert.deepEqual(upwards.sort(), [...SHARED_WITH_HOST].sort());
  });

  it("has one folder a server, and what two of them need in servers/kit", () => {
    const wrong = resolved
      .filter(({ file }) => file.startsWith(`servers${sep}`) && file.split(sep).length > 2)
      .map(({ file, target }) => ({ file, way: `${folderOf(file)} -> ${folderOf(target)}` }))
      .filter(({ way }) => !way.endsWith("-> servers/kit") && !(way in NEIGHBOURS))
      .filter(({ way }) => new Set(way.split(" -> ")).size === 2);
    assert.deepEqual(wrong, []);
  });

  it("has no attic", () => {
    const folders = globSync("{servers,images,python,bench,examples}/**/*.{ts,py}");
    const attic = folders.filter((file) =>
      file.split(sep).some((part) => NO_SUCH_FOLDERS.includes(part)),
    );
    assert.deepEqual(attic, []);
  });
});

function imports(): Import[] {
  return importsOf(FILES);
}

function importsOf(files: readonly string[]): Import[] {
  return files.flatMap((file) => {
    const found = readFileSync(file, "utf8").matchAll(IMPORT);
    return [...found].map(([, from, bare, dynamic]) => ({
      file,
      target: from ?? bare ?? dynamic ?? "",
    }));
  });
}

function folderOf(file: string): string {
  return file.split(sep).slice(0, 2).join("/");
}

function roomOf(file: string): string | undefined {
  return file.split(sep)[1];
}

function allowedPackages(file: string): readonly string[] {
  const own = ROOMS.find(({ room }) => room === roomOf(file))?.packages ?? [];
  const wing = Object.entries(WINGS).find(([folder]) => file.startsWith(`${folder}${sep}`));
  return [...own, ...(wing?.[1] ?? [])];
}

function isBuiltin(target: string): boolean {
  return (
    (target.startsWith("node:") && builtinModules.includes(target.slice(5).split("/")[0] ?? "")) ||
    target === "node:sqlite" ||
    target === "node:test"
  );
}

function packageOf(target: string): string {
  return target
    .split("/")
    .slice(0, target.startsWith("@") ? 2 : 1)
    .join("/");
}
