import { FOREIGN_LIMITS, type ForeignLimits, heldToOurs } from "../rollout/foreign-bundle.ts";
import type { RuntimeImages } from "../rollout/parts.ts";
import type { Bundle } from "../store/bundle.ts";
import type { DataFolder } from "../store/data-folder.ts";
import { isStored } from "../store/resolve-bundle.ts";
import { cliFault } from "./faults.ts";

/** What a person's machine holds bundles to, and whether they take a bundle's own word. */
export interface OwnTerms {
  readonly data: DataFolder;
  readonly images: RuntimeImages;
  readonly asRecorded: boolean;
}

/**
 * A bundle as it is graded here: one from elsewhere in an image and within limits of ours, unless
 * its own word is to be taken. Rejects as `heldToOurs` throws.
 */
export async function asGradedHere(
  bundle: Bundle,
  { data, images, asRecorded }: OwnTerms,
): Promise<Bundle> {
  if (asRecorded || (await isStored(data, bundle))) return bundle;
  return heldToOurs(bundle, images);
}

/** The limits of bundles from elsewhere, some of them as said: "memoryBytes=1073741824". */
export function foreignLimits(said: readonly string[]): ForeignLimits {
  const each = said.map((text) => {
    const [name = "", value = ""] = text.split("=", 2);
    const number = Number(value);
    const isWhole = name === "cpus" ? number > 0 : Number.isSafeInteger(number) && number > 0;
    if (Object.hasOwn(FOREIGN_LIMITS, name) && isWhole && number !== Number.POSITIVE_INFINITY) {
      return [name, number] as const;
    }
    const known = Object.keys(FOREIGN_LIMITS).join(", ");
    const message = `--foreign-limit "${text}": give <name>=<number above 0>, of ${known}`;
    throw cliFault("bad-option", message);
  });
  return { ...FOREIGN_LIMITS, ...Object.fromEntries(each) };
}
