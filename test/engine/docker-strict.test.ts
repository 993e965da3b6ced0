import { isolationContract } from "../contract/engine/isolation.ts";
import { programContract } from "../contract/engine/programs.ts";
import { runEngineContract } from "../contract/engine.ts";
import { openTestEngine } from "../support/engine.ts";
import { IS_SLOW } from "../support/slow.ts";

// What a profile changes is what programs may do.
const slice = { contract: { ...programContract, ...isolationContract } };
const open = () => openTestEngine({ profile: "strict" });
runEngineContract("docker, with the strict profile", open, IS_SLOW ? {} : slice);
