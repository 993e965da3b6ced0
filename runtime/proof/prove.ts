import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import type { RolloutParts } from "../rollout/parts.ts";
import { makeVariant } from "../task/make-variant.ts";
import { variantSeed } from "../task/prepare.ts";
import type { Task } from "../task/task.ts";
import { BlobFolder } from "../workspace/blobs.ts";
import { deterministic } from "./deterministic.ts";
import { comparedVariant, distinct } from "./distinct.ts";
import type { Generated, Partial, ProofEvidence, Trial } from "./evidence.ts";
import { fair } from "./fair.ts";
import { figuresOf, long } from "./long.ts";
import { isChange, leftTheSame, type Played, Plays, type ProofWatcher, together } from "./plays.ts";
import type { Proof, ProofRun } from "./proof.ts";
import { sealed } from "./sealed.ts";
import { mutationOf, sharp } from "./sharp.ts";
import { sound } from "./sound.ts";
import { poisonsOf, sturdy } from "./sturdy.ts";
import { telling } from "./telling.ts";
import { setOtherDay, tryGrader } from "./trial.ts";

export interface ProveOptions {
  /** Those to prove; at least one, the first of them in depth. */
  readonly variants: readonly number[];
  /** Those that are held against each other; they are made and not played. */
  readonly compared: readonly number[];
  /** How many rollouts, and how many gradings, at once. */
  readonly jobs: number;
  /** The most mutants of a variant. */
  readonly mutants: number;
  /** The most poisons of a variant. */
  readonly poisons: number;
  /** Of instruction, tools and results. */
  readonly countTokens: (text: string) => Promise<number> | number;
}

/**
 * Proves one task in real sandboxes, or says which rules it breaks and by what. Rejects only if it
 * could not be tried: as the engine does, as `prepareVariant` does, with `proof/trial-failed`, or
 * with the signal's reason.
 */
export async function proveTask(
  task: Task,
  parts: RolloutParts,
  options: ProveOptions,
  signal: AbortSignal,
  watcher: ProofWatcher,
): Promise<Proof> {
  const at = parts.clock.now().toISOString();
  const fromMs = parts.clock.monotonicMs();
  const proving = new Proving(task, parts, options, signal, watcher);
  const { evidence, runs } = await proving.evidence();
  const rules = [sound, deterministic, distinct, sharp, fair, telling, sturdy, sealed, long];
  const findings = rules.map((rule) => rule(evidence));
  return {
    schema: "cloche.proof/1",
    task: { id: task.id, sha256: task.sha256 },
    graderImage: parts.images.grader,
    holds: findings.every(({ holds }) => holds),
    variants: options.variants,
    findings,
    runs: runs.map(runOf),
    mutation: mutationOf(evidence),
    poisons: poisonsOf(evidence),
    figures: figuresOf(evidence),
    at,
    seconds: Math.round((parts.clock.monotonicMs() - fromMs) / 100) / 10,
  };
}

class Proving {
  readonly #task: Task;
  readonly #parts: RolloutParts;
  readonly #options: ProveOptions;
  readonly #signal: AbortSignal;
  readonly #watcher: ProofWatcher;
  readonly #plays: Plays;

  constructor(
    task: Task,
    parts: RolloutParts,
    options: ProveOptions,
    signal: AbortSignal,
    watcher: ProofWatcher,
  ) {
    this.#task = task;
    this.#parts = parts;
    this.#options = options;
    this.#signal = signal;
    this.#watcher = watcher;
    this.#plays = new Plays(task, parts, signal, watcher);
  }

