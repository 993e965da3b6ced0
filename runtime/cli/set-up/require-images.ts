import { isDigest } from "../../engine/by-digest.ts";
import type { Engine } from "../../engine/engine.ts";
import { type ImageReferences, imageReferences } from "../../image/definitions.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "../../image/sandbox-image.ts";
import { type Manifest, manifestOf } from "../../mcp/link/manifest.ts";
import { cliFault } from "../faults.ts";
import { imageChoice } from "./ensure-images.ts";
import { setupFault } from "./faults.ts";

/** Our images as the engine holds them. */
export interface HeldImages {
  readonly images: Omit<ImageReferences, "base">;
  /** By reference: what the servers of an image said of themselves when it was built. */
  readonly manifests: Readonly<Record<string, Manifest>>;
  /** By reference: the digest of what the engine holds under it. */
  readonly digests: Readonly<Record<string, string>>;
}

/**
 * The same images by what they are instead of what they are called: whoever gives a name to another
 * image changes nothing. Images that are not held keep their names, which nothing is made from.
 * @throws Fault `cli/bad-option` if a base image of the deployment's own is not named by its digest
 */
export function byDigest(
  { images, manifests, digests }: HeldImages,
  env: Readonly<Record<string, string | undefined>>,
): HeldImages {
  const { baseImage } = imageChoice(env);
  if (baseImage !== undefined && !isDigest(baseImage)) {
    const message = `CLOCHE_BASE_IMAGE is "${baseImage}": with images by digest, name it by its own`;
    throw cliFault("bad-option", `${message} (name@sha256:…)`);
  }
  const digestOf = (reference: string) => digests[reference] ?? reference;
  const renamed = Object.entries(images).map(([name, image]) => [name, digestOf(image)]);
  const said = Object.entries(manifests).map(([image, manifest]) => [digestOf(image), manifest]);
  return {
    images: Object.fromEntries(renamed) as HeldImages["images"],
    manifests: Object.fromEntries(said),
    digests,
  };
}

/**
 * What our images are called now, if the engine holds the grader's and, of those for sandboxes, the
 * ones up to `upTo` (default: the smallest). Rejects with `setup/image-missing`, which names what is
 * not there, or a fault of the engine.
 */
export async function requireImages(
  engine: Engine,
  env: Readonly<Record<string, string | undefined>>,
  upTo: SandboxImage = "office",
): Promise<HeldImages> {
  const { base: _, ...images } = imageReferences(imageChoice(env));
  const wanted: string[] = [
    ...SANDBOX_IMAGES.slice(0, SANDBOX_IMAGES.indexOf(upTo) + 1).map((name) => images[name]),
    images.grader,
  ];
  const references = Object.values(images);
  const found = await Promise.all(references.map((reference) => engine.images.find(reference)));
  const held = found.flatMap((image) => image ?? []);
  const missing = wanted.filter((one) => !held.some(({ reference }) => reference === one));
  if (missing.length > 0) {
    const list = missing.join(" and ");
    const sentence = `the engine does not hold ${list}; run "npm run setup" to build what is missing`;
    throw setupFault("image-missing", sentence, { detail: { missing } });
  }
  const manifests = held.map(({ reference, labels }) => [reference, manifestOf(labels)] as const);
  const digests = Object.fromEntries(held.map(({ reference, id }) => [reference, id]));
  return { images, manifests: Object.fromEntries(manifests), digests };
}
