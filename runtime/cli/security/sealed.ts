import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../../base/canonical-json.ts";
import { draftName } from "../../base/draft.ts";
import { sha256 } from "../../base/hash.ts";
import type { Log } from "../../base/log.ts";
import type { Engine, EngineReport, Isolation } from "../../engine/engine.ts";
import { engineFault } from "../../engine/faults.ts";
import { compare, goldenFor, type Property } from "../../engine/probe/golden.ts";
import { howChecked } from "../../engine/probe/properties.ts";
import { PROBE_HASH, type ProbeReport, runProbe } from "../../engine/probe/run-probe.ts";
import type { DataFolder } from "../../store/data-folder.ts";
import { hostProperties } from "./host.ts";

export interface RolloutRequest {
  readonly engine: Engine;
  readonly report: EngineReport;
  readonly images: { readonly office: string; readonly grader: string };
  readonly data: DataFolder;
  /** Who asks, for the labels of the sandbox. */
  readonly process: string;
  /** Also if it is known what was found not long ago. */
  readonly fresh?: boolean;
}

/** What was found out about the sandboxes of an engine. */
export interface Examined {
  readonly isolation: Isolation;
  readonly properties: readonly Property[];
  /** What this runtime does not do as others do. */
  readonly notes: readonly string[];
  /** RFC 3339. */
  readonly probedAt: string;
  readonly landlock: number;
}

interface Remembered {
  readonly probedAt: string;
  readonly report: ProbeReport;
}

/** After this a probe is made again, since somebody may have changed the host under the engine. */
const REMEMBER_MS = 24 * 60 * 60_000;

/**
 * Probes a sandbox of this engine, or remembers what the last probe found if nothing that it
 * depends on has changed since: engine, kernel, runtime, profile, images, the probe itself.
 */
export async function examineSandbox(request: RolloutRequest): Promise<Examined> {
  const { isolation } = request.report;
  const golden = goldenFor(request.engine.name, isolation.runtime, isolation.profile);
  const file = join(request.data.cache, `probe-${keyOf(request)}.json`);
  const known = request.fresh === true ? undefined : await recall(file);
  const { probedAt, report } = known ?? (await probe(request, file));
  return {
    isolation,
    properties: [
      ...compare(golden, report.found, howChecked),
      ...hostProperties(isolation, report.about),
    ],
    notes: golden.notes,
    probedAt,
    landlock: report.about.landlock,
  };
}

/** @throws `engine/not-sealed` for what is weaker and was not accepted by name */
export function requireSealed(
  { properties, isolation }: Examined,
  accepted: readonly string[],
  { log, say }: { readonly log: Log; readonly say: (text: string) => void },
): void {
  const weaker = properties.filter(({ verdict }) => verdict === "weaker");
  const refused = weaker.filter(({ property }) => !accepted.includes(property));
  if (refused.length > 0) {
    const { runtime, profile } = isolation;
    const list = refused.map(
      (one) => `"${one.property}" (wanted: ${one.wanted}; found: ${one.found})`,
    );
    const message = `sandboxes of ${runtime} are weaker than profile ${profile} in ${list.join(", ")}`;
    const detail = {
      deviations: refused.map(({ property, wanted, found }) => ({ property, wanted, found })),
    };
    throw engineFault("not-sealed", `${message}; see "cloche doctor --security"`, { detail });
  }
  for (const { property, wanted, found } of weaker) {
    log.warn({ property, wanted, found }, "sandboxes are weaker than they should be, as accepted");
    say(`accepted although it is weaker: ${property} (wanted: ${wanted}; found: ${found})`);
  }
}

function keyOf({ report, images }: RolloutRequest): string {
  const { version, architecture, address, isolation } = report;
  const { liveRestore: _, runtimes: __, ...rest } = isolation;
  const key = { version, architecture, address, rest, images: [images.office, images.grader] };
  return sha256(canonicalJson({ ...key, probe: PROBE_HASH })).slice(0, 16);
}

async function probe(request: RolloutRequest, file: string): Promise<Remembered> {
  const labels = { owner: request.data.owner, process: request.process };
  const report = await runProbe(request.engine, { images: request.images, labels });
  const remembered = { probedAt: new Date().toISOString(), report };
  const draft = join(request.data.cache, draftName());
  await writeFile(draft, `${JSON.stringify(remembered)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return remembered;
}

/** Undefined for what is not there, too old or not ours: then it is probed. */
async function recall(file: string): Promise<Remembered | undefined> {
  try {
    const remembered = JSON.parse(await readFile(file, "utf8")) as Remembered;
    const age = Date.now() - Date.parse(remembered.probedAt);
    const isWhole = typeof remembered.report.found === "object" && remembered.report.about;
    return isWhole && age >= 0 && age < REMEMBER_MS ? remembered : undefined;
  } catch {
    return undefined;
  }
}
