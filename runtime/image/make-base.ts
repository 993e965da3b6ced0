import { createReadStream, existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildOptions, ImageInfo, ImageStore } from "../engine/image-store.ts";
import { type AptSources, aptSources } from "./apt-sources.ts";
import { contextArchive } from "./context.ts";
import { DEBIAN_RELEASE, SLIM_FILE } from "./definitions.ts";
import { runProgram } from "./run-program.ts";

/** Where the base comes from: an image of a registry, or Debian's packages. */
export type BaseSource =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "packages"; readonly sources: AptSources | undefined };

/** `onLine` gets what apt, mmdebstrap or the engine say. */
export type MakeOptions = Pick<BuildOptions, "signal" | "labels" | "onLine">;

/** By tag: nobody has checked a digest of it yet. Only machines without apt or root ever ask for it. */
const REGISTRY_IMAGE = `debian:${DEBIAN_RELEASE}-slim`;
const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * `baseImage` if given; Debian's packages where they can be unpacked (Debian or Ubuntu, root, the
 * engine's architecture), so that no registry is needed; else Debian's slim image.
 */
export function baseSource(
  baseImage: string | undefined,
  architecture: "amd64" | "arm64",
): BaseSource {
  if (baseImage !== undefined) return { kind: "image", image: baseImage };
  const host = { x64: "amd64", arm64: "arm64" }[process.arch as string];
  const canUnpack =
    process.platform === "linux" &&
    process.getuid?.() === 0 &&
    host === architecture &&
    existsSync("/usr/bin/apt-get");
  return canUnpack
    ? { kind: "packages", sources: aptSources(readFileSync("/etc/os-release", "utf8")) }
    : { kind: "image", image: REGISTRY_IMAGE };
}

/** Makes the base image. Throws what the program or the engine that failed says. */
export async function makeBase(
  source: BaseSource,
  images: ImageStore,
  reference: string,
  options: MakeOptions = {},
): Promise<ImageInfo> {
  if (source.kind === "packages") return unpackDebian(source.sources, images, reference, options);
  const dockerfile = Buffer.from(`FROM ${source.image}\n`);
  return images.build(
    contextArchive([{ path: "Dockerfile", content: dockerfile }]),
    reference,
    options,
  );
}

/** Through a file, since an archive that breaks off in the middle would be imported all the same. */
async function unpackDebian(
  sources: AptSources | undefined,
  images: ImageStore,
  reference: string,
  options: MakeOptions,
): Promise<ImageInfo> {
  await installTools(options);
  const folder = await mkdtemp(join(tmpdir(), "cloche-base-"));
  try {
    const tar = join(folder, "base.tar");
    const lines = sources
      ? [
          `deb ${sources.main} ${DEBIAN_RELEASE} main`,
          `deb ${sources.main} ${DEBIAN_RELEASE}-updates main`,
          `deb ${sources.security} ${DEBIAN_RELEASE}-security main`,
        ]
      : [];
    const slim = `--dpkgopt=${SLIM_FILE}`;
    const keyring = `--keyring=${DEBIAN_KEYRING}`;
    const args = ["--variant=minbase", slim, keyring, DEBIAN_RELEASE, tar, ...lines];
    await runProgram("mmdebstrap", args, options);
    return await images.importRootfs(createReadStream(tar), reference, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function installTools(options: MakeOptions): Promise<void> {
  const missing = [
    ...(existsSync("/usr/bin/mmdebstrap") ? [] : ["mmdebstrap"]),
    ...(existsSync(DEBIAN_KEYRING) ? [] : ["debian-archive-keyring"]),
  ];
  if (missing.length === 0) return;
  await runProgram("apt-get", ["update", "-qq"], options);
  await runProgram(
    "apt-get",
    ["install", "-qq", "-y", "--no-install-recommends", ...missing],
    options,
  );
}
