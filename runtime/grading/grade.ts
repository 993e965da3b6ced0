/** The verdict on one rollout. The same bundle and grader give the same bytes of it, on any day. */
export interface Grade {
  /**
   * Version 1 knew no polarity and no untouched state, version 2 nothing unreadable: the members that
   * are optional here.
   */
  readonly schema: "cloche.grade/1" | "cloche.grade/2" | "cloche.grade/3";
  readonly task: string;
  readonly grader: {
    /** Hash of grader.py and of everything the grader reads beside the bundle. */
    readonly sha256: string;
    /** The grader image's reference. */
    readonly image: string;
  };
  /** In the grader's order. */
  readonly criteria: readonly Criterion[];
  /** Null if some criterion has no score: then there is no reward at all. */
  readonly reward: Reward | null;
}

/** A criterion as the grader declares it before any agent has run. */
export interface DeclaredCriterion {
  readonly name: string;
  readonly weight: number;
  /** Whether something is to be done, or to be left undone. Absent: `must`. */
  readonly polarity?: Polarity;
  /** Of a `must_not`: what `dense` is at most if it fails; null if it counts by its weight. */
  readonly cap?: number | null;
  /** The sentence of the instruction that it rests on. */
  readonly asks?: string | null;
}

export type Polarity = "must" | "must_not";

export interface Criterion extends DeclaredCriterion {
  /** 0 to 1; null if the criterion breaks on the untouched state, whatever the agent does. */
  readonly score: number | null;
  /** The score of the untouched state; null if the criterion breaks there. */
  readonly baseline?: number | null;
  /** For a person: what was expected, what was found. */
  readonly reason: string;
  /** The traceback, or how it ended, if the criterion broke; without it there is a score. */
  readonly error: string | null;
  /** Whether it scores 0 because what the agent made can't be read, or broke the criterion. */
  readonly unreadable?: boolean;
}

/** All numbers are rounded to 6 digits. docs/graders.md says how they are made. */
export interface Reward {
  /** 1 if every criterion scored 1, else 0. */
  readonly sparse: 0 | 1;
  /** The weighted fraction of the criteria that hold, 0 to 1. */
  readonly dense: number;
  /** How far `dense` is above that of the untouched state, of what was to be gained; -1 to 1. */
  readonly gain?: number;
}

/** Which of the rewards a rollout is to be paid by. */
export type RewardKind = "sparse" | "dense" | "gain";

export const REWARD_KINDS = ["sparse", "dense", "gain"] as const satisfies readonly RewardKind[];
