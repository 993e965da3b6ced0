import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../base/hash.ts";
import type { ContextFile } from "./context.ts";
import type { Lockfile } from "./lockfile.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "./sandbox-image.ts";
import {
  BUNDLE_OPTIONS,
  bundleServer,
  type ProgramBundle,
  SERVER_BUNDLES,
  SHORTENED_MODULES,
  settingsOf,
  WORKBOOK_VALUES,
} from "./server-bundles.ts";

/** The servers of an image, as files of its build context. */
export async function serverFiles(image: SandboxImage): Promise<ContextFile[]> {
  const bundled = bundlesOf(image).map(async (server) => {
    const { files } = await bundleServer(server);
    return files.map(({ path, content }) => ({ path: `servers/${path}`, content }));
  });
  return (await Promise.all(bundled)).flat();
}

/** What the grader image carries of our TypeScript, as files of its build context. */
export async function graderPrograms(): Promise<ContextFile[]> {
  const { files } = await bundleServer(WORKBOOK_VALUES);
  return files.map(({ path, content }) => ({ path: `workbooks/${path}`, content }));
}

/** The folders of the npm packages that these are bundled from, sorted. */
export async function graderPackages(): Promise<readonly string[]> {
  return (await bundleServer(WORKBOOK_VALUES)).packages;
}

/** What decides about these, as `serverInputs`. */
export function graderInputs(lock: Lockfile, folder: string): unknown {
  const own = ownSources(folder).filter(([path]) => /^(?:kit|spreadsheet)\//.test(path));
  return { ...inputsOf(WORKBOOK_VALUES, own, lock), bundler: bundlerOf(lock) };
}

/** The folders of the npm packages that the servers of an image are bundled from, sorted. */
export async function serverPackages(image: SandboxImage): Promise<readonly string[]> {
  const bundled = await Promise.all(bundlesOf(image).map(bundleServer));
  return [...new Set(bundled.flatMap(({ packages }) => packages))].sort();
}

/**
 * What decides about these servers: versions of packages, our sources, the bundler. Reads our
 * sources, a few hundred KB; bundles nothing.
 */
export function serverInputs(image: SandboxImage, lock: Lockfile, folder: string): unknown {
  const servers = bundlesOf(image).map((server) => {
    return inputsOf(server, server.package === undefined ? ownSources(folder) : [], lock);
  });
  return { servers, bundler: bundlerOf(lock) };
}

type Sources = readonly (readonly [string, string])[];

function inputsOf(server: ProgramBundle, own: Sources, lock: Lockfile) {
  const { package: name, beside = [] } = server;
  const packages = name === undefined ? packagesIn(own).filter((one) => lock.pins(one)) : [name];
  return {
    server,
    own,
    settings: settingsOf(server).map(({ content }) => sha256(content)),
    code: [...packages, ...beside.map((one) => one.package)].map((one) => lock.closure(one)),
  };
}

function bundlerOf(lock: Lockfile) {
  const options = { ...BUNDLE_OPTIONS, shortened: SHORTENED_MODULES };
  return { version: lock.version("esbuild"), options };
}

function bundlesOf(image: SandboxImage) {
  const upTo = SANDBOX_IMAGES.indexOf(image);
  return SERVER_BUNDLES.filter((server) => SANDBOX_IMAGES.indexOf(server.image) <= upTo);
}

/** `path` and text of each TypeScript file in `folder` and below it, sorted. */
function ownSources(folder: string): Sources {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [
      path.slice(folder.length + 1).replaceAll("\\", "/"),
      readFileSync(path, "utf8"),
    ]);
}

const IMPORTED =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\bresolve\(\s*|\brequire\(\s*)"((?:@[\w.-]+\/)?[\w][\w.-]*)(?:\/[^"]*)?"/g;

/** What these sources import that looks like a package, sorted. */
function packagesIn(sources: Sources): readonly string[] {
  const names = sources.flatMap(([, text]) => {
    return [...text.matchAll(IMPORTED)].flatMap(([, name = ""]) => name);
  });
  return [...new Set(names)].sort();
}
