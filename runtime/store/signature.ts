import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../base/canonical-json.ts";
import { messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import type { Grade } from "../grading/grade.ts";
import { storeFault } from "./faults.ts";

/** Who vouches for a document: an ed25519 signature over its bytes, whose key is named. */
export interface Signature {
  readonly schema: "cloche.signature/1";
  readonly algorithm: "ed25519";
  /** The sha256 of the public key (SPKI, DER): which key it is, not that it is to be trusted. */
  readonly key: string;
  /** 64 bytes in base64. */
  readonly value: string;
}

export interface Verifier {
  readonly key: string;
  /** Whether this key's holder signed exactly these bytes. */
  accepts(bytes: Uint8Array, signature: Signature): boolean;
}

/** Holds a private key and gives it to nobody. */
export interface Signer extends Verifier {
  sign(bytes: Uint8Array): Signature;
}

export const signatureSchema: z.ZodType<Signature> = z.strictObject({
  schema: z.literal("cloche.signature/1"),
  algorithm: z.literal("ed25519"),
  key: z.string().regex(/^[0-9a-f]{64}$/, "must be a sha256 in hexadecimal"),
  value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, "must be 64 bytes in base64"),
});

/** The file of a signature. */
export function signatureText(signature: Signature): string {
  return `${canonicalJson(signature)}\n`;
}

/** From a private key in PEM. @throws Fault `store/signing-key-unusable` */
export function openSigner(pem: string): Signer {
  const secret = parsed(() => createPrivateKey(pem), "private");
  const verifier = verifierOf(createPublicKey(secret));
  const { key } = verifier;
  return {
    ...verifier,
    sign: (bytes) => ({
      schema: "cloche.signature/1",
      algorithm: "ed25519",
      key,
      value: sign(null, bytes, secret).toString("base64"),
    }),
  };
}

/** From a public key in PEM. @throws Fault `store/signing-key-unusable` */
export function openVerifier(pem: string): Verifier {
  // Node would take a private key as well; whoever hands one to a verifier has mixed up the files.
  const isPrivate = pem.includes("PRIVATE KEY");
  const open = parsed(() => {
    if (isPrivate) throw new Error("it is a private key");
    return createPublicKey(pem);
  }, "public");
  return verifierOf(open);
}

function verifierOf(open: KeyObject): Verifier {
  const key = keyId(open);
  return {
    key,
    accepts: (bytes, signature) =>
      signature.key === key && verify(null, bytes, open, Buffer.from(signature.value, "base64")),
  };
}

export interface SigningPair {
  readonly key: string;
  /** PKCS 8, in PEM. */
  readonly privatePem: string;
  /** SPKI, in PEM. */
  readonly publicPem: string;
}

export function newSigningPair(): SigningPair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    key: keyId(publicKey),
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
}

/** A grade of a bundle that was made later, and who vouches for it. */
export interface SignedRegrade {
  readonly schema: "cloche.regrade/1";
  /** The bundle's id: a grade alone does not say of which rollout it is. */
  readonly bundle: string;
  readonly grade: Grade;
  readonly signature: Signature;
}

/** Whoever asks for this has verified that the bundle itself is vouched for. */
export function signRegrade(bundle: string, grade: Grade, signer: Signer): SignedRegrade {
  const signature = signer.sign(regradeBytes(bundle, grade));
  return { schema: "cloche.regrade/1", bundle, grade, signature };
}

/** What is signed of a regrade: its canonical JSON without the signature. */
export function regradeBytes(bundle: string, grade: Grade): Buffer {
  return Buffer.from(canonicalJson({ schema: "cloche.regrade/1", bundle, grade }));
}

function parsed(open: () => KeyObject, kind: "private" | "public"): KeyObject {
  let key: KeyObject;
  try {
    key = open();
  } catch (error) {
    const message = `the ${kind} key cannot be read (${messageOf(error)}): give an ed25519 key in PEM`;
    throw storeFault("signing-key-unusable", message, { cause: error });
  }
  if (key.asymmetricKeyType === "ed25519") return key;
  const message = `the ${kind} key is of the kind ${key.asymmetricKeyType}: give an ed25519 key in PEM`;
  throw storeFault("signing-key-unusable", message);
}

function keyId(key: KeyObject): string {
  return sha256(key.export({ type: "spki", format: "der" }));
}
