import type { Surface } from "../kit/surface.ts";
import { GraphFile } from "./graph-file.ts";
import { changeTools } from "./tools-change.ts";
import { readTools } from "./tools-read.ts";

/** A graph of what was learnt, with the tools of `@modelcontextprotocol/server-memory`. */
export const memorySurface: Surface = (world) => {
  const file = new GraphFile(async () => `${await world.stateOf("memory")}/memory.jsonl`);
  return {
    name: "memory",
    title: "Memory",
    instructions: "",
    tools: [...changeTools(file), ...readTools(file)],
  };
};
