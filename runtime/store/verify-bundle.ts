import { Fault } from "../base/fault.ts";
import { type Alteration, findAlterations } from "./alterations.ts";
import type { Bundle } from "./bundle.ts";
import { MANIFEST, MANIFEST_BYTES_MAX, SIGNATURE } from "./bundle-layout.ts";
import { readPart } from "./bundle-parts.ts";
import { openBundle } from "./bundle-reader.ts";
import { storeFault } from "./faults.ts";
import { regradeBytes, type SignedRegrade, type Verifier } from "./signature.ts";

/**
 * Opens a bundle and checks all that can be: every hash, the chain of the steps, what its parts say
 * of each other and, given a key, who signed it. Rejects with `store/bundle-altered`, whose message
 * and `detail.alterations` name every file, step and criterion that is not as it was, with
 * `store/bundle-unsigned` or `store/signature-wrong`, and as `openBundle`.
 */
export async function verifyBundle(root: string, verifier?: Verifier): Promise<Bundle> {
  const bundle = await opened(root);
  if (verifier !== undefined) await requireSignature(bundle, verifier);
  return bundle;
}

/** Whether this key vouches for the grade as one of this bundle. Rejects as `verifyBundle`. */
export function checkRegrade(bundle: Bundle, regrade: SignedRegrade, verifier: Verifier): void {
  const { grade, signature } = regrade;
  if (regrade.bundle !== bundle.id) {
    const message = `the regrade is of bundle ${regrade.bundle}, not of ${bundle.id}`;
    throw storeFault("signature-wrong", message);
  }
  if (verifier.accepts(regradeBytes(bundle.id, grade), signature)) return;
  const why = whyNot(signature.key, verifier, "the grade was rewritten after it was signed");
  throw storeFault("signature-wrong", `the regrade of bundle ${bundle.id}: ${why}`);
}

async function opened(root: string): Promise<Bundle> {
  try {
    return await openBundle(root);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "store/bundle-altered") throw error;
    const alterations = await findAlterations(root, error);
    const all = alterations.map(sentence).join("; ");
    const message = `bundle ${root} was altered: ${all}; do not trust it`;
    const detail = { ...error.detail, alterations };
    throw storeFault("bundle-altered", message, { cause: error, detail });
  }
}

function sentence({ part, step, criterion, what }: Alteration): string {
  if (step !== undefined) return `${part}, step ${step}: ${what}`;
  return criterion === undefined ? `${part} ${what}` : `${part}, criterion "${criterion}": ${what}`;
}

/** Rejects with `store/bundle-unsigned` or `store/signature-wrong` unless this key vouches for it. */
export async function requireSignature(
  { path, id, signature }: Bundle,
  verifier: Verifier,
): Promise<void> {
  if (signature === null) {
    const message = `bundle ${path} has no ${SIGNATURE}: nobody vouches for it`;
    throw storeFault("bundle-unsigned", message, { detail: { bundle: path, id } });
  }
  const bytes = await readPart(path, MANIFEST, MANIFEST_BYTES_MAX);
  if (verifier.accepts(bytes, signature)) return;
  const rewritten = `${MANIFEST} was rewritten after it was signed, so any part may be another`;
  const why = whyNot(signature.key, verifier, rewritten);
  const detail = { bundle: path, id, signedWith: signature.key, key: verifier.key };
  throw storeFault("signature-wrong", `bundle ${path}: ${why}; do not trust it`, { detail });
}

function whyNot(signedWith: string, { key }: Verifier, rewritten: string): string {
  if (signedWith === key) return rewritten;
  return `it is signed with the key ${signedWith.slice(0, 16)}…, not with ${key.slice(0, 16)}…`;
}
