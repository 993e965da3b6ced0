import { Fault } from "../../base/fault.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ImageInfo } from "../../engine/image-store.ts";
import { type ImageReferences, imageReferences } from "../../image/definitions.ts";
import type { EnsureImagesOptions } from "./ensure-images.ts";

export interface PrunedImages {
  readonly removed: readonly ImageInfo[];
  /** Ours and of an older state, but a container needs them. */
  readonly inUse: readonly ImageInfo[];
}

/**
 * Removes our images whose inputs are no longer today's; those of today stay. Rejects with a fault
 * of the engine.
 */
export async function pruneImages(
  engine: Engine,
  options: EnsureImagesOptions = {},
): Promise<PrunedImages> {
  const call = options.signal ? { signal: options.signal } : {};
  const references: ImageReferences = imageReferences(options);
  const wanted = new Set<string>(Object.values(references));
  const removed: ImageInfo[] = [];
  const inUse: ImageInfo[] = [];
  for (const image of await engine.images.list(call)) {
    if (wanted.has(image.reference)) continue;
    try {
      await engine.images.remove(image.reference, call);
      removed.push(image);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "engine/image-in-use") throw error;
      inUse.push(image);
    }
  }
  return { removed, inUse };
}
