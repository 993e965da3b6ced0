import { type FaultKind, faultMaker } from "../../base/fault.ts";

/** What can go wrong while Cloche gets an engine and its images ready. */
export const SETUP_FAULTS = {
  "no-engine": {
    blame: "caller",
    means: "No Docker Engine answers, and set-up can neither start nor install one here.",
    remedy: "Do what the message says: start Docker, or run as root on Debian or Ubuntu.",
  },
  "engine-not-installed": {
    blame: "engine",
    means: "Debian's package docker.io could not be installed.",
    remedy: "See apt's last lines in the message; install Docker by hand, then try again.",
  },
  "engine-not-started": {
    blame: "engine",
    means: "The Docker daemon was started and ended, or did not answer in time.",
    remedy: "See its last lines in the message and the log that it names.",
  },
  "image-missing": {
    blame: "caller",
    means: "An image that Cloche needs is not on the engine, or only in an older state.",
    remedy: "Run `npm run setup`, which builds what is missing.",
  },
  "image-not-made": {
    blame: "engine",
    means: "An image could not be built, or what it is built from could not be fetched.",
    remedy: "See the last lines in the message; a network failure passes, so try again.",
  },
} as const satisfies Record<string, FaultKind>;

export const setupFault = faultMaker("setup", SETUP_FAULTS);
