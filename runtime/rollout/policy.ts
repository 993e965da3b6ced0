/** Who plays a rollout: a policy. It gets an endpoint and an instruction and nothing else. */
export interface Policy {
  /** "oracle", "null", "cheat:<name>"; recorded. */
  readonly name: string;
  /**
   * Plays to its own end and resolves with its answer. Rejects with a Fault of blame "agent" if the
   * policy itself broke, and with the signal's reason once the signal is aborted (budget used,
   * rollout cancelled); it has let go of everything then.
   */
  play(input: PolicyInput, signal: AbortSignal): Promise<Played>;
}

/** How a policy came to its end: with an answer, or without a word. */
export type Played = { readonly answer: string | null } | { readonly gone: true };

/** What a policy is given. */
export interface PolicyInput {
  readonly rollout: string;
  readonly url: string;
  readonly token: string;
  readonly instruction: string;
  readonly variant: number;
}
