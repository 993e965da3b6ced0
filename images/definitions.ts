import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson } from "../runtime/base/canonical-json.ts";
import { sha256 } from "../runtime/base/hash.ts";
import { type ContextFile, folderFiles } from "./context.ts";
import { Lockfile } from "./lockfile.ts";
import { BUNDLE_OPTIONS, bundleServer, SERVER_BUNDLES } from "./servers/bundles.ts";

/** What the image store calls our images now; other names of ours are of older states. */
export interface ImageReferences {
  /** Debian and nothing else. */
  readonly base: string;
  /** What an agent's tools run in. */
  readonly sandbox: string;
  /** What judges, generates and plays scripts. */
  readonly grader: string;
}

export type ImageName = keyof ImageReferences;

export interface ImageChoice {
  /** An image to stand on instead of our own Debian; must be Debian or Ubuntu with apt sources. */
  readonly baseImage?: string;
}

/** The Debian release that all images stand on; the same wherever the base comes from. */
export const DEBIAN_RELEASE = "bookworm";

/** What is left out of every image, as a configuration of dpkg. */
export const SLIM_FILE = imageFile("base/dpkg-slim.conf");

/**
 * The references of all images, from what goes into them: Dockerfiles, files, pinned versions and
 * the base. Reads a few small files and asks no engine, so it fits at the start of any command.
 * The versions of Debian's packages are not in it: what was built once stays until an input changes.
 */
export function imageReferences({ baseImage }: ImageChoice = {}): ImageReferences {
  const base = reference("base", {
    from: baseImage ?? `debian ${DEBIAN_RELEASE}`,
    slim: sha256(readFileSync(SLIM_FILE)),
  });
  const lock = new Lockfile(rootFile("package-lock.json"));
  const sandbox = reference("sandbox", {
    base,
    files: digests(sandboxFiles()),
    node: lock.version("node"),
    servers: SERVER_BUNDLES.map((server) => ({ server, code: lock.closure(server.package) })),
    bundler: { version: lock.version("esbuild"), options: BUNDLE_OPTIONS },
  });
  const grader = reference("grader", { base, files: digests(graderFiles()) });
  return { base, sandbox, grader };
}

/** All that the sandbox image is built from; `nodeBinary` is a Linux program for its machine. */
export async function sandboxContext(nodeBinary: string): Promise<ContextFile[]> {
  const servers = SERVER_BUNDLES.map(async (server) => ({
    path: `servers/${server.name}.mjs`,
    content: await bundleServer(server),
  }));
  const node = { path: "node", content: { file: nodeBinary }, executable: true };
  return [...sandboxFiles(), node, ...(await Promise.all(servers))];
}

/** All that the grader image is built from. */
export function graderContext(): ContextFile[] {
  return graderFiles();
}

/** The pinned Node, which runs Cloche and the servers inside. */
export function nodeVersion(): string {
  return new Lockfile(rootFile("package-lock.json")).version("node");
}

/** A file of the repository by its path from the root. */
export function rootFile(path: string): string {
  return join(fileURLToPath(new URL("..", import.meta.url)), path);
}

function sandboxFiles(): ContextFile[] {
  return [
    contextFile("Dockerfile", "sandbox/Dockerfile"),
    contextFile("gitconfig", "sandbox/gitconfig"),
    ...baseFiles(),
  ];
}

function graderFiles(): ContextFile[] {
  return [
    contextFile("Dockerfile", "grader/Dockerfile"),
    ...folderFiles(imageFile("grader/cloche"), "cloche"),
    ...baseFiles(),
  ];
}

function baseFiles(): ContextFile[] {
  return [
    contextFile("base/dpkg-slim.conf", "base/dpkg-slim.conf"),
    contextFile("base/seal.sh", "base/seal.sh"),
  ];
}

function contextFile(path: string, source: string): ContextFile {
  return { path, content: readFileSync(imageFile(source)) };
}

function imageFile(path: string): string {
  return rootFile(join("images", path));
}

function digests(files: readonly ContextFile[]): string[] {
  return files.map(({ path, content }) => {
    if (content instanceof Uint8Array) return `${path} ${sha256(content)}`;
    throw new Error(`${path}: only files at hand go into a hash`);
  });
}

function reference(name: ImageName, inputs: unknown): string {
  return `cloche/${name}:${sha256(canonicalJson(inputs)).slice(0, 16)}`;
}
