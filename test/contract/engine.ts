import { after, before, describe, it } from "node:test";
import { namedId } from "../../runtime/base/id.ts";
import type { Engine, Sandbox, SandboxSpec } from "../../runtime/engine/engine.ts";
import { sandboxImage, smallSpec } from "../support/engine.ts";
import { attachContract } from "./engine/attach.ts";
import { execContract } from "./engine/exec.ts";
import { filesContract } from "./engine/files.ts";
import { hostNamesContract } from "./engine/host-names.ts";
import { imagesContract } from "./engine/images.ts";
import { isolationContract } from "./engine/isolation.ts";
import { lifetimeContract } from "./engine/lifetime.ts";
import { programContract } from "./engine/programs.ts";
import { stateContract } from "./engine/state.ts";

/** What a body of the contract has at hand. */
export interface EngineWorld {
  readonly engine: Engine;
  /** An image for sandboxes that the engine holds: a shell, coreutils and Python are used of it. */
  readonly image: string;
  /** The label of everything that the contract makes. */
  readonly owner: string;
  /** One sandbox for all bodies that leave it as they found it. */
  readonly shared: Sandbox;
  /** The specification of `fresh`, to change or to create by hand. */
  spec(change?: Partial<SandboxSpec>): SandboxSpec;
  /** A sandbox of one's own: `await using box = await world.fresh()`. */
  fresh(change?: Partial<SandboxSpec>): Promise<Sandbox>;
  /** A name for an image, which is removed at the end. */
  newReference(): string;
  readonly references: readonly string[];
}

export type ContractBody = (world: EngineWorld) => Promise<void>;

/** Everything that any engine must do, by sentence. */
export const engineContract: Readonly<Record<string, ContractBody>> = {
  ...execContract,
  ...programContract,
  ...filesContract,
  ...isolationContract,
  ...lifetimeContract,
  ...attachContract,
  ...stateContract,
  ...hostNamesContract,
  ...imagesContract,
};

export interface ContractOptions {
  /** A part of the contract. Default: all of it. */
  readonly contract?: Readonly<Record<string, ContractBody>>;
  /** Sentences that this engine cannot keep, each with the reason that is printed. */
  readonly decline?: Readonly<Record<string, string>>;
}

/** Runs the contract against one engine, and sees that nothing of it is left there afterwards. */
export function runEngineContract(
  name: string,
  makeEngine: () => Promise<Engine>,
  { contract = engineContract, decline = {} }: ContractOptions = {},
): void {
  describe(`${name}, as an engine`, () => {
    let world: EngineWorld;
    before(async () => {
      world = await openWorld(await makeEngine());
    });
    after(async () => {
      const { engine, owner, shared, references } = world;
      await shared[Symbol.asyncDispose]();
      for (const found of await engine.find(owner)) await engine.remove(found);
      for (const reference of references) await engine.images.remove(reference);
      await engine[Symbol.asyncDispose]();
    });
    for (const [title, body] of Object.entries(contract)) {
      it(title, { skip: decline[title] ?? false }, () => body(world));
    }
  });
}

async function openWorld(engine: Engine): Promise<EngineWorld> {
  const owner = namedId("test-contract");
  const image = await sandboxImage(engine);
  const spec = (change?: Partial<SandboxSpec>) => smallSpec(image, owner, change);
  const fresh = (change?: Partial<SandboxSpec>) => engine.create(spec(change));
  const references: string[] = [];
  const newReference = () => {
    const reference = `cloche/test:${namedId("x")}`;
    references.push(reference);
    return reference;
  };
  const shared = await fresh();
  return { engine, image, owner, spec, fresh, shared, newReference, references };
}
