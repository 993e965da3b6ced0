import * as z from "zod";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import type { Entity, Graph, GraphFile } from "./graph-file.ts";
import { GRAPH } from "./shapes.ts";

const READS = { readOnly: true } as const;
/** An answer holds the graph twice, and the host passes on no line of more than 9 MiB. */
const ANSWER_BYTES = 4 * 2 ** 20;

export function readTools(file: GraphFile): Tool[] {
  return [
    tool({
      name: "read_graph",
      title: "Read Graph",
      description: "Read the entire knowledge graph",
      input: z.object({}),
      output: GRAPH,
      hints: READS,
      run: async () => shown(await file.read()),
    }),
    tool({
      name: "search_nodes",
      title: "Search Nodes",
      description: "Search for nodes in the knowledge graph based on a query",
      input: z.object({
        query: z
          .string()
          .describe(
            "The search query to match against entity names, types, and observation content",
          ),
      }),
      output: GRAPH,
      hints: READS,
      run: async ({ query }) => {
        const wanted = query.toLowerCase();
        const isIn = (text: string) => text.toLowerCase().includes(wanted);
        return shown(
          part(await file.read(), ({ name, entityType, observations }) => {
            return isIn(name) || isIn(entityType) || observations.some(isIn);
          }),
        );
      },
    }),
    tool({
      name: "open_nodes",
      title: "Open Nodes",
      description: "Open specific nodes in the knowledge graph by their names",
      input: z.object({
        names: z.array(z.string()).describe("An array of entity names to retrieve"),
      }),
      output: GRAPH,
      hints: READS,
      run: async ({ names }) => shown(part(await file.read(), ({ name }) => names.includes(name))),
    }),
  ];
}

/** Some entities, with all relations that one of them is an end of. */
function part({ entities, relations }: Graph, isWanted: (entity: Entity) => boolean): Graph {
  const found = entities.filter(isWanted);
  const names = new Set(found.map(({ name }) => name));
  return {
    entities: found,
    relations: relations.filter(({ from, to }) => names.has(from) || names.has(to)),
  };
}

function shown({ entities, relations }: Graph) {
  const data = {
    entities: entities.map((entity) => ({ ...entity, observations: [...entity.observations] })),
    relations: [...relations],
  };
  const text = JSON.stringify(data, null, 2);
  if (Buffer.byteLength(JSON.stringify(text)) <= ANSWER_BYTES) return { text, data };
  throw new ToolError(
    `The answer would have more than ${ANSWER_BYTES / 2 ** 20} MiB. ` +
      "Ask for less with search_nodes or open_nodes.",
  );
}
