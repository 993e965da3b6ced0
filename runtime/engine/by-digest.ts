import type { Engine, SandboxSpec } from "./engine.ts";
import { engineFault } from "./faults.ts";

const DIGEST = /^(?:[^\s@]+@)?sha256:[0-9a-f]{64}$/;

/** Whether this names an image by its content, so that it can never be another one tomorrow. */
export function isDigest(image: string): boolean {
  return DIGEST.test(image);
}

/**
 * The engine, but for sandboxes of images that are not named by their digest: those it refuses with
 * `engine/spec-refused`, whoever asks. Disposing it leaves the engine itself open.
 */
export function digestsOnly(engine: Engine): Engine {
  return {
    name: engine.name,
    images: engine.images,
    holdings: engine.holdings,
    check: (options) => engine.check(options),
    find: (owner, options) => engine.find(owner, options),
    create: async (spec, options) => {
      requireDigests(spec);
      return await engine.create(spec, options);
    },
    attach: (found, options) => engine.attach(found, options),
    remove: (found, options) => engine.remove(found, options),
    hostAddresses: (options) => engine.hostAddresses(options),
    [Symbol.asyncDispose]: async () => {},
  };
}

function requireDigests({ id, image, keeper, outlet }: SandboxSpec): void {
  const images = [image, keeper?.image ?? image, outlet?.image ?? image];
  const named = images.find((one) => !isDigest(one));
  if (named === undefined) return;
  const message =
    `sandbox "${id}": image "${named}" is not named by its digest (sha256:…), as this ` +
    "deployment demands";
  throw engineFault("spec-refused", message, { detail: { image: named } });
}
