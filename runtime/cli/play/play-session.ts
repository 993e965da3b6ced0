import { rolloutId } from "../../base/id.ts";
import type { Grade } from "../../grading/grade.ts";
import type { ToolInfo } from "../../mcp/link/handshake.ts";
import { connectClient, type McpClient } from "../../mcp/mcp-client.ts";
import type { CalledTool } from "../../mcp/proxy/direct-caller.ts";
import type { Step } from "../../mcp/record/step.ts";
import type { RolloutSpec } from "../../rollout/parts.ts";
import { runRollout } from "../../rollout/run-rollout.ts";
import { ExternalPolicy } from "../../service/external-policy.ts";
import type { RolloutRecord } from "../../store/record.ts";
import { type PreparedVariant, prepareVariant } from "../../task/prepare.ts";
import type { Task } from "../../task/task.ts";
import { BlobFolder } from "../../workspace/blobs.ts";
import { cliFault } from "../faults.ts";
import type { Parts } from "../parts.ts";
import { gradeMoment, KeptSource, type Moment, readMoment } from "./moment.ts";

const DAY_MS = 24 * 3_600_000;

/** A rollout that a person plays. Disposing it cancels it; nothing of it is left in the engine. */
export class PlaySession implements AsyncDisposable {
  readonly task: Task;
  readonly prepared: PreparedVariant;
  readonly tools: readonly ToolInfo[];
  readonly #open: Open;
  readonly #client: McpClient;

  private constructor(open: Open, client: McpClient, tools: readonly ToolInfo[]) {
    this.task = open.spec.task;
    this.prepared = open.spec.prepared;
    this.tools = tools;
    this.#open = open;
    this.#client = client;
  }

  /** Resolves once tools can be called. Rejects as `prepareVariant`, or if the rollout came to nothing. */
  static async open(task: Task, variant: number, parts: Parts): Promise<PlaySession> {
    const open = await begin(task, variant, parts);
    try {
      const { input } = open.policy;
      if (input === undefined) throw new Error("the play was over before it began");
      const client = await connectClient(input.url, input.token, open.signal);
      return new PlaySession(open, client, await client.listTools());
    } catch (error) {
      await end(open);
      throw error;
    }
  }

  /** All calls that have ended, in the order in which they were made. */
  get steps(): readonly Step[] {
    return [...this.#open.steps].sort((a, b) => a.step - b.step);
  }

  /** Resolves with the record once the rollout has ended, of itself or by `submit`. */
  get ended(): Promise<RolloutRecord> {
    return this.#open.running;
  }

  /** Calls a tool as the agent would. Rejects if the endpoint is lost. */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<CalledTool> {
    return await this.#client.callTool(name, args);
  }

  /** The calls of another session again, one after the other, whatever they give. */
  async repeat(steps: readonly Step[]): Promise<void> {
    for (const { exposedName, arguments: args } of steps) {
      await this.call(exposedName, (args ?? {}) as Readonly<Record<string, unknown>>);
    }
  }

  /** What workspace and state hold now; the play goes on. */
  async look(): Promise<Moment> {
    return await readMoment(this.#open.source.sandbox, this.#open.spec, this.#open.signal);
  }

  /** What the task's grader says if the play ended here with this answer; the play goes on. */
  async grade(answer: string | null): Promise<Grade> {
    await using moment = await this.look();
    const { spec, parts, signal } = this.#open;
    return await gradeMoment(moment, { spec, parts, answer, signal });
  }

  /** Ends the play as an agent does: what is there now is captured, graded and kept as a bundle. */
  async submit(answer: string | null): Promise<RolloutRecord> {
    await this.#client.close();
    this.#open.policy.submit(answer);
    return await this.#open.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await end(this.#open);
  }
}

interface Open {
  readonly spec: RolloutSpec;
  readonly parts: Parts;
  readonly policy: ExternalPolicy;
  readonly source: KeptSource;
  readonly steps: Step[];
  readonly signal: AbortSignal;
  readonly given: AbortController;
  readonly running: Promise<RolloutRecord>;
}

/** Resolves while the rollout serves. */
async function begin(task: Task, variant: number, parts: Parts): Promise<Open> {
  const { engine, images, data, log, process, signal: outer, clock } = parts;
  const prepared = await prepareVariant(task, variant, {
    ...{ engine, log, graderImage: images.grader, signal: outer },
    blobs: new BlobFolder(data.blobs),
    cacheFolder: data.cache,
    labels: { owner: data.owner, process },
  });
  const given = new AbortController();
  const signal = AbortSignal.any([outer, given.signal]);
  const policy = new ExternalPolicy("person", DAY_MS, clock);
  const source = new KeptSource(parts);
  const steps: Step[] = [];
  const budget = { ...task.budget, calls: 100_000, wallMs: DAY_MS };
  const spec: RolloutSpec = {
    ...{ id: rolloutId(), task: { ...task, budget }, prepared, policy },
    ...{ group: null, labels: { play: task.id } },
  };
  const serving = Promise.withResolvers<void>();
  policy.onServing = serving.resolve;
  const running = runRollout(spec, { ...parts, sandboxes: source }, signal, {
    onStep: (step) => {
      policy.lease.callEnded();
      steps.push(step);
    },
    onCall: () => policy.lease.callBegan(),
  });
  const early = running.then((record) => Promise.reject(endedEarly(record)));
  early.catch(() => {});
  await Promise.race([serving.promise, early]);
  return { spec, parts, policy, source, steps, signal, given, running };
}

async function end({ given, running }: Open): Promise<void> {
  given.abort(new Error("the play is over"));
  await running.catch(() => {});
}

function endedEarly({ fault, outcome }: RolloutRecord): Error {
  const what = fault === null ? outcome : `${fault.code}: ${fault.message}`;
  return cliFault("play-failed", `the sandbox could not be opened for play: ${what}`);
}