  async evidence(): Promise<{ evidence: ProofEvidence; runs: readonly Played[] }> {
    const { variants } = this.#options;
    const prepared = await together(
      this.#options.jobs,
      variants.map((variant) => () => this.#plays.prepared(variant)),
    );
    const { oracles, again, nulls, cheats } = await this.#playAll();
    const generators = await this.#generators();
    const partials = await this.#partials(oracles[0]);
    const failing = [...nulls, ...cheats, ...partials.map(({ played }) => played)];
    const trials: Trial[] = [];
    for (const oracle of oracles) trials.push(...(await this.#trial(oracle, failing)));
    const evidence = {
      settings: this.#task.proof,
      criteria: prepared[0]?.criteria ?? [],
      hasSolution: this.#task.files.solution !== null,
      instructions: new Map(prepared.map((one) => [one.variant, one.instruction])),
      ...{ oracles, again, nulls, cheats, partials, generators, trials },
      compared: await this.#compared(),
      tokens: await this.#tokens(oracles[0], prepared[0]?.instruction ?? ""),
    };
    const more = [...(again ? [again] : []), ...nulls, ...cheats];
    return { evidence, runs: [...oracles, ...more, ...partials.map(({ played }) => played)] };
  }

  async #compared() {
    const { jobs, compared, variants } = this.#options;
    const all = [...new Set([...variants, ...compared])].sort((a, b) => a - b);
    const prepared = await together(
      jobs,
      all.map((variant) => () => this.#plays.prepared(variant)),
    );
    const { holdout } = this.#task.variants;
    return prepared.map((one) => comparedVariant(one, holdout.includes(one.variant)));
  }

  async #playAll() {
    const { variants, jobs } = this.#options;
    const first = variants[0] ?? 1;
    const cheats = Object.keys(this.#task.files.cheats).map((cheat) => `cheat:${cheat}`);
    const solved = this.#task.files.solution === null ? [] : variants;
    const works = [
      ...solved.map((variant) => ["oracle", variant, "oracle"] as const),
      ...solved.slice(0, 1).map((variant) => ["oracle again", variant, "oracle"] as const),
      ...cheats.map((cheat) => [cheat, first, cheat] as const),
      ...variants.map((variant) => ["null", variant, "null"] as const),
    ];
    const played = await together(
      jobs,
      works.map(
        ([name, variant, policy]) =>
          () =>
            this.#plays.byPolicy(name, variant, policy),
      ),
    );
    const of = (kind: string) => played.filter(({ name }) => name === kind);
    return {
      oracles: of("oracle"),
      again: of("oracle again")[0],
      nulls: of("null"),
      cheats: played.filter(({ name }) => name.startsWith("cheat:")),
    };
  }

  /** The oracle stopped half way, and before the last call that changes something. */
  async #partials(oracle: Played | undefined): Promise<readonly Partial[]> {
    if (oracle?.bundle === undefined || oracle.steps.length < 2) return [];
    const whole = oracle.bundle;
    const last = oracle.steps.findLastIndex(isChange);
    const stops = [
      ["first half of oracle", Math.floor(oracle.steps.length / 2)],
      ["oracle without its last change", Math.max(0, last)],
    ] as const;
    return await together(
      this.#options.jobs,
      stops.map(([name, count]) => async () => {
        const played = await this.#plays.ofFirst(name, oracle, count);
        return { played, same: played.bundle !== undefined && leftTheSame(played.bundle, whole) };
      }),
    );
  }

  /** Makes the first variant twice more: once as it is, once under all other conditions. */
  async #generators(): Promise<readonly Generated[]> {
    const [variant = 1] = this.#options.variants;
    if (this.#task.files.generate === null) return [];
    const { id } = this.#task;
    const disturbed = {
      env: {
        PYTHONHASHSEED: "4242",
        TZ: "Pacific/Auckland",
        LC_ALL: "C",
        LD_PRELOAD: "/usr/lib/cloche/clock.so",
      },
      prepare: (box: Parameters<typeof setOtherDay>[0]) =>
        setOtherDay(box, this.#parts, this.#signal),
    };
    const { engine, images, data, log, process } = this.#parts;
    const parts = {
      ...{ engine, log, graderImage: images.grader, signal: this.#signal },
      blobs: new BlobFolder(data.blobs),
      cacheFolder: data.cache,
      labels: { owner: data.owner, process },
    };
    const seed = variantSeed(id, variant);
    const conditions = [undefined, undefined, disturbed];
    const [first, ...others] = await together(
      this.#options.jobs,
      conditions.map((one) => () => makeVariant(this.#task, variant, seed, parts, one)),
    );
    const names = ["again", "another hash seed, time zone, locale and day"];
    return others.map((other, at) => {
      const difference = first === undefined ? null : differenceOf(first, other);
      return { variant, condition: names[at] ?? "", difference };
    });
  }

  async #trial({ variant, bundle }: Played, all: readonly Played[]): Promise<readonly Trial[]> {
    if (bundle === undefined) return [];
    const { proof, graderTimeoutMs, id } = this.#task;
    const { jobs, mutants, poisons, variants } = this.#options;
    // Of each variant after the first a quarter.
    const share = (most: number) => (variant === variants[0] ? most : Math.ceil(most / 4));
    const failing = all.flatMap(({ name, variant: other, bundle: left }) =>
      other === variant && left !== undefined ? [{ name, bundle: left }] : [],
    );
    const request = {
      seed: `${id}#${variant}`,
      free: proof.free.map(({ what }) => what),
      lenient: proof.lenient,
      limit: share(mutants),
      poisons: share(poisons),
      failing,
      atOnce: jobs,
      seconds: graderTimeoutMs / 1000,
      secrets: await this.#secrets(),
    };
    const say = (done: number, of: number) =>
      this.#watcher.say(`graded ${done} of ${of} variations of variant ${variant}`);
    const report = await tryGrader(bundle, request, this.#parts, this.#signal, say);
    return [{ variant, report }];
  }

  /** The task's own programs by name. */
  async #secrets(): Promise<Readonly<Record<string, string>>> {
    const { grader, generate, solution, cheats } = this.#task.files;
    const own = [grader, generate, solution, ...Object.values(cheats)];
    const texts = own
      .filter((path) => path !== null)
      .map(async (path) => [basename(path), await readFile(path, "utf8")] as const);
    return Object.fromEntries(await Promise.all(texts));
  }

  /** What an agent in the oracle's place would have read. */
  async #tokens(oracle: Played | undefined, instruction: string): Promise<number> {
    const results = (oracle?.steps ?? []).map(({ result }) => canonicalJson(textsOf(result)));
    const texts = [instruction, ...results];
    const counts = await Promise.all(texts.map((text) => this.#options.countTokens(text)));
    return counts.reduce((sum, count) => sum + count, 0);
  }
}

/** Of a tool's result what is text; an image costs otherwise. */
function textsOf(result: unknown): unknown {
  const content = (result as { readonly content?: unknown } | null)?.content;
  if (!Array.isArray(content)) return "";
  return content.map((block: { readonly text?: unknown }) => block.text ?? "");
}

function differenceOf(
  one: Awaited<ReturnType<typeof makeVariant>>,
  other: Awaited<ReturnType<typeof makeVariant>>,
): string | null {
  for (const part of ["expected", "variables", "criteria"] as const) {
    if (canonicalJson(one[part]) !== canonicalJson(other[part])) return `${part} differ`;
  }
  for (const part of ["fixture", "state"] as const) {
    const known = new Map(one[part].entries.map((entry) => [entry.path, canonicalJson(entry)]));
    const changed = other[part].entries.find(({ path, ...rest }) => {
      return known.get(path) !== canonicalJson({ path, ...rest });
    });
    if (changed !== undefined) return `${part}/${changed.path} differs`;
    if (known.size !== other[part].entries.length) return `${part} holds other files`;
  }
  return null;
}

function runOf({ name, variant, record }: Played): ProofRun {
  const { reward, outcome, bundle } = record;
  const criteria = (record.criteria ?? []).map(({ name, score }) => ({ name, score }));
  return { name, variant, reward, calls: record.steps, outcome, bundle, criteria };
}
