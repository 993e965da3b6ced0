import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import { Fault, messageOf } from "../base/fault.ts";
import { sha256 } from "../base/hash.ts";
import { rewardOf } from "../grading/reward.ts";
import {
  DOCUMENT_BYTES_MAX,
  GRADE,
  MANIFEST,
  MANIFEST_BYTES_MAX,
  SEAL,
  STEPS,
  sealText,
} from "./bundle-layout.ts";
import { checkPart, readPart } from "./bundle-parts.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";
import { criterionMark } from "./marks.ts";
import { gradeSchema } from "./schemas.ts";
import { stepLines } from "./step-lines.ts";

/** One thing in a bundle that is not as its manifest says. */
export interface Alteration {
  readonly part: string;
  /** The end of a sentence that begins with the part. */
  readonly what: string;
  /** The number of the step of steps.jsonl. */
  readonly step?: number;
  /** The name of the criterion of grade.json. */
  readonly criterion?: string;
}

/**
 * Everything that can be said of a bundle that `fault` has refused: the fault names one part only.
 * Never empty and never rejects. The manifest is believed; whether it may be is for its signature.
 */
export async function findAlterations(root: string, fault: Fault): Promise<Alteration[]> {
  const part = String(fault.detail["part"] ?? MANIFEST);
  const first = { part, what: restOf(fault.message, part) };
  try {
    const all = await alterationsOf(root);
    // What is wrong otherwise than by a part's hash (a file too many, say) is named by the fault.
    return all.length > 0 ? all : [first];
  } catch (error) {
    const why = error instanceof Fault ? "" : ` (${messageOf(error)})`;
    return [{ ...first, what: `${first.what}${why}` }];
  }
}

/** What a fault of `altered` says of the part. */
function restOf(message: string, part: string): string {
  const [, said = message] = / was altered: (.*?); do not trust it$/s.exec(message) ?? [];
  return said.startsWith(`${part} `) ? said.slice(part.length + 1) : said;
}

async function alterationsOf(root: string): Promise<Alteration[]> {
  const all: Alteration[] = [];
  const bytes = await readPart(root, MANIFEST, MANIFEST_BYTES_MAX);
  const seal = await readPart(root, SEAL, 1024);
  if (!seal.equals(Buffer.from(sealText(sha256(bytes))))) {
    all.push({ part: MANIFEST, what: `has another hash than ${SEAL} says` });
  }
  const manifest = manifestSchema.parse(JSON.parse(bytes.toString("utf8")));
  for (const part of manifest.parts) {
    const wrong = await checkPart(root, part).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (wrong === undefined) continue;
    const isThere = await lstat(join(root, part.path)).catch(() => undefined);
    if (isThere === undefined) all.push({ part: part.path, what: "is missing" });
    else all.push(...(await inside(root, part.path, manifest, wrong)));
  }
  return all;
}

/** What of a part was altered, if that can be told; else the part. */
async function inside(
  root: string,
  path: string,
  manifest: Manifest,
  wrong: unknown,
): Promise<Alteration[]> {
  const found = await (path === STEPS
    ? alteredSteps(join(root, path), manifest)
    : path === GRADE
      ? alteredCriteria(root, manifest)
      : []);
  return found.length > 0 ? found : [{ part: path, what: restOf(messageOf(wrong), path) }];
}

interface Line {
  readonly hash: string;
  readonly step: number | undefined;
  readonly previous: string | undefined;
}

/** Each line carries the hash of the one before, and the manifest that of the last one. */
async function alteredSteps(file: string, manifest: Manifest): Promise<Alteration[]> {
  const lines: Line[] = [];
  try {
    for await (const line of stepLines(file)) lines.push(lineOf(line));
  } catch (error) {
    return [{ part: STEPS, what: `was cut after line ${lines.length} (${messageOf(error)})` }];
  }
  const numbers = new Set(lines.map(({ step }) => step));
  const all = Array.from({ length: manifest.steps }, (_, index) => index + 1);
  const missing = all.filter((number) => !numbers.has(number));
  const altered: Alteration[] = missing.map((step) => ({ part: STEPS, step, what: "is missing" }));
  if (lines.length > manifest.steps) {
    altered.push({ part: STEPS, what: `has ${lines.length} lines instead of ${manifest.steps}` });
  }
  if (lines.length !== manifest.steps) return altered;
  for (const [index, { hash, step = index + 1 }] of lines.entries()) {
    const next = lines[index + 1];
    const mark = next === undefined ? manifest.marks?.lastStep : next.previous;
    if (mark !== undefined && mark !== hash) {
      altered.push({ part: STEPS, step, what: "is not the line that was written" });
    }
  }
  return altered;
}

function lineOf(line: Buffer): Line {
  try {
    const { step, previous } = JSON.parse(line.toString("utf8")) as Record<string, unknown>;
    return {
      hash: sha256(line),
      step: typeof step === "number" ? step : undefined,
      previous: typeof previous === "string" ? previous : undefined,
    };
  } catch {
    return { hash: sha256(line), step: undefined, previous: undefined };
  }
}

async function alteredCriteria(root: string, manifest: Manifest): Promise<Alteration[]> {
  const bytes = await readPart(root, GRADE, DOCUMENT_BYTES_MAX);
  const grade = gradeSchema.parse(JSON.parse(bytes.toString("utf8")));
  const marks = manifest.marks?.criteria;
  const altered: Alteration[] = [];
  for (const [index, criterion] of grade.criteria.entries()) {
    const { name } = criterion;
    if (marks === undefined || criterionMark(criterion) === marks[index]) continue;
    altered.push({ part: GRADE, criterion: name, what: "is not as it was judged" });
  }
  if (marks !== undefined && grade.criteria.length < marks.length) {
    altered.push({ part: GRADE, what: "has lost criteria" });
  }
  const reward = rewardOf(grade.criteria);
  if (canonicalJson(grade.reward) !== canonicalJson(reward)) {
    const said = canonicalJson(grade.reward);
    altered.push({ part: GRADE, what: `gives the reward ${said}, which its criteria do not make` });
  }
  return altered;
}
