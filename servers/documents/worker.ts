// The child process in which documents are parsed; started by engine.ts. Gets jobs one by one, each
// with all the bytes that it needs, and answers each.
import { ToolError } from "../kit/tool-error.ts";
import type { Reply, Request } from "./engine.ts";
import { JOBS } from "./jobs.ts";

// pdf.js warns, each time, that it cannot draw; it is not asked to.
Object.assign(console, { warn: () => {} });
process.on("disconnect", () => process.exit(0));
process.on("message", (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});

async function answer({ id, job, input }: Request): Promise<Reply> {
  try {
    const work = await JOBS[job]?.();
    if (work === undefined) throw new Error(`there is no job ${job}`);
    return { id, result: await work(input as never) };
  } catch (error) {
    if (error instanceof ToolError) return { id, mistake: error.message };
    if (error instanceof RangeError && /call stack/.test(error.message)) {
      return { id, mistake: "The file is nested more deeply than a document is; it is unchanged." };
    }
    process.stderr.write(`${job}: ${error instanceof Error ? error.stack : String(error)}\n`);
    return { id, bug: error instanceof Error ? error.message : String(error) };
  }
}
