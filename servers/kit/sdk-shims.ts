// Stands for `@modelcontextprotocol/server/_shims` in the bundle (bundles.ts).
import process from "node:process";

export { process };

/** The SDK makes one for each server, for the answers to forms that a server shows its user. */
export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new Error("servers here show no forms");
  }
}
