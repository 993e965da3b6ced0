import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { ToolError } from "../kit/tool-error.ts";

export interface Entity {
  readonly name: string;
  readonly entityType: string;
  readonly observations: string[];
}

export interface Relation {
  readonly from: string;
  readonly to: string;
  readonly relationType: string;
}

export interface Graph {
  readonly entities: readonly Entity[];
  readonly relations: readonly Relation[];
}

/** Lines of the file that are neither entity nor relation; they stay as they are. */
interface StoredGraph extends Graph {
  readonly others: readonly string[];
}

/**
 * The graph in its file: one JSON object a line, entities first. One change at a time: each reads what
 * the one before it wrote, and writes the file whole or not at all.
 */
export class GraphFile {
  readonly #path: () => Promise<string>;
  #last: Promise<unknown> = Promise.resolve();

  /** `path` is asked for when the file is used; its folder exists. */
  constructor(path: () => Promise<string>) {
    this.#path = path;
  }

  async read(): Promise<Graph> {
    const { entities, relations } = await load(await this.#path());
    return { entities: entities.map(plainEntity), relations: relations.map(plainRelation) };
  }

  /** `work` says what the graph becomes and what is answered; undefined: it stays as it is. */
  async change<T>(
    work: (graph: Graph) => { readonly graph?: Graph; readonly answer: T },
  ): Promise<T> {
    const mine = this.#last.then(async () => {
      const path = await this.#path();
      const stored = await load(path);
      const { graph, answer } = work(stored);
      if (graph !== undefined) await save(path, { ...graph, others: stored.others });
      return answer;
    });
    this.#last = mine.catch(() => {});
    return await mine;
  }
}

async function load(path: string): Promise<StoredGraph> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const [entities, relations, others]: [Entity[], Relation[], string[]] = [[], [], []];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const item = parsed(line, at + 1);
    if (isEntity(item)) entities.push(item);
    else if (isRelation(item)) relations.push(item);
    else others.push(line);
  }
  return { entities, relations, others };
}

function parsed(line: string, at: number): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new ToolError(`The memory's file is damaged: line ${at} is not JSON.`, { cause: error });
  }
}

function isEntity(item: Readonly<Record<string, unknown>> | null): item is typeof item & Entity {
  const isIt = item?.["type"] === "entity" && typeof item["name"] === "string";
  return isIt && typeof item["entityType"] === "string" && Array.isArray(item["observations"]);
}

function isRelation(
  item: Readonly<Record<string, unknown>> | null,
): item is typeof item & Relation {
  const isIt = item?.["type"] === "relation" && typeof item["from"] === "string";
  return isIt && typeof item["to"] === "string" && typeof item["relationType"] === "string";
}

export function plainEntity({ name, entityType, observations }: Entity): Entity {
  return { name, entityType, observations };
}

export function plainRelation({ from, to, relationType }: Relation): Relation {
  return { from, to, relationType };
}

/** Members of ours come first, whatever else an item holds. */
async function save(path: string, { entities, relations, others }: StoredGraph): Promise<void> {
  const lines = [
    ...entities.map((entity) => {
      return JSON.stringify({ type: "entity", ...plainEntity(entity), ...entity });
    }),
    ...relations.map((relation) => {
      return JSON.stringify({ type: "relation", ...plainRelation(relation), ...relation });
    }),
    ...others,
  ];
  const draft = `${path}.${randomBytes(8).toString("hex")}.draft`;
  try {
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(lines.join("\n"));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw new ToolError("The memory is full: nothing was changed. Delete what is not needed.", {
      cause: error,
    });
  }
}
