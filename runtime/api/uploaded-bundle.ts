import { FOREIGN_LIMITS, heldToOurs } from "../rollout/foreign-bundle.ts";
import type { Caller } from "../service/service.ts";
import type { Bundle } from "../store/bundle.ts";
import { isStored } from "../store/resolve-bundle.ts";
import type { Verifier } from "../store/signature.ts";
import { requireSignature } from "../store/verify-bundle.ts";
import type { ApiParts } from "./api-parts.ts";
import { apiFault } from "./faults.ts";

/**
 * An uploaded bundle as it may be graded. One that is stored here comes back as it was given; any
 * other brings a grader, and maybe an agent's programs, that somebody unknown has written: it is
 * graded only for who may have such code run, in images and within limits of ours.
 * Rejects with `api/foreign-bundle`, or as `heldToOurs` throws.
 */
export async function admitUpload(
  bundle: Bundle,
  caller: Caller,
  { data, images, signer, uploads }: Pick<ApiParts, "data" | "images" | "signer" | "uploads">,
): Promise<Bundle> {
  if (await isStored(data, bundle)) return bundle;
  const trusted = [...(signer ? [signer] : []), ...(uploads?.trusted ?? [])];
  const mayRun = caller.may?.includes("grade:foreign") || (await isVouchedFor(bundle, trusted));
  if (!mayRun) throw refusal(bundle, caller);
  return heldToOurs(bundle, images, uploads?.limits ?? FOREIGN_LIMITS);
}

/** Whether one of these keys has signed it. */
export async function isVouchedFor(
  bundle: Bundle,
  verifiers: readonly Verifier[],
): Promise<boolean> {
  for (const verifier of verifiers) {
    const isSound = await requireSignature(bundle, verifier).then(
      () => true,
      () => false,
    );
    if (isSound) return true;
  }
  return false;
}

function refusal({ id, signature }: Bundle, { key }: Caller): Error {
  const who =
    signature === null ? "nobody has signed it" : `the key that signed it is not trusted here`;
  const message =
    `bundle ${id} was not made by this service and ${who}, so the code in it is not run; ` +
    `the key "${key}" may not have it run either (may=grade:foreign)`;
  return apiFault("foreign-bundle", message, { detail: { bundle: id } });
}
