import type { Surface } from "../kit/surface.ts";
import { Files } from "./files.ts";
import { Places } from "./places.ts";
import { listTools } from "./tools-list.ts";
import { readTools } from "./tools-read.ts";
import { writeTools } from "./tools-write.ts";

/** Files of the workspace, with the tools of `@modelcontextprotocol/server-filesystem`. */
export const filesystemSurface: Surface = ({ workspace }) => {
  const files = new Files(new Places(workspace.root), workspace);
  return {
    name: "filesystem",
    title: "Files",
    instructions: "",
    tools: [...readTools(files), ...writeTools(files), ...listTools(files)],
  };
};
