import type { SandboxSpec } from "../engine.ts";
import { type BoxSpec, KEPT_STATE, KEPT_WORKSPACE, type Seal } from "./host-config.ts";
import type { Identity } from "./identity.ts";
import { isGvisor } from "./oci-runtime.ts";
import { partNames, usersLabel } from "./parts.ts";

/** What is asked for and how the engine seals it. */
export type SealedSpec = SandboxSpec & { readonly seal: Seal; readonly outletNetwork: string };

export interface BoxSpecs {
  readonly main: BoxSpec;
  readonly keeper?: BoxSpec;
  readonly outlet?: BoxSpec;
}

/** The boxes of a sandbox, each as a container. */
export function boxSpecs(
  spec: SealedSpec,
  identity: Identity,
  labels: Readonly<Record<string, string>>,
): BoxSpecs {
  const names = partNames(spec.id);
  const { keeper, outlet, state, hostNames = [], seal } = spec;
  const known = (users: readonly string[]) => ({
    users,
    labels: { ...labels, ...usersLabel(identity, users) },
  });
  const main = {
    ...{ name: names.main, image: spec.image, identity, limits: spec.limits },
    ...known(["init", ...spec.users]),
    volumes: [
      { name: names.workspace, path: spec.workspace.path },
      ...(state ? [{ name: names.state, path: state.path }] : []),
    ],
    ...{ kept: [], hostNames, seal },
  };
  const second = keeper && {
    ...{ name: names.keeper, image: keeper.image, identity, limits: keeper.limits },
    ...known(["init", ...keeper.users]),
    volumes: [{ name: names.scratch, path: keeper.scratch.path }],
    kept: [
      { name: names.workspace, path: KEPT_WORKSPACE },
      ...(state ? [{ name: names.state, path: KEPT_STATE }] : []),
    ],
    ...{ hostNames: [], seal },
  };
  const third = outlet && {
    ...{ name: names.outlet, image: outlet.image, identity, limits: outlet.limits },
    ...known(["init", ...outlet.users]),
    ...{ volumes: [], kept: [], hostNames: [], network: spec.outletNetwork },
    seal: { ...seal, runtime: isGvisor(seal.runtime) ? "runc" : seal.runtime },
  };
  return {
    main,
    ...(second ? { keeper: second } : {}),
    ...(third ? { outlet: third } : {}),
  };
}
