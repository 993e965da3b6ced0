import { hash } from "node:crypto";

/** sha256 in lower-case hexadecimal, 64 letters. */
export function sha256(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}
