import { type FaultKind, faultMaker } from "../base/fault.ts";

export const CLI_FAULTS = {
  "bad-option": {
    blame: "caller",
    means: "An option's value is not one that the command knows.",
    remedy: "The message says what is possible; --help shows examples.",
  },
  "unknown-command": {
    blame: "caller",
    means: "Cloche has no such command.",
    remedy: "The message names the nearest; `cloche --help` lists all.",
  },
  "unknown-option": {
    blame: "caller",
    means: "The command has no such option.",
    remedy: "The message names the nearest; --help of the command lists all.",
  },
  "ambiguous-id": {
    blame: "caller",
    means: "The first letters of an id fit several rollouts.",
    remedy: "Give more letters; the message has the ids.",
  },
  unexpected: {
    blame: "engine",
    means: "Something failed in a way that Cloche does not know.",
    remedy: "Report it with what is printed below the message; what was recorded stays.",
  },
  "bad-key-file": {
    blame: "caller",
    means: "A file of a key or of a signed document cannot be used as it is.",
    remedy: "The message says what is wrong with it; cloche keys signing makes a pair.",
  },
  "play-failed": {
    blame: "engine",
    means: "A task could not be opened for a person to play.",
    remedy: "The message says what the rollout ended with; `cloche run` shows the same.",
  },
  "bad-line": {
    blame: "caller",
    means: "A line of `cloche task play` is none that can be carried out.",
    remedy: "The message says what is wrong with it; `help` lists what there is.",
  },
} as const satisfies Record<string, FaultKind>;

export const cliFault = faultMaker("cli", CLI_FAULTS);
