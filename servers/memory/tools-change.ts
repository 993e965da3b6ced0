import * as z from "zod";
import { type Tool, tool } from "../kit/tool.ts";
import { ToolError } from "../kit/tool-error.ts";
import {
  type Entity,
  type GraphFile,
  plainEntity,
  plainRelation,
  type Relation,
} from "./graph-file.ts";
import { ENTITY, RELATION } from "./shapes.ts";

const ADDS = { readOnly: false } as const;
const REMOVES = { readOnly: false, destructive: true, idempotent: true } as const;
const DONE = z.object({ success: z.boolean(), message: z.string() });

export function changeTools(file: GraphFile): Tool[] {
  return [
    createEntities(file),
    createRelations(file),
    addObservations(file),
    deleteEntities(file),
    deleteObservations(file),
    deleteRelations(file),
  ];
}

function createEntities(file: GraphFile): Tool {
  return tool({
    name: "create_entities",
    title: "Create Entities",
    description: "Create multiple new entities in the knowledge graph",
    input: z.object({ entities: z.array(ENTITY) }),
    output: z.object({ entities: z.array(ENTITY) }),
    hints: ADDS,
    run: async ({ entities }) =>
      await file.change((graph) => {
        const added = withoutKnown(entities, graph.entities, ({ name }) => name).map(plainEntity);
        const all = [...graph.entities, ...added];
        return { graph: { ...graph, entities: all }, answer: shown(added, { entities: added }) };
      }),
  });
}

function createRelations(file: GraphFile): Tool {
  return tool({
    name: "create_relations",
    title: "Create Relations",
    description:
      "Create multiple new relations between entities in the knowledge graph. Relations should be in active voice",
    input: z.object({ relations: z.array(RELATION) }),
    output: z.object({ relations: z.array(RELATION) }),
    hints: ADDS,
    run: async ({ relations }) =>
      await file.change((graph) => {
        const added = withoutKnown(relations, graph.relations, keyOf).map(plainRelation);
        const all = [...graph.relations, ...added];
        return { graph: { ...graph, relations: all }, answer: shown(added, { relations: added }) };
      }),
  });
}

function addObservations(file: GraphFile): Tool {
  const result = z.object({ entityName: z.string(), addedObservations: z.array(z.string()) });
  return tool({
    name: "add_observations",
    title: "Add Observations",
    description: "Add new observations to existing entities in the knowledge graph",
    input: z.object({
      observations: z.array(
        z.object({
          entityName: z.string().describe("The name of the entity to add the observations to"),
          contents: z.array(z.string()).describe("An array of observation contents to add"),
        }),
      ),
    }),
    output: z.object({ results: z.array(result) }),
    hints: ADDS,
    run: async ({ observations }) =>
      await file.change((graph) => {
        const entities = [...graph.entities];
        const results = observations.map(({ entityName, contents }) => {
          const at = entities.findIndex(({ name }) => name === entityName);
          const entity = entities[at];
          if (entity === undefined) throw new ToolError(`Entity with name ${entityName} not found`);
          const addedObservations = withoutKnown(contents, entity.observations, (text) => text);
          entities[at] = {
            ...entity,
            observations: [...entity.observations, ...addedObservations],
          };
          return { entityName, addedObservations };
        });
        return { graph: { ...graph, entities }, answer: shown(results, { results }) };
      }),
  });
}

function deleteEntities(file: GraphFile): Tool {
  return tool({
    name: "delete_entities",
    title: "Delete Entities",
    description: "Delete multiple entities and their associated relations from the knowledge graph",
    input: z.object({
      entityNames: z.array(z.string()).describe("An array of entity names to delete"),
    }),
    output: DONE,
    hints: REMOVES,
    run: async ({ entityNames }) =>
      await file.change((graph) => {
        const isNamed = (name: string) => entityNames.includes(name);
        const missing = entityNames.filter(
          (name) => !graph.entities.some((one) => one.name === name),
        );
        const entities = graph.entities.filter(({ name }) => !isNamed(name));
        const relations = graph.relations.filter(({ from, to }) => !isNamed(from) && !isNamed(to));
        return { graph: { entities, relations }, answer: done("Entities", missing) };
      }),
  });
}

function deleteObservations(file: GraphFile): Tool {
  return tool({
    name: "delete_observations",
    title: "Delete Observations",
    description: "Delete specific observations from entities in the knowledge graph",
    input: z.object({
      deletions: z.array(
        z.object({
          entityName: z.string().describe("The name of the entity containing the observations"),
          observations: z.array(z.string()).describe("An array of observations to delete"),
        }),
      ),
    }),
    output: DONE,
    hints: REMOVES,
    run: async ({ deletions }) =>
      await file.change((graph) => {
        const missing: string[] = [];
        const entities = [...graph.entities];
        for (const { entityName, observations } of deletions) {
          const at = entities.findIndex(({ name }) => name === entityName);
          const entity = entities[at];
          const unknown = observations.filter((text) => !entity?.observations.includes(text));
          missing.push(...(entity === undefined ? [entityName] : unknown));
          if (entity === undefined) continue;
          const kept = entity.observations.filter((text) => !observations.includes(text));
          entities[at] = { ...entity, observations: kept };
        }
        return { graph: { ...graph, entities }, answer: done("Observations", missing) };
      }),
  });
}

function deleteRelations(file: GraphFile): Tool {
  return tool({
    name: "delete_relations",
    title: "Delete Relations",
    description: "Delete multiple relations from the knowledge graph",
    input: z.object({ relations: z.array(RELATION).describe("An array of relations to delete") }),
    output: DONE,
    hints: REMOVES,
    run: async ({ relations }) =>
      await file.change((graph) => {
        const [named, known] = [relations.map(keyOf), graph.relations.map(keyOf)];
        const missing = relations.filter((relation) => !known.includes(keyOf(relation)));
        const kept = graph.relations.filter((relation) => !named.includes(keyOf(relation)));
        const shownMissing = missing.map(
          ({ from, to, relationType }) => `${from} ${relationType} ${to}`,
        );
        return { graph: { ...graph, relations: kept }, answer: done("Relations", shownMissing) };
      }),
  });
}

function keyOf({ from, to, relationType }: Relation): string {
  return JSON.stringify([from, to, relationType]);
}

/** Those that are not there yet, each once. */
function withoutKnown<T>(wanted: readonly T[], there: readonly T[], key: (one: T) => string): T[] {
  const known = new Set(there.map(key));
  return wanted.filter((one) => {
    if (known.has(key(one))) return false;
    known.add(key(one));
    return true;
  });
}

function shown<Data>(listed: readonly (Entity | Relation | object)[], data: Data) {
  return { text: JSON.stringify(listed, null, 2), data };
}

/** Says what was not there to be deleted, so that nobody takes a slip for a deletion. */
function done(what: "Entities" | "Observations" | "Relations", missing: readonly string[]) {
  const list = [...new Set(missing)].slice(0, 20).map((one) => JSON.stringify(one.slice(0, 100)));
  const rest = missing.length === 0 ? "" : `; there was no ${list.join(", ")}`;
  const message = `${what} deleted successfully${rest}`;
  return { text: message, data: { success: true, message } };
}
