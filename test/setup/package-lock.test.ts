import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { tempFolder } from "../support/temp-folder.ts";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readFileSync(join(root, "package-lock.json"), "utf8");
const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, Locked>> };
const entries = Object.entries(packages).filter(([path, { link }]) => path !== "" && !link);

/** Made where a registry lacked packages, a lock names them without a version, and npm refuses it. */
describe("package-lock.json", () => {
  it("pins a version and a hash of every package, also of those for other machines", () => {
    const bare = entries.filter(([, { version, integrity }]) => !version || !integrity);
    assert.deepEqual(
      bare.map(([path]) => path),
      [],
    );
    assert.ok(entries.length > 400, `${entries.length} entries`);
  });

  it("has an entry for whatever its packages depend on, optional ones included", () => {
    const missing = entries.flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isFound(path, name))
        .map((name) => `${path} needs ${name}`),
    );
    assert.deepEqual(missing, []);
  });

  it("serves Linux on x64 and arm64 with glibc and musl, and macOS on both", () => {
    const machines = {
      linux: ["linux-x64-gnu", "linux-arm64-gnu", "linux-x64-musl", "linux-arm64-musl"],
      macos: ["darwin-x64", "darwin-arm64"],
    };
    for (const family of ["@oxc-parser/binding-", "@napi-rs/canvas-"]) {
      for (const machine of [...machines.linux, ...machines.macos]) assertLocked(family + machine);
    }
    const biome = ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"];
    for (const machine of [...biome, ...machines.macos]) assertLocked(`@biomejs/cli-${machine}`);
    // One static binary for each of esbuild's Linux machines, whatever their libc is.
    for (const machine of ["linux-x64", "linux-arm64", ...machines.macos]) {
      assertLocked(`@esbuild/${machine}`);
    }
  });
});

describe("set-up, when npm fails,", () => {
  it("names the lock where an entry has no version, and leaves nothing half installed", async () => {
    await using folder = await tempFolder();
    copySetUp(folder.path);
    const lock = JSON.parse(text) as { packages: Record<string, Locked> };
    const [path, entry] = entries.find(([, { os }]) => os !== undefined) ?? ["", {}];
    const { version: _, integrity: __, ...rest } = entry;
    // What it is for stays out too: npm asks for the version of whatever this machine could take.
    lock.packages[path] = { ...rest, os: [process.platform], cpu: [process.arch] };
    writeFileSync(join(folder.path, "package-lock.json"), JSON.stringify(lock));
    const words = failed(folder.path, {});
    assert.ok(words.includes(path.slice(path.lastIndexOf("node_modules/") + 13)), words);
    assert.match(words, /package-lock\.json is not whole.*git checkout/s);
  });

  it("says where to look where the registry does not answer", async () => {
    await using folder = await tempFolder();
    copySetUp(folder.path);
    const words = failed(folder.path, {
      npm_config_registry: "http://127.0.0.1:9/",
      npm_config_fetch_retries: "0",
    });
    assert.match(words, /ECONNREFUSED/);
    assert.match(words, /cannot reach its registry.*npm config get registry/s);
  });

  it("says what is missing where there is no npm at all", async () => {
    await using folder = await tempFolder();
    copySetUp(folder.path);
    const words = failed(folder.path, { PATH: "/nonexistent" });
    assert.match(words, /could not run/);
    assert.match(words, /no npm on the PATH/);
  });
});

/** Whether Node, from the package at `path`, would find one of that name. */
function isFound(path: string, name: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if (packages[join(folder, "node_modules", name)] !== undefined) return true;
    if (folder === ".") return false;
  }
}

function assertLocked(name: string): void {
  assert.ok(
    entries.some(([path]) => path.endsWith(`node_modules/${name}`)),
    `${name} is not in package-lock.json`,
  );
}

function copySetUp(folder: string): void {
  for (const file of ["setup.mjs", "package.json", "package-lock.json"]) {
    cpSync(join(root, file), join(folder, file));
  }
}

function failed(folder: string, environment: Readonly<Record<string, string>>): string {
  const { status, stderr } = spawnSync(process.execPath, ["setup.mjs"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, npm_config_cache: join(folder, "npm-cache"), ...environment },
  });
  assert.equal(status, 1, stderr);
  assert.ok(!existsSync(join(folder, "node_modules", ".cloche-lock")));
  return stderr;
}
