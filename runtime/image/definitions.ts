import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson } from "../base/canonical-json.ts";
import { sha256 } from "../base/hash.ts";
import { type ContextFile, folderFiles } from "./context.ts";
import { egressFiles, egressInputs } from "./egress-programs.ts";
import { Lockfile } from "./lockfile.ts";
import type { SandboxImage } from "./sandbox-image.ts";
import { graderInputs, graderPrograms, serverFiles, serverInputs } from "./server-files.ts";

/** What the image store calls our images now; other names of ours are of older states. */
export interface ImageReferences {
  /** Debian and nothing else. */
  readonly base: string;
  /** What an agent's tools run in, all but the browser. */
  readonly office: string;
  /** The same and a browser. */
  readonly "office-browser": string;
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
  const sandbox = (image: SandboxImage) =>
    reference(image, {
      base,
      files: digests(sandboxFiles(image)),
      node: lock.version("node"),
      servers: serverInputs(image, lock, rootFile("servers")),
      egress: egressInputs(lock, rootFile("")),
    });
  const grader = reference("grader", {
    base,
    files: digests(graderFiles()),
    node: lock.version("node"),
    programs: graderInputs(lock, rootFile("servers")),
  });
  return {
    base,
    office: sandbox("office"),
    "office-browser": sandbox("office-browser"),
    grader,
  };
}

/** All that an image for sandboxes is built from; `nodeBinary` is a Linux program for its machine. */
export async function sandboxContext(
  image: SandboxImage,
  nodeBinary: string,
): Promise<ContextFile[]> {
  const node = { path: "node", content: { file: nodeBinary }, executable: true };
  const programs = [...(await serverFiles(image)), ...(await egressFiles(rootFile("")))];
  return [...sandboxFiles(image), node, ...programs];
}

/** All that the grader image is built from; `nodeBinary` as for sandboxes. */
export async function graderContext(nodeBinary: string): Promise<ContextFile[]> {
  const node = { path: "node", content: { file: nodeBinary }, executable: true };
  return [...graderFiles(), node, ...(await graderPrograms())];
}

/** The pinned Node, which runs Cloche and the servers inside. */
export function nodeVersion(): string {
  return new Lockfile(rootFile("package-lock.json")).version("node");
}

/** A file of the repository by its path from the root. */
export function rootFile(path: string): string {
  return join(fileURLToPath(new URL("../..", import.meta.url)), path);
}

function sandboxFiles(image: SandboxImage): ContextFile[] {
  return [
    { path: "Dockerfile", content: Buffer.from(sandboxDockerfile(image)) },
    contextFile("gitconfig", "sandbox/gitconfig"),
    contextFile("clock.c", "clock/clock.c"),
    contextFile("confine.c", "confine/confine.c"),
    ...(image === "office-browser"
      ? [
          contextFile("browser-slim.conf", "sandbox/browser-slim.conf"),
          contextFile("browser-policy.json", "sandbox/browser-policy.json"),
        ]
      : []),
    ...baseFiles(),
  ];
}

/**
 * Both images begin with the same steps, which are done once, and change where servers do: at their
 * end. An image that stood on another would install Chromium anew with each change of a server.
 */
function sandboxDockerfile(image: SandboxImage): string {
  const whole = readFileSync(imageFile("sandbox/Dockerfile"), "utf8");
  if (image === "office") return whole;
  const added = readFileSync(imageFile("sandbox/browser.Dockerfile"), "utf8");
  const [before, after] = whole.split(/^# What a larger image adds.*$/m);
  if (after === undefined) throw new Error("sandbox/Dockerfile has no place for a larger image");
  return `${before}${added}${after}`;
}

function graderFiles(): ContextFile[] {
  return [
    contextFile("Dockerfile", "grader/Dockerfile"),
    contextFile("clock.c", "clock/clock.c"),
    ...folderFiles(rootFile("python/cloche/src/cloche"), "cloche"),
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
