import * as z from "zod";
import { loadPeople } from "../../kit/people/people.ts";
import type { World } from "../../kit/surface.ts";
import { type Answer, type Call, type Tool, type ToolHints, tool } from "../../kit/tool.ts";
import { ToolError } from "../../kit/tool-error.ts";
import type { Engine, JobResult } from "../engine.ts";
import { LIMITS } from "../limits.ts";

/** What the tools of this surface work with. */
export interface DocumentParts {
  readonly world: World;
  readonly engine: Engine;
}

export const pathField = (example: string) =>
  z.string().min(1).max(1_000).describe(`File in the workspace, such as ${example}`);

export const cursorField = z
  .string()
  .max(20)
  .regex(/^L?\d+$/)
  .optional()
  .describe("next_cursor of the answer before, for what follows");

export const trackedField = z
  .boolean()
  .optional()
  .describe("Make it a tracked change. Default: as the document is set");

export const shared = {
  path: z.string(),
  next_cursor: z.string().optional(),
};

interface Spec<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly hints: ToolHints;
}

interface Targets {
  /** The file that is read, if one is. */
  readonly from?: string;
  /** The file that is written, if one is. */
  readonly to?: string;
  readonly overwrite?: boolean;
}

/** A tool whose work is the job of its name: read a file, let the engine work, write the result. */
export function documentTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  parts: DocumentParts,
  spec: Spec<Input, Output>,
  targets: (input: z.output<Input>) => Targets,
): Tool {
  const run = async (input: z.output<Input>, call: Call) => {
    const { from, to, overwrite = true } = targets(input);
    const { workspace } = parts.world;
    const author = to === undefined ? "" : await authorOf(parts.world);
    const work = async (): Promise<JobResult> => {
      const read =
        from === undefined ? undefined : await workspace.read(from, { maxBytes: LIMITS.fileBytes });
      if (to !== undefined && !overwrite && (await workspace.has(to))) throw isThere(to);
      const path = from === undefined ? workspace.relative(to ?? "") : workspace.relative(from);
      const facts = { bytes: read?.bytes, now: new Date().toISOString(), author, path };
      const places = to === undefined ? {} : { to: workspace.relative(to) };
      const result = await parts.engine.run(
        spec.name,
        { ...input, ...facts, ...places },
        call.signal,
      );
      if (result.file !== undefined && to !== undefined) {
        await workspace.write(to, result.file, { overwrite });
      }
      return result;
    };
    const result = to === undefined ? await work() : await workspace.exclusively(to, work);
    return answer(result) as Omit<Answer, "data"> & { data: z.input<Output> };
  };
  return tool({ ...spec, run });
}

function answer({ text, data }: JobResult): Answer {
  return { text, data };
}

function isThere(path: string): ToolError {
  return new ToolError(
    `${path} is there already. Choose another name, or set "overwrite": true to replace it.`,
  );
}

/** The name of whom the agent acts for, for comments and tracked changes; a sandbox may have none. */
async function authorOf(world: World): Promise<string> {
  const people = await loadPeople(world).catch((error: unknown) => {
    // Where no server keeps anything there is no folder for it either.
    const isAbsent = error instanceof Error && "code" in error;
    if (error instanceof ToolError || isAbsent) return undefined;
    throw error;
  });
  return people?.me.name ?? "Agent";
}
