import { readFile, stat } from "node:fs/promises";
import { messageOf } from "../base/fault.ts";
import { openSigner, openVerifier, type Signer, type Verifier } from "../store/signature.ts";
import { cliFault } from "./faults.ts";

/**
 * The signer of --signing-key, else of CLOCHE_SIGNING_KEY: the path of an ed25519 key in PEM.
 * Undefined without either: then nothing is signed. A key that everybody on this machine may read
 * vouches for nothing and is refused.
 */
export async function signerOf(
  option: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Signer | undefined> {
  const path = option ?? env["CLOCHE_SIGNING_KEY"];
  if (path === undefined || path === "") return undefined;
  const pem = await readKey(path);
  const { mode } = await stat(path);
  if ((mode & 0o007) !== 0) {
    const message = `everybody may read or write the signing key ${path}: chmod 600 ${path}`;
    throw cliFault("bad-key-file", message);
  }
  return openSigner(pem);
}

/** The verifier of a public key's file. */
export async function verifierOf(path: string): Promise<Verifier> {
  return openVerifier(await readKey(path));
}

async function readKey(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const message = `the key file ${path} cannot be read: ${messageOf(error)}`;
    throw cliFault("bad-key-file", message, { cause: error });
  }
}
