import { release } from "node:os";
import { confinedContract } from "../contract/engine/confined.ts";
import { isolationContract } from "../contract/engine/isolation.ts";
import { programContract } from "../contract/engine/programs.ts";
import { engineContract, runEngineContract } from "../contract/engine.ts";
import { openTestEngine } from "../support/engine.ts";
import { IS_SLOW } from "../support/slow.ts";

// What a profile changes is what programs may do.
const usual = IS_SLOW ? engineContract : { ...programContract, ...isolationContract };
// Landlock bounds signals and abstract sockets since Linux 6.12.
const [major = 0, minor = 0] = release().split(".").map(Number);
const confines = major > 6 || (major === 6 && minor >= 12) ? confinedContract : {};
const open = () => openTestEngine({ profile: "strict" });
runEngineContract("docker, with the strict profile", open, {
  contract: { ...usual, ...confines },
});
