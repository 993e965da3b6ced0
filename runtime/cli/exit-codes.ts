/** What the process's exit code says; also in `--help` and README. */
export const EXIT = {
  /** Every rollout was graded; for other commands: done. */
  graded: 0,
  /** Some rollout was not graded, or something is wrong with what was looked at. */
  notGraded: 1,
  /** The command could not start: wrong words, a broken task, no engine. Nothing is left behind. */
  badUsage: 2,
  /** Ended by Ctrl-C before anything else decided. */
  interrupted: 130,
} as const;
