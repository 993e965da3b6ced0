import { runEngineContract } from "../contract/engine.ts";
import { openTestEngine } from "../support/engine.ts";

runEngineContract("docker, with the strict profile", () => openTestEngine({ profile: "strict" }));
