import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createRoute, z } from "@hono/zod-openapi";
import type { RolloutView } from "../../service/service.ts";
import { STEPS } from "../../store/bundle-layout.ts";
import { stepsFile } from "../../store/kept-steps.ts";
import { failures } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { bundleArchive } from "../bundle-archive.ts";
import { apiFault } from "../faults.ts";
import { afterQuery, idParams, noQuery } from "../requests.ts";

const TAGS = ["evidence"];
const NDJSON = "application/x-ndjson";
const TAR = "application/x-tar";
const NEWLINE = 0x0a;

const steps = createRoute({
  method: "get",
  path: "/v1/rollouts/{id}/steps",
  tags: TAGS,
  summary: "Read the steps so far",
  description:
    "One Step a line, in the order in which the calls ended. `after` is how many lines you have.",
  request: { params: idParams, query: afterQuery },
  responses: {
    200: { description: "Lines of JSON.", content: { [NDJSON]: { schema: z.string() } } },
    ...failures,
  },
});

const bundle = createRoute({
  method: "get",
  path: "/v1/rollouts/{id}/bundle",
  tags: TAGS,
  summary: "Take the bundle: all that the grade rests on",
  request: { params: idParams, query: noQuery },
  responses: {
    200: {
      description: "A tar archive; `POST /v1/grade` takes it back.",
      content: { [TAR]: { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...failures,
  },
});

/** What a rollout leaves, while it is under way and afterwards. */
export function addEvidence(app: ApiApp, { service, data }: ApiParts): void {
  app.openapi(steps, async (c) => {
    const { id } = c.req.valid("param");
    const { after = 0 } = c.req.valid("query");
    await service.view(id, c.get("caller"));
    const live = await openIfThere(join(data.rollouts, id, STEPS));
    // Looked at only now: if it ended in between, its folder is gone and its steps are kept elsewhere.
    const { record } = await service.view(id, c.get("caller"));
    const isKept = live === undefined && record !== null;
    const file = isKept ? await openIfThere(stepsFile(data, record)) : live;
    const lines = Readable.from(file === undefined ? [] : linesAfter(file, after));
    lines.once("close", () => file?.close().catch(() => {})); // Also if nobody began to read.
    const answer = c.body(Readable.toWeb(lines) as ReadableStream, 200, { "content-type": NDJSON });
    return answer as never; // The router has no type for lines of JSON.
  });
  app.openapi(bundle, async (c) => {
    const view = await service.view(c.req.valid("param").id, c.get("caller"));
    const { stream, bytes } = await bundleArchive(join(data.bundles, bundleOf(view)));
    c.header("content-type", TAR);
    c.header("content-length", String(bytes));
    c.header("content-disposition", `attachment; filename="cloche-${view.id}.tar"`);
    return c.body(Readable.toWeb(stream) as ReadableStream, 200);
  });
}

/** @throws `api/not-ended` or `api/no-bundle` */
export function bundleOf({ id, phase, record }: RolloutView): string {
  if (record?.bundle) return record.bundle;
  if (record === null) {
    const detail = { phase };
    throw apiFault("not-ended", `rollout ${id} is in phase ${phase}; finish it first`, { detail });
  }
  const what = `rollout ${id} ended as ${record.outcome} and left no bundle`;
  throw apiFault("no-bundle", `${what}; GET /v1/rollouts/${id}/steps has the steps that it left`);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole lines only: the last one of a file that is being written may be there in part. */
async function* linesAfter(file: FileHandle, after: number): AsyncGenerator<Buffer> {
  let passed = 0;
  let rest: Buffer[] = [];
  for await (const chunk of file.createReadStream() as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      rest.push(chunk.subarray(from, at + 1));
      if (passed++ >= after) yield Buffer.concat(rest);
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}
