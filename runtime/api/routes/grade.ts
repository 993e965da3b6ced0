import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createRoute, z } from "@hono/zod-openapi";
import { draftName, removeDraft } from "../../base/draft.ts";
import { Fault } from "../../base/fault.ts";
import { gradeBytes } from "../../grading/grade-run.ts";
import type { Bundle } from "../../store/bundle.ts";
import { openBundle } from "../../store/bundle-reader.ts";
import { signRegrade } from "../../store/signature.ts";
import { failures, jsonAnswer } from "../answer.ts";
import type { ApiApp, ApiParts } from "../api-parts.ts";
import { TAR_TYPE, withoutStalls } from "../body.ts";
import { receiveBundle } from "../bundle-archive.ts";
import { apiFault } from "../faults.ts";
import { gradeBody, gradeQuery } from "../requests.ts";
import { regradeSchema } from "../schemas.ts";
import { Slots } from "../slots.ts";
import { admitUpload, isVouchedFor } from "../uploaded-bundle.ts";
import { bundleOf } from "./evidence.ts";

const MOST = 10;

const grade = createRoute({
  method: "post",
  path: "/v1/grade",
  tags: ["evidence"],
  summary: "Grade a bundle again",
  description:
    "One of your ended rollouts, or an archive as GET …/bundle gives it. One that the service has not " +
    "made is graded only if a key that it trusts has signed it, or for a key that may grade:foreign, " +
    "and then in images and within limits of the service's own.",
  request: {
    query: gradeQuery,
    body: {
      content: {
        "application/json": { schema: gradeBody },
        "application/x-tar": { schema: z.string().openapi({ format: "binary" }) },
      },
      required: false,
    },
  },
  responses: { 200: jsonAnswer(regradeSchema, "Graded; nothing is stored."), ...failures },
});

type Which = "recorded" | "current";
type RolloutRequest = z.infer<typeof gradeBody>;

/** Grades what a rollout left, from its bundle alone, as often as one likes. */
export function addGrade(app: ApiApp, parts: ApiParts): void {
  const { service, data } = parts;
  const slots = new Slots(MOST);
  app.openapi(grade, async (c) => {
    const { signal } = c.req.raw;
    const { grader: asked = "recorded" } = c.req.valid("query");
    using _place = slots.enter();
    if (!TAR_TYPE.test(c.req.header("content-type") ?? "")) {
      const { rollout, grader = asked } = requestOf(c.req.valid("json") as Partial<RolloutRequest>);
      const folder = join(data.bundles, bundleOf(await service.view(rollout, c.get("caller"))));
      return c.json(await gradeAgain(await openBundle(folder), grader, parts, signal), 200);
    }
    const folder = join(data.cache, draftName());
    try {
      await mkdir(folder);
      await receiveBundle(withoutStalls(c.req.raw.body), folder);
      const bundle = await admitUpload(await openBundle(folder), c.get("caller"), parts);
      return c.json(await gradeAgain(bundle, asked, parts, signal), 200);
    } catch (error) {
      throw ofUpload(error, folder);
    } finally {
      await removeDraft(folder);
    }
  });
}

/** A body that is not required is an empty object where there is none. */
function requestOf({ rollout, grader }: Partial<RolloutRequest>): RolloutRequest {
  if (rollout !== undefined) return { rollout, grader };
  throw apiFault("bad-request", "body: name a rollout, or send a bundle as application/x-tar");
}

async function gradeAgain(
  bundle: Bundle,
  which: Which,
  { service, signer }: Pick<ApiParts, "service" | "signer">,
  signal: AbortSignal,
) {
  const grade = await service.regrade(bundle, which, signal);
  const recorded = bundle.grade;
  const same = recorded && gradeBytes(recorded).equals(gradeBytes(grade));
  // A grade of a bundle that somebody made up is not signed.
  const signature =
    signer && (await isVouchedFor(bundle, [signer]))
      ? signRegrade(bundle.id, grade, signer).signature
      : null;
  return { rollout: bundle.manifest.rollout, bundle: bundle.id, grade, recorded, same, signature };
}

/** What is wrong with an upload is its sender's doing, and its folder here is nobody's business. */
function ofUpload(error: unknown, folder: string): unknown {
  if (!(error instanceof Fault)) return error;
  if (error.code !== "store/bundle-altered" && error.code !== "store/bundle-missing") return error;
  const message = error.message.replaceAll(folder, "as uploaded");
  return apiFault("upload-refused", message, { cause: error });
}
