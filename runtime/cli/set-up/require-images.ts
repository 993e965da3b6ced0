import { type ImageReferences, imageReferences } from "../../../images/definitions.ts";
import type { Engine } from "../../engine/engine.ts";
import { type Manifest, manifestOf } from "../../mcp/manifest.ts";
import { SANDBOX_IMAGES, type SandboxImage } from "../../mcp/server-spec.ts";
import { imageChoice } from "./ensure-images.ts";
import { setupFault } from "./faults.ts";

/** Our images as the engine holds them. */
export interface HeldImages {
  readonly images: Omit<ImageReferences, "base">;
  /** By reference: what the servers of an image said of themselves when it was built. */
  readonly manifests: Readonly<Record<string, Manifest>>;
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
  return { images, manifests: Object.fromEntries(manifests) };
}
