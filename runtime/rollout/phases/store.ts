import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault, messageOf } from "../../base/fault.ts";
import { VERSION } from "../../base/version.ts";
import type { Grade } from "../../grading/grade.ts";
import { type BundleContents, writeBundle } from "../../store/bundle-writer.ts";
import { keepSteps, settleSteps } from "../../store/kept-steps.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { layeredBlobs } from "../../workspace/blob-source.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { type Evidence, egressIn, graderContext, stateOf } from "../evidence.ts";
import { rolloutFault } from "../faults.ts";
import type { RolloutParts } from "../parts.ts";
import { type Premises, premisesOf } from "../premises.ts";
import { noted, type Run } from "../run.ts";

/** From when on an agent could have called a tool there are steps, and so a bundle. */
export async function store(run: Run): Promise<void> {
  const { spec, parts, writer, evidence } = run;
  try {
    const steps = await settleSteps(evidence.folder);
    if (steps === undefined) return;
    writer.note({ steps });
    const record = { ...writer.record, outcome: writer.outcome };
    writer.note({ bundle: await storeEvidence(await premisesOf(spec), parts, record, evidence) });
  } catch (error) {
    const message = `the bundle of ${spec.id} was not written: ${messageOf(error)}`;
    const unstored = () => rolloutFault("storing-failed", message, { cause: error });
    writer.fail(error instanceof Fault ? error : unstored());
  }
  if (writer.record.bundle !== null) return;
  await keepSteps(parts.data, spec.id).catch(noted(run, "steps could not be kept"));
}

/** Writes the bundle of a rollout, however it ended; what was not captured or graded is not in it. */
export async function storeEvidence(
  premises: Premises,
  { data, signer }: Pick<RolloutParts, "data" | "signer">,
  record: RolloutRecord,
  evidence: Evidence,
): Promise<string> {
  const egress = await egressIn(premises, evidence);
  const { before, graderFiles, taskToml, instruction, expected } = premises;
  const contents: BundleContents = {
    facts: bundleFacts(record, premises),
    stepsFile: join(evidence.folder, "steps.jsonl"),
    wireFile: join(evidence.folder, "wire.jsonl"),
    ...(egress ? { egress } : {}),
    before,
    ...(evidence.after ? { after: evidence.after, ...stateOf(premises, evidence) } : {}),
    ...{ graderFiles, taskToml, instruction, expected },
    context: graderContext(premises, record.ending, egress),
    grade: standingGrade(record, evidence),
    logs: await logFiles(evidence),
  };
  const blobs = layeredBlobs(evidence.blobs, new BlobFolder(data.blobs));
  return (await writeBundle(data.bundles, contents, blobs, signer)).id;
}

/** A reward is void if the rollout failed after it was known. */
function standingGrade({ outcome }: RolloutRecord, { grade }: Evidence): Grade | null {
  return grade && (outcome === "graded" || grade.reward === null) ? grade : null;
}

async function logFiles({ folder, logs = {} }: Evidence): Promise<Record<string, string>> {
  const written = Object.entries(logs).filter(([, text]) => text !== "");
  const files = written.map(async ([server, text]) => {
    const file = join(folder, `${server}.stderr`);
    await writeFile(file, text);
    return [server, file] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

function bundleFacts(record: RolloutRecord, { criteria }: Premises): BundleContents["facts"] {
  const { id, task, variant, policy, ending, steps, requestedAt, reachedMs } = record;
  const { limits, budget, images, engine, identity, surface } = record;
  return {
    rollout: id,
    task,
    variant,
    policy,
    outcome: record.outcome ?? "graded",
    ending,
    steps,
    requestedAt,
    reachedMs,
    limits,
    budget,
    images,
    engine: engine ?? "",
    identity,
    surface,
    criteria,
    versions: { cloche: VERSION, node: process.version },
  };
}
