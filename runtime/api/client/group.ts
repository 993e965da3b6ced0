import { ClocheError } from "./cloche-error.ts";
import { pause } from "./retry.ts";
import { Rollout } from "./rollout.ts";
import type { ServiceApi, Waiting } from "./service-api.ts";
import type { GroupView, PlayedGroup } from "./wire.ts";

/** Plays one rollout and gives the agent's answer, if it has one. */
export type Play = (
  rollout: Rollout,
  member: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: a play need not answer.
) => Promise<string | null | undefined | void>;

interface Thrown {
  readonly error: unknown;
}

const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2_000;
const DISPOSE_MS = 15_000;

/**
 * Rollouts of one prompt, asked for as one. Disposing cancels those that have not ended, and never
 * throws.
 */
export class Group implements AsyncDisposable {
  readonly id: string;
  readonly #api: ServiceApi;
  readonly #leaseMs: number;
  #view: GroupView;

  constructor(api: ServiceApi, view: GroupView, leaseMs: number) {
    this.#api = api;
    this.#leaseMs = leaseMs;
    this.#view = view;
    this.id = view.id;
  }

  /** As it was when last asked for. */
  get view(): GroupView {
    return this.#view;
  }

  async refresh({ signal }: Waiting = {}): Promise<GroupView> {
    this.#view = await this.#api.groupView(this.id, signal);
    return this.#view;
  }

  /** The newest attempt of a member (from 0), once it serves. */
  async member(index: number, options: Waiting = {}): Promise<Rollout> {
    const view = this.#view.members[index];
    if (view === undefined) throw new RangeError(`group ${this.id} has no member ${index}`);
    return new Rollout(this.#api, await this.#api.serving(view, options.signal), this.#leaseMs);
  }

  /**
   * Plays every member, all at once as they come to serve, and finishes them. A member that is lost
   * to the infrastructure is played again in its next attempt. Resolves with all of them when the
   * group has ended: a play that throws cancels its own rollout, and what it threw is that member's
   * `error`.
   */
  async play(play: Play, options: Waiting = {}): Promise<PlayedGroup> {
    const playing = this.#view.members.map((_, index) => this.#playMember(index, play, options));
    const thrown = await Promise.all(playing);
    const view = await this.#until(({ ended }) => ended, options);
    const members = view.members.map((one, member) => ({ ...one, member, ...thrown[member] }));
    return { ...view, members };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#view.ended) return;
    const signal = AbortSignal.timeout(DISPOSE_MS);
    const { members } = await this.refresh({ signal }).catch(() => this.#view);
    const open = members.filter(({ outcome }) => outcome === null);
    await Promise.all(open.map(({ id }) => this.#api.cancel(id, signal).catch(() => {})));
  }

  /** What the play of the newest attempt threw, if anything. */
  async #playMember(index: number, play: Play, options: Waiting): Promise<Thrown | undefined> {
    let thrown: Thrown | undefined;
    for (let id = this.#idOf(index); id !== undefined; ) {
      thrown = await this.#playAttempt(index, play, options);
      const played = id;
      try {
        const after = await this.#until((view) => isSettled(view, index, played), options);
        id = after.members[index]?.id;
      } catch (error) {
        return thrown ?? { error };
      }
      // If another attempt came of it, what was thrown in the lost one is of no interest.
      if (id === played) return thrown !== undefined && isEnding(thrown.error) ? undefined : thrown;
    }
    return thrown;
  }

  async #playAttempt(index: number, play: Play, options: Waiting): Promise<Thrown | undefined> {
    let rollout: Rollout | undefined;
    try {
      rollout = await this.member(index, options);
      const answer = await play(rollout, index);
      await rollout.finish(answer ?? null, options);
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      await rollout?.[Symbol.asyncDispose]();
    }
  }

  async #until(holds: (view: GroupView) => boolean, options: Waiting): Promise<GroupView> {
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(LONGEST_LOOK_MS, wait * 2)) {
      const view = await this.refresh(options);
      if (holds(view)) return view;
      await pause(wait, options.signal);
    }
  }

  #idOf(index: number): string | undefined {
    return this.#view.members[index]?.id;
  }
}

/** Whether this attempt of a member has ended, and no other follows or one already has. */
function isSettled({ members, ended }: GroupView, index: number, id: string): boolean {
  const member = members[index];
  if (ended || member === undefined || member.id !== id) return true;
  return member.outcome !== null && member.outcome !== "infra_error";
}

/** The rollout ended while the agent was calling (budget, lease, a lost sandbox): that is no failure. */
function isEnding(error: unknown): boolean {
  if (!(error instanceof ClocheError)) return false;
  return error.code === "rollout/not-serving" || error.code === "client/rollout-ended";
}
