/** The verdict on one rollout. The same bundle and grader give the same bytes of it, on any day. */
export interface Grade {
  readonly schema: "cloche.grade/1";
  readonly task: string;
  readonly grader: {
    /** Hash of grader.py and of everything the grader reads beside the bundle. */
    readonly sha256: string;
    /** The grader image's reference. */
    readonly image: string;
  };
  /** In the grader's order. */
  readonly criteria: readonly Criterion[];
  /** Null if some criterion has an error: then there is no reward at all. */
  readonly reward: Reward | null;
}

export interface Criterion {
  readonly name: string;
  readonly weight: number;
  /** 0 to 1; null if the criterion raised. */
  readonly score: number | null;
  /** For a person: what was expected, what was found. */
  readonly reason: string;
  /** The traceback, if the criterion raised. */
  readonly error: string | null;
}

export interface Reward {
  /** 1 if every criterion scored 1, else 0. */
  readonly sparse: 0 | 1;
  /** Weighted mean of the scores, 0 to 1, rounded to 6 digits. */
  readonly dense: number;
}
