import { Connection, type ConnectionOptions } from "./connection.ts";
import { EndedRollout } from "./evidence.ts";
import { Group } from "./group.ts";
import { DEFAULT_LEASE_MS, Rollout } from "./rollout.ts";
import { ServiceApi, type Waiting } from "./service-api.ts";
import type {
  GroupRequest,
  GroupView,
  Outcome,
  Regrade,
  RolloutRecord,
  RolloutRequest,
  RolloutView,
  Split,
  TaskView,
} from "./wire.ts";

/** Which rollouts to list; all of the caller's, if nothing is said. */
export interface RolloutFilter {
  readonly task?: string;
  readonly policy?: string;
  /** The id of a group, or a label of your own. */
  readonly group?: string;
  /** "none": those that go on. */
  readonly outcome?: Outcome | "none";
  readonly split?: Split;
  /** The first letters of its id. */
  readonly id?: string;
  /** Asked for then or later; a text is an instant or a day, as RFC 3339 writes them. */
  readonly since?: Date | string;
  /** Asked for before that. */
  readonly until?: Date | string;
  /** Of the reward of the record's `rewardKind`; both bounds are included. */
  readonly minReward?: number;
  readonly maxReward?: number;
}

/**
 * A service to ask for rollouts. It holds no connection open and needs no closing. Every method
 * rejects with a ClocheError, or with the reason of its signal.
 *
 * @example
 * const cloche = new Cloche({ url: "http://127.0.0.1:7317" });
 * await using rollout = await cloche.rollout({ task: "library/catalogue-update" });
 * await rollout.call("list_directory", { path: "/workspace" });
 * const { reward } = await rollout.finish("done");
 */
export class Cloche {
  readonly #api: ServiceApi;

  constructor(options: ConnectionOptions) {
    this.#api = new ServiceApi(new Connection(options));
  }

  /**
   * Asks for a rollout and waits until it serves, however long the queue is. It is cancelled if the
   * waiting is ended, and rejects with `client/rollout-ended` if it ended before it served.
   */
  async rollout(request: RolloutRequest, { signal }: Waiting = {}): Promise<Rollout> {
    const asked = await this.#api.request(request, signal);
    try {
      const view = await this.#api.serving(asked, signal);
      return new Rollout(this.#api, view, request.leaseMs ?? DEFAULT_LEASE_MS);
    } catch (error) {
      await this.#api.cancel(asked.id, undefined).catch(() => {});
      throw error;
    }
  }

  /** Takes over a rollout that another worker asked for, once it serves. */
  async attach(
    id: string,
    { leaseMs = DEFAULT_LEASE_MS, signal }: Waiting & { readonly leaseMs?: number } = {},
  ): Promise<Rollout> {
    const view = await this.#api.serving(await this.#api.view(id, signal), signal);
    return new Rollout(this.#api, view, leaseMs);
  }

  /** Asks for n rollouts of one prompt. They are accepted when this resolves, and wait their turn. */
  async group(request: GroupRequest, { signal }: Waiting = {}): Promise<Group> {
    const view = await this.#api.requestGroup(request, signal);
    return new Group(this.#api, view, request.leaseMs ?? DEFAULT_LEASE_MS);
  }

  /**
   * A rollout that has ended, whoever played it: its record, steps, events and bundle. Rejects with
   * `client/not-ended` for one that goes on.
   */
  async ended(id: string, { signal }: Waiting = {}): Promise<EndedRollout> {
    return new EndedRollout(this.#api, await this.#api.view(id, signal));
  }

  /** A rollout as it stands; `record` is there once it has ended. */
  async get(id: string, { signal }: Waiting = {}): Promise<RolloutView> {
    return await this.#api.view(id, signal);
  }

  async getGroup(id: string, { signal }: Waiting = {}): Promise<GroupView> {
    return await this.#api.groupView(id, signal);
  }

  /** The caller's records, newest first, asked for page by page. */
  rollouts(filter: RolloutFilter = {}): AsyncGenerator<RolloutRecord, void, void> {
    const said = Object.entries(filter).filter(([, value]) => value !== undefined);
    return this.#api.list(Object.fromEntries(said.map(([name, value]) => [name, textOf(value)])));
  }

  /** Gives a rollout up in whatever phase it is. */
  async cancel(id: string, { signal }: Waiting = {}): Promise<RolloutRecord> {
    return await this.#api.cancel(id, signal);
  }

  /**
   * Grades again: a rollout that has ended, by its id, or a bundle, as a tar; with the grader that
   * the bundle holds ("recorded", the default) or the one that the task has now ("current").
   */
  async grade(
    what: string | Uint8Array,
    { grader = "recorded", signal }: Waiting & { readonly grader?: "recorded" | "current" } = {},
  ): Promise<Regrade> {
    return await this.#api.grade(what, grader, signal);
  }

  /** Tasks that may be asked for. */
  async tasks({ signal }: Waiting = {}): Promise<readonly TaskView[]> {
    return (await this.#api.tasks(signal)).tasks;
  }
}

function textOf(value: Date | string | number): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "number" ? value.toFixed(9) : value;
}
